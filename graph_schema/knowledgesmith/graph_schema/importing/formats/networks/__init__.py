"""Property graphs of network tools: GraphML, GEXF and node-link JSON."""
