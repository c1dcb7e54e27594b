"""The composition root of the monitor process."""
