"""RDF in all its notations: SKOS, OWL, RDFS and plain triples."""
