"""The dimension check of a product, written out: `h×V = (h×1)(1×V)`."""

from __future__ import annotations

from bptt.derivation.steps import Chain
from bptt.formula.shapes import NUMBER, Pair, shape_of
from bptt.formula.tree import (
    Add,
    Apply,
    Diag,
    Formula,
    Hadamard,
    Neg,
    Power,
    Product,
    Quotient,
    Size,
    Sum,
    Text,
    TimeProduct,
    Transpose,
)

# How tightly the signs between shapes bind: sums, element by element, side by side.
SUM, ELEMENTWISE, SIDE_BY_SIDE, ATOM = range(4)


def dimension_check(chain: Chain, layout: str) -> Text:
    """Rows × columns of the left side, and of every factor of the result."""
    return (*pair_text(shape_of(chain.left, layout)), " = ", *_show(chain.result, layout, SUM))


def pair_text(shape: Pair) -> Text:
    """Rows × columns in words."""
    return Size(shape[0]), "×", Size(shape[1])


def _show(formula: Formula, layout: str, outer: int) -> Text:
    text, strength = _parts(formula, layout)
    return ("{", *text, "}") if strength < outer else text


def _parts(formula: Formula, layout: str) -> tuple[Text, int]:
    match formula:
        case Neg(a):
            return _parts(a, layout)
        case Sum(body=a) | TimeProduct(body=a):
            return _show(a, layout, ATOM), ATOM
        case Add(terms) if _are_alike(terms, layout) and any(_is_compound(term) for term in terms):
            return _between(" + ", [_show(term, layout, SUM + 1) for term in terms]), SUM
        case Hadamard(factors):
            return _between(" ∘ ", [_show(f, layout, ELEMENTWISE + 1) for f in factors]), ELEMENTWISE
        case Quotient(a, b):
            return _between(" / ", [_show(a, layout, SIDE_BY_SIDE), _show(b, layout, ATOM)]), ELEMENTWISE
        case Product(factors):
            parts = [f for f in factors if shape_of(f, layout) != NUMBER] or list(factors)
            return _between(" ", [_show(f, layout, SIDE_BY_SIDE) for f in parts]), SIDE_BY_SIDE
        case _:
            return ("(", *pair_text(shape_of(formula, layout)), ")"), ATOM


def _are_alike(terms: tuple[Formula, ...], layout: str) -> bool:
    """Whether no number stands beside a vector, as in 1 - h: such a sum has the shape of the vector."""
    return len({shape_of(term, layout) == NUMBER for term in terms}) == 1


def is_worth_a_check(chain: Chain, layout: str) -> bool:
    """Whether the result is more than one part with the shape of the left side."""
    return len(_show(chain.result, layout, SUM)) > len(("(", *pair_text(NUMBER), ")"))


def _between(sign: str, parts: list[Text]) -> Text:
    text: Text = parts[0]
    for part in parts[1:]:
        text = (*text, sign, *part)
    return text


def _is_compound(formula: Formula) -> bool:
    match formula:
        case Neg(a) | Apply(argument=a) | Power(base=a):
            return _is_compound(a)
        case Transpose() | Diag():
            return False
        case _:
            return isinstance(formula, Product | Hadamard)
