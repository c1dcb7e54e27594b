"""What helper processes look up of the host's own accounts: lean, for the zygote forks them."""
