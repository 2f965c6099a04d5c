"""The books: rows that are only ever added, chained by hashes, written by one thread.

`rows` the tables · `chain` hashes, tree heads and proofs · `books` what
may be entered, inside one transaction · `writer` many units of work in one commit · `reads` what stands
there, as values · `heads` the signed head of each day · `check` everything read again: `sound`
looks at long stretches, and where one is not as it should be `reread` and `compare` say what.
"""
