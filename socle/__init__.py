"""Socle: the plinth of plain values that every domain stands on."""
