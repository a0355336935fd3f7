"""Footage: finding clips, probing, decoding, encoding, sound."""
