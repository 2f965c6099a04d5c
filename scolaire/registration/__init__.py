"""Registration: a family's request for a school year, what it must hold, and what may become of it."""
