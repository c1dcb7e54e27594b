"""Who runs as what."""
