"""Fraud: what cannot be or looks arranged among carpools, as labels with their facts, for people to decide on."""
