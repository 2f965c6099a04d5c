"""Journeys: what travellers ask and what they are answered."""
