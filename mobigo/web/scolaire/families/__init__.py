"""What families ask for and read."""
