"""The pipelines: wiring, names and a docstring. No algorithm lives here."""
