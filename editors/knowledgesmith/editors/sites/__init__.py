"""Where a linear map writes: how a change of it reaches the residual stream."""
