"""`demo://masks`: people who come in through a door, with and without masks, drawn by our own code."""
