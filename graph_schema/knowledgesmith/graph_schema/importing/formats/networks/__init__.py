"""Property graphs of network tools: GraphML and node-link JSON."""
