"""Store: the rows of the database, private to their files; services open transactions."""
