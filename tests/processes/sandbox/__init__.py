"""Kernel confinement, by trying what must fail."""
