"""Papers: what is printed on A4, as PDF that a screen reader can follow."""
