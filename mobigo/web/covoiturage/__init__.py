"""Covoiturage on pages: what the carpool lines cost, and who is paid."""
