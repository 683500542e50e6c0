"""The worker process: it owns the device and the model, and is the only writer of the ledger."""
