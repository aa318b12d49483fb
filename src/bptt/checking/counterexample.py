"""Numbers that show that a claim does not hold: one telling element, or the shapes of what does not fit."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bptt.checking.names import Unclear
from bptt.checking.report import Counterexample
from bptt.checking.values import Values
from bptt.formula.evaluate import Unbound
from bptt.formula.shapes import NonConforming, Undefined
from bptt.formula.tensor import Disagreeing, Tensor
from bptt.formula.tree import Formula, Indexed, Symbol, children
from bptt.render.unicode import show

NO_VALUE = "no value"


def counterexample(values: Values, left: Formula, right: Formula, sign: float = 1.0) -> Counterexample | None:
    """What the claim `left = right` says at the point of the values, and what is right there: `sign` times
    the left side. None where the two agree, or cannot be compared.
    """
    try:
        truth = values(left)
    except (NonConforming, Unbound, Unclear, KeyError, IndexError, ValueError):
        return None
    letters = dict(zip(truth.letters, truth.array.shape, strict=False))
    try:
        claimed = values(right, letters)
    except Undefined:
        return None
    except NonConforming as misfit:
        shapes = ", ".join(_shapes(misfit, values, letters))
        return Counterexample(NO_VALUE, _size(truth), shapes) if shapes else None
    except (Unbound, KeyError, IndexError, ValueError):
        return None
    if claimed.axes != truth.axes or claimed.array.shape != truth.array.shape:
        return Counterexample(_size(claimed), _size(truth)) if _size(claimed) != _size(truth) else None
    difference = np.abs(claimed.array - sign * truth.array)
    if not np.any(difference > 0):
        return None
    place = np.unravel_index(int(np.argmax(difference)), difference.shape)
    return Counterexample(
        _number(claimed.array[place]), _number(sign * truth.array[place]), at=_at(truth, place)
    )


def _number(value: float) -> str:
    return f"{float(value):.3g}".replace("-", "−")


def _size(value: Tensor) -> str:
    """A matrix by its rows and columns, anything else by what it has an element for."""
    if value.is_matrix:
        rows, columns = value.pair
        return f"a {rows}×{columns} matrix"
    return "a number" + (f" for each {', '.join(value.letters)}" if value.letters else "")


def _at(value: Tensor, place: tuple[np.intp, ...]) -> str:
    """The element in words, counted from 1."""
    named = [f"{letter} = {k + 1}" for letter, k in zip(value.letters, place, strict=False)]
    if value.is_matrix:
        row, column = place[-2:]
        rows, columns = value.pair
        if rows > 1 and columns > 1:
            named.append(f"row {row + 1}, column {column + 1}")
        else:
            named.append(f"element {max(row, column) + 1}")
    return ", ".join(named)


def _shapes(misfit: NonConforming, values: Values, letters: dict[str, int]) -> Iterator[str]:
    """Of an index, how far it runs where; of a product or a sum, the rows and columns of its parts."""
    if isinstance(misfit, Disagreeing):
        # One place for each size is enough.
        first: dict[int, str] = {}
        for size, where in _extents(misfit.formula, misfit.letter, values):
            first.setdefault(size, where)
        yield from (f"{misfit.letter} runs to {size} in {where}" for size, where in first.items())
        return
    for part in children(misfit.formula):
        try:
            rows, columns = values(part, letters).pair
        except (NonConforming, Unbound, KeyError, IndexError, ValueError):
            continue
        yield f"{show(part)}: {rows}×{columns}"


def _extents(formula: Formula, letter: str, values: Values) -> Iterator[tuple[int, str]]:
    """How far the letter runs in each element that has it."""
    match formula:
        case Indexed(Symbol(shape=shape), indices) if len(shape) == len(indices):
            for index, size in zip(indices, shape, strict=True):
                if index.letter == letter:
                    yield size.evaluate(values.world.sizes), show(formula)
    for part in children(formula):
        yield from _extents(part, letter, values)
