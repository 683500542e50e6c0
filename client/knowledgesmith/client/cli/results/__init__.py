"""Commands that ask what an intervention did."""
