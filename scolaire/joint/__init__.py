"""Joint: which stops open, who waits where and how coaches drive, chosen together for one school."""
