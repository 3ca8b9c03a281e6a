"""Pull requests of promotions and rollbacks, and GitHub, which keeps them."""
