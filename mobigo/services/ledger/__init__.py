"""The books in use.

`proving` verifies, seals and proves · `exporting` writes them for other programs · `rechecking`
verifies such an export without a database.
"""
