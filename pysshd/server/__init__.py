"""The seam between protocol and policy: ServerInterface and what hooks are given."""
