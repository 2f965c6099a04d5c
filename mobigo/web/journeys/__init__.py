"""Journeys: the pages on which a traveller asks, compares and keeps a journey."""
