"""The words of mathematics that documents use: functions, diagonal matrices, cross-entropy."""

from __future__ import annotations

FUNCTIONS = {
    "sigma": "sigmoid", "sigmoid": "sigmoid", "tanh": "tanh", "exp": "exp", "log": "log", "ln": "log",
    "softmax": "softmax", "relu": "relu", "ReLU": "relu", "sqrt": "sqrt", "softplus": "softplus",
    "sum": "sum", "step": "step",
}  # fmt: skip
# Letters and words for a function that may be any; those with a label are functions of their own (σ_h).
ARBITRARY = frozenset({"phi", "psi", "f", "g", "rho", "act", "activation", "nonlin", "sigma"})
DIAGONAL = frozenset({"diag", "Diag", "Sigma"})
# The names of cross-entropy as a function of a target and probabilities.
LOSSES = frozenset({"CE", "H", "CrossEntropy", "crossentropy"})


def is_arbitrary(name: str) -> bool:
    """Whether a name that is applied is that of a function of which nothing is known."""
    stem = name.partition("_")[0].rstrip("0123456789")
    return name not in FUNCTIONS and stem in ARBITRARY
