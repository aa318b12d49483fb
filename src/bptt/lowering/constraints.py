"""Constraints that wait until enough is known, and what is assumed where it never is."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

from bptt.lowering.sizes import Sizes


class Default(IntEnum):
    """What may be assumed, from nothing to the boldest."""

    NOTHING = 0
    PARAMETER_BESIDE_VALUE_IS_MATRIX = 1
    TERMS_HAVE_ONE_SHAPE = 2
    FACTORS_HAVE_ONE_SHAPE = 3
    JUXTAPOSED_IS_MATRIX_PRODUCT = 4
    INNER_SIZE_IS_ONE = 5
    UNKNOWNS_HAVE_ONE_SHAPE = 6
    UNKNOWN_BESIDE_SCALAR_IS_SCALAR = 7


# Settles a constraint as far as the default allows; True once it is settled for good.
Constraint = Callable[[Default], bool]


class Constraints:
    """Constraints on the sizes, in the order of the file."""

    def __init__(self, sizes: Sizes) -> None:
        self._sizes = sizes
        self._waiting: list[Constraint] = []

    def add(self, constraint: Constraint) -> None:
        """Settle a constraint now, or keep it until it can be."""
        if not constraint(Default.NOTHING):
            self._waiting.append(constraint)

    def settle(self) -> bool:
        """Use all that is certain, then one default, the safest that settles anything; False if none does."""
        before = -1
        while self._sizes.changes > before:
            before = self._sizes.changes
            waiting, self._waiting = self._waiting, []
            still = [constraint for constraint in waiting if not constraint(Default.NOTHING)]
            self._waiting = still + self._waiting
        return any(self._settles(c, default) for default in list(Default)[1:] for c in self._waiting)

    def _settles(self, constraint: Constraint, default: Default) -> bool:
        before = self._sizes.changes
        if constraint(default):
            self._waiting.remove(constraint)
            return True
        return self._sizes.changes > before
