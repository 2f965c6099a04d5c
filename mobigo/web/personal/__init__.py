"""Personal: what is held about people: their own pages, and those of the data officer."""
