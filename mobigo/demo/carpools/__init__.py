"""Carpools: people of the demonstration who share cars on the lines, honestly and otherwise, and what became of it."""
