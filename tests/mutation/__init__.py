"""Mutants: small changes to the code, each of which some test should notice; see `python3 -m tests.mutation --help`."""
