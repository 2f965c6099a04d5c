"""Pages of cards, boarding and fill control: the driver's run, who is aboard, the office's cards, what follows."""
