"""The service: a gRPC front process without torch, and one worker process that owns the model."""
