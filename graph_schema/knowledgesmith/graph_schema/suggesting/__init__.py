"""What a graph's own facts say about its relations: traits to accept or not, types of their ends, shared names."""
