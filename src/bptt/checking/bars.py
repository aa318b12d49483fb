"""Bars with words: `∂J/∂c_t |_{from h_t}` is what arrives by way of h_t, `|_{gates fixed}` what step t alone
makes of it.
"""

from __future__ import annotations

from collections.abc import Callable

from bptt.checking.written import Chain, Letter, Written
from bptt.formula.tree import Derivative, Formula, Product, Symbol, Transpose

Arrange = Callable[[Formula, Formula], Formula]
# The beginnings of words that say that something is held.
_HELD = ("fixed", "fix", "held", "const", "konst", "fest", "direct", "immediate", "direkt", "固定")
# Words that lead to what is gone through.
_BY_WAY = frozenset({"from", "through", "via", "über", "durch", "par", "por", "通过", "经"})


def has_words(where: tuple[Written, ...]) -> bool:
    """Whether there are words at the bar."""
    return any(len(letter.name) > 1 for item in where for letter in _letters(item))


def with_words(
    value: Derivative, where: tuple[Written, ...], read: Callable[[Written], Formula], arrange: Arrange
) -> Formula | None:
    """The derivative that is meant; None where the words are not known. `read` reads a quantity, `arrange`
    puts a derivative of J and a Jacobian together.
    """
    letters = [letter for item in where for letter in _letters(item)]
    words = [letter.name for letter in letters if len(letter.name) > 1]
    pieces = [piece.lower() for word in words for piece in word.split("_")]
    if any(piece.startswith(_HELD) for piece in pieces):
        return _within_step(value)
    quantities = [letter for letter in letters if letter.name not in words]
    if set(pieces) <= _BY_WAY and len(quantities) == 1:
        by = read(quantities[0])
        if isinstance(by, Symbol) and by.time is not None:
            return arrange(Derivative(value.top, by), Derivative(by, value.bottom))
    return None


def _within_step(value: Derivative) -> Derivative | None:
    """Through the step of what is derived alone."""
    top, bottom = value.top, value.bottom
    if not isinstance(top, Symbol) or not isinstance(bottom, Symbol) or top.time is None:
        return None
    return Derivative(top, bottom, top.time)


def _letters(item: Written) -> tuple[Letter, ...]:
    match item:
        case Letter():
            return (item,)
        case Chain(factors=factors):
            return tuple(factor for factor in factors if isinstance(factor, Letter))
    return ()


def arranged(layout: str, flipped: bool, lying: bool) -> Arrange:
    """How ∂J/∂h and ∂h/∂c are multiplied in a layout: see meaning.Mode."""

    def put(outer: Formula, jacobian: Formula) -> Formula:
        if layout == "row":
            return Product((outer, Transpose(jacobian) if flipped else jacobian))
        if lying:
            return Product((outer, jacobian))
        return Product((Transpose(jacobian) if flipped else jacobian, outer))

    return put
