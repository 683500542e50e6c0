"""The plan of an intervention: what changes, what is asked, what a method may learn from, and warnings."""
