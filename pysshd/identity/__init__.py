"""Who a person is: keys and password hashes."""
