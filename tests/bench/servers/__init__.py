"""The servers that are compared, each started with its own files on its own port of loopback."""
