"""Provenance: who consented to what, and the label that says what a picture is."""
