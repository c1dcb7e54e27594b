"""One adapter for each client; the Python ones run in processes of their own: no test holds another SSH stack."""
