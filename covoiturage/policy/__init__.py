"""Policy: who is paid what for a carpool, as dated documents; a decision is a pure function of facts and counters."""
