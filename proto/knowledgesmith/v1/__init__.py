"""Version 1 of the wire types; import the modules (``intervention_pb2``, ``intervention_pb2_grpc`` …)."""
