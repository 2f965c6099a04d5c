"""Meeting: drivers offer seats, passengers find and book them, both write each other."""
