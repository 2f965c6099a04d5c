"""Covoiturage: carpool lines, what the Region pays for them, and why."""
