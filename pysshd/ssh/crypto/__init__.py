"""Tables from algorithm name to what it does; keys and signatures."""
