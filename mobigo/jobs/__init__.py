"""Jobs: the worker, what it can do, and what comes back every day."""
