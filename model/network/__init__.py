"""The networks, and the checkpoints that hold their weights."""
