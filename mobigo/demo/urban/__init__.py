"""Urban: two simplified city networks, fictitious, of no operator's brand.

`plans` says what each line joins and how often it runs, `courses` draws its way and
its stops, `station` the inside of Dijon's station, `tables` makes the feeds.
"""
