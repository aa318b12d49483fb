"""Where a claim is said to hold: for w ≠ o, for i = k. Elsewhere its two sides may be anything.

What is said of places of letters is applied to the values of both sides. Under any other condition that could
change what is claimed (z > 0, "otherwise") a claim may turn out to hold in general, but is not called wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bptt.checking.names import TIMES, USUAL_INDICES, index_name
from bptt.checking.written import Bracketed, Letter, Listed, Numeral, Relation, Scripts, Written
from bptt.formula.tensor import Tensor


@dataclass(frozen=True)
class Restriction:
    """Pairs of letters, each with whether they stand at equal places or at different ones; it is `unclear`
    where more is said than that.
    """

    pairs: tuple[tuple[str, str, bool], ...] = ()
    unclear: bool = False

    @property
    def letters(self) -> tuple[str, ...]:
        return tuple(letter for one, other, _ in self.pairs for letter in (one, other))

    def held(self, value: Tensor, places: Mapping[str, int]) -> Tensor:
        """The value, with 0 at the places of which nothing is said. Letters that stand nowhere in it and have
        no place restrict nothing.
        """
        array = value.array
        for one, other, equal in self.pairs:
            first, second = _positions(value, one, places), _positions(value, other, places)
            if first is not None and second is not None:
                array = array * ((first == second) == equal)
        return value if array is value.array else Tensor(array, value.axes)


EVERYWHERE = Restriction()


def _positions(value: Tensor, letter: str, places: Mapping[str, int]) -> np.ndarray | None:
    if letter in value.axes:
        axis = value.axes.index(letter)
        shape = [1] * value.array.ndim
        shape[axis] = -1
        return np.arange(value.array.shape[axis]).reshape(shape)
    return np.asarray(places[letter]) if letter in places else None


def restriction(conditions: tuple[Written, ...]) -> Restriction:
    """What the conditions of a statement say."""
    pairs: list[tuple[str, str, bool]] = []
    unclear = False
    for condition in conditions:
        match condition:
            case Relation((Letter() as one, Letter() as other), ("=" | "≠" as sign,)) if _is_index(
                one
            ) and _is_index(other):
                pairs.append((index_name(one), index_name(other), sign == "="))
            case Relation((Letter() as one, *rest), (_, *_)) if _counts(one) and all(map(_is_range, rest)):
                continue
            case _:
                unclear = True
    return Restriction(tuple(pairs), unclear)


def _is_index(letter: Letter) -> bool:
    return not letter.scripts.below and len(letter.name) == 1 and letter.name.islower()


def _counts(letter: Letter) -> bool:
    return letter.name in USUAL_INDICES | TIMES and letter.scripts == Scripts()


def _is_range(node: Written) -> bool:
    """Several values, or the name of how many there are."""
    match node:
        case Listed(items):
            return len(items) > 1
        case Bracketed(inner=inner):
            return _is_range(inner)
        case Letter(name=name):
            return name.isupper()
        case Numeral():
            return False
    return False
