"""The use cases of school transport."""
