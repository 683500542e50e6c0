"""What every call passes through: checks, executors, and the parts that servicers share."""
