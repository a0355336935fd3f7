"""A stand-in for a person, made from very little footage."""

__version__ = "0.1.0"
