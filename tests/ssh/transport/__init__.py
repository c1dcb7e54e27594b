"""The transport, part by part."""
