"""Covoiturage: carpools, rides and their evidence, what was decided and paid; what partners offer, book and say."""
