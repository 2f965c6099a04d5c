"""Entitlement: who has a right to school transport, who pays for it, who is refused, and why."""
