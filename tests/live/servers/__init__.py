"""Server interfaces of tests, which their daemons import as modules of their own."""
