"""Compiled matchers of commands, names and addresses: plain data."""
