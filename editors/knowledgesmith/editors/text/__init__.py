"""Texts and tokens: encoding, phrasings behind other text, what an answer is and where it ends."""
