"""Covoiturage: what is decided about carpools, and told."""
