"""A row of derivatives read as linear maps, one after the other: ∂J/∂z ∂z/∂W.

∂z/∂W of a vector by a matrix has three axes and no place on paper; what is meant is the sum over what the
factors share. In index form that sum can be written, and so the row gets a value, whatever its layout.
"""

from __future__ import annotations

from dataclasses import replace

from bptt.checking.names import Unclear
from bptt.formula.tree import (
    Add,
    Derivative,
    Formula,
    Index,
    Indexed,
    Neg,
    Number,
    Product,
    Sum,
    Symbol,
    TimeProduct,
    TokenPart,
)

LETTERS = tuple(f"α{number}" for number in range(40))


class Maps:
    """Writes a formula of derivatives with an index for every axis; letters are used once."""

    def __init__(self, layout: str = "row") -> None:
        self._is_row = layout == "row"
        self._next = iter(LETTERS)

    def letters(self, count: int) -> tuple[Index, ...]:
        found = []
        for _ in range(count):
            letter = next(self._next, None)
            if letter is None:
                raise Unclear("so long a row of derivatives")
            found.append(Index(letter))
        return tuple(found)

    def whole(self, left: Formula, right: Formula) -> tuple[Formula, Formula]:
        """Both sides element by element. Unclear where the right side is no row of maps."""
        if not isinstance(left, Derivative):
            raise Unclear("a derivative on the left")
        above, below = self.letters(axes(left.top)), self.letters(axes(left.bottom))
        return self.indexed(left, above, below), self.indexed(right, above, below)

    def indexed(self, formula: Formula, above: tuple[Index, ...], below: tuple[Index, ...]) -> Formula:
        match formula:
            case Derivative(top, bottom, at):
                if axes(top) != len(above) or axes(bottom) != len(below):
                    raise Unclear("which derivative of the row is meant")
                return Derivative(_element(top, above), _element(bottom, below), at)
            case Add(terms):
                return Add(tuple(self.indexed(term, above, below) for term in terms))
            case Neg(a):
                return Neg(self.indexed(a, above, below))
            case Sum() if formula.over_times:
                return replace(formula, body=self.indexed(formula.body, above, below))
            case TimeProduct(body=Derivative()):
                return self._one_after_the_other(formula, above, below)
            case Product((only,)):
                return self.indexed(only, above, below)
            case Product((Number() as number, *rest)):
                return Product((number, self.indexed(Product(tuple(rest)), above, below)))
            case Product((first, *rest)):
                between = self.letters(_inputs(first))
                body: Formula = Product((
                    self.indexed(first, above, between),
                    self.indexed(Product(tuple(rest)), between, below),
                ))  # fmt: skip
                for index in reversed(between):
                    body = Sum(index.letter, body)
                return body
        raise Unclear("what is not a derivative in a row of them")

    def _one_after_the_other(
        self, formula: TimeProduct, above: tuple[Index, ...], below: tuple[Index, ...]
    ) -> Formula:
        """A product of maps over steps, the latest applied last; its matrices lie as the layout has them."""
        early, late = (formula.last, formula.first) if formula.falling else (formula.first, formula.last)
        if len(above) != 1 or len(below) != 1:
            raise Unclear("which derivative of the row is meant")
        if self._is_row:
            return Indexed(TimeProduct(formula.letter, late, early, formula.body, True), (*above, *below))
        return Indexed(TimeProduct(formula.letter, early, late, formula.body, False), (*below, *above))


def _inputs(formula: Formula) -> int:
    """How many axes there are on the side of what a map is applied to."""
    match formula:
        case Derivative(bottom=bottom):
            return axes(bottom)
        case Add((first, *_)) | Neg(first):
            return _inputs(first)
        case Sum(body=body) | TimeProduct(body=body):
            return _inputs(body)
        case Product((*_, last)):
            return _inputs(last)
    raise Unclear("what is not a derivative in a row of them")


def axes(formula: Formula) -> int:
    match formula:
        case Symbol(shape=shape):
            return len(shape)
        case TokenPart():
            return 1
        case Indexed():
            return 0
    raise Unclear("the derivative of a formula in a row of them")


def _element(formula: Formula, at: tuple[Index, ...]) -> Formula:
    return Indexed(formula, at) if at else formula
