"""The gradient as a derivation: formulas, step by step, each with its rule and its reason."""
