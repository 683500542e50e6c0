"""What is asked, and of whom: questions that the probe queries return, in blocks of anchors."""
