"""Services: the use cases, one room per domain; they open transactions and never call each other."""
