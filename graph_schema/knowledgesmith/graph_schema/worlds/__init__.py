"""What a request means in the world of a branch: names resolved, changes applied, the world before and after."""
