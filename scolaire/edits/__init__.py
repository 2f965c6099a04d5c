"""Edits: one change of a plan by hand, its runs timed anew at once, and who is affected.

An edit is data, so that a journal can keep it and do it again. `apply` changes nothing: it answers another plan. A
change that breaks a rule is made all the same and says which one, because a planner goes through such plans on the
way to better ones; what cannot be done at all (an id that is not there, a circuit that is locked) is refused.

Where an edit does not say which coach takes a pupil, it is the one that drives the fewest seconds more among those
that can without breaking a rule; when none can, the pupil is not served, and named.
"""
