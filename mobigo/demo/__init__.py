"""Demo: the demonstration region, real names and lines, everything else drawn from a seed.

Pure functions of (facts, seed, start) to values; `region` assembles and writes them.
"""
