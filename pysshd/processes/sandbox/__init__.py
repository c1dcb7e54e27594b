"""Kernel confinement through ctypes."""
