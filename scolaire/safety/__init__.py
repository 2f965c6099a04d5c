"""Safety: what a stop must be before a coach may halt there."""
