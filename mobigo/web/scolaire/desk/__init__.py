"""The planner's desk: the year of school transport, studies of plans, their changes, and the optimiser."""
