"""Which flights out of New York will arrive late? The example that Lockgate is built and tested with."""
