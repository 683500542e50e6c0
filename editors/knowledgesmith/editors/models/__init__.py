"""Models: found, loaded, told apart by digests, run in the precision and on the device that suit them."""
