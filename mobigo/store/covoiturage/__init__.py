"""Covoiturage: carpools, rides and their evidence, what was decided about them, and what was paid."""
