"""The policy language: load, model, compile, decide."""
