"""The version of this package, read by the command line, the identification string and the build."""

__version__ = "0.1.0"
