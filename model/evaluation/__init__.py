"""What a detector finds measured against labels, and its speed beside others."""
