"""Life of a graph: its versions, what differs, whether it is sound, its archive, and its end."""
