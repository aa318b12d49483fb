"""What an optimiser does to each parameter in a training step, whatever the number of tokens."""

from __future__ import annotations

from dataclasses import dataclass

FLOAT = 4  # bytes


@dataclass(frozen=True)
class Update:
    """Per parameter: `operations`, the numbers `read` and `written`, and the `slots` of memory it keeps.

    The norm of the gradient, by which it may be shortened, is part of each: two operations on a number read.
    """

    formula: str
    operations: int
    read: int
    written: int
    slots: int

    @property
    def bytes(self) -> int:
        return FLOAT * (self.read + self.written)


NORM = 2

_ADAM = "m = β1 m + (1-β1) g,  v = β2 v + (1-β2) g²,  p = p - α m / (√v c + ε)"
UPDATES = {
    "sgd": Update("p = p - α g", 2 + NORM, 1 + 2, 1, 0),
    "momentum": Update("v = μ v + g,  p = p - α v", 4 + NORM, 1 + 3, 2, 1),
    "adam": Update(_ADAM, 13 + NORM, 1 + 4, 3, 2),
    "adamw": Update(_ADAM, 13 + NORM, 1 + 4, 3, 2),
}
