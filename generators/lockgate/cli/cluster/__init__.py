"""What commands do with a cluster: apply, look, wait, and tell."""
