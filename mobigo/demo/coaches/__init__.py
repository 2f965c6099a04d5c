"""Coaches: 115 fictitious lines on the drawn roads.

`lines` chooses what each line joins and its way, `stops` where it stops in each
commune, `times` when it runs, `tables` makes the feed.
"""
