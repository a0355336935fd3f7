"""How good the synthetic faces are: identity, spread, Fréchet distances, Inception figures, and the report."""
