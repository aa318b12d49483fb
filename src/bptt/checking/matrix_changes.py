"""Slips of matrix notation, undone: transposes, the order of factors, kinds of products, diagonals."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from itertools import product as choices

from bptt.checking.scene import Change, Place, Rule, Scene, factors_in, hadamard, product
from bptt.formula.shapes import ONE
from bptt.formula.tree import Diag, Formula, Hadamard, Neg, Product, Text, Transpose

# Of more factors only neighbours are exchanged, and single ones moved.
MOST_PERMUTED = 5


def _transpose(place: Place, scene: Scene) -> Iterator[Change]:
    return _turned(place, scene) if not isinstance(place.part, Product | Hadamard) else iter(())


def _transpose_of_a_product(place: Place, scene: Scene) -> Iterator[Change]:
    return _turned(place, scene) if isinstance(place.part, Product | Hadamard) else iter(())


def _turned(place: Place, scene: Scene) -> Iterator[Change]:
    part = place.part
    if not place.is_operand or isinstance(place.parent, Transpose):
        return
    if isinstance(part, Transpose):
        yield Change(part.operand, "transpose", (part.operand, " should not be transposed"))
    elif not scene.is_number(part) and not isinstance(part, Diag | Neg):
        yield Change(Transpose(part), "transpose", (part, " should be transposed"))


def _neighbours(place: Place, scene: Scene) -> Iterator[Change]:
    numbers, factors = _ordered(place, scene)
    for k in range(len(factors) - 1):
        left, right = factors[k : k + 2]
        if left != right:
            changed = (*numbers, *factors[:k], right, left, *factors[k + 2 :])
            yield Change(Product(changed), "order", (right, " should stand before ", left))


def _moves(place: Place, scene: Scene) -> Iterator[Change]:
    numbers, factors = _ordered(place, scene)
    for k, moved in enumerate(factors):
        rest = factors[:k] + factors[k + 1 :]
        for to in range(len(factors)):
            if abs(to - k) > 1:
                text: Text = (moved, " should stand first")
                if to > 0:
                    text = (moved, " should stand after ", rest[to - 1])
                yield Change(Product((*numbers, *rest[:to], moved, *rest[to:])), "order", text)
    for k, one in enumerate(factors):
        for to in range(k + 2, len(factors)):
            other = factors[to]
            changed = (*numbers, *factors[:k], other, *factors[k + 1 : to], one, *factors[to + 1 :])
            yield Change(Product(changed), "order", (one, " and ", other, " should change places"))


def _permutations(place: Place, scene: Scene) -> Iterator[Change]:
    numbers, factors = _ordered(place, scene)
    if 3 < len(factors) <= MOST_PERMUTED:
        for order in permutations(factors):
            changed = Product((*numbers, *order))
            yield Change(changed, "order", ("the order should be ", changed))


def _ordered(place: Place, scene: Scene) -> tuple[tuple[Formula, ...], tuple[Formula, ...]]:
    """The factors that are numbers, which may stand anywhere and come first, and the matrices."""
    factors = place.part.factors if isinstance(place.part, Product) else ()
    numbers = tuple(factor for factor in factors if scene.is_number(factor))
    return numbers, tuple(factor for factor in factors if not scene.is_number(factor))


def _other_product(place: Place, scene: Scene) -> Iterator[Change]:
    """∘ for a matrix product between two neighbours, or the other way round."""
    part = place.part
    if not isinstance(part, Product | Hadamard):
        return
    if isinstance(part, Hadamard):
        part = Hadamard(tuple(f for one in part.factors for f in _elementwise(one)))
    factors = part.factors
    for k in range(1, len(factors)):
        left, right = factors[:k], factors[k:]
        if scene.is_number(left[-1]) or scene.is_number(right[0]):
            continue
        if isinstance(part, Product):
            text = ("between ", left[-1], " and ", right[0], " should stand ∘")
            spans = {(0, len(factors)), (k - 1, k + 1), (0, k + 1), (k - 1, len(factors))}
            for start, stop in sorted(spans, key=lambda span: span[0] - span[1]):
                joined = Hadamard((product(factors[start:k]), product(factors[k:stop])))
                yield Change(product((*factors[:start], joined, *factors[stop:])), "shape", text)
        else:
            text = ("between ", left[-1], " and ", right[0], " should stand a matrix product")
            pair = product((*factors_in(left[-1]), *factors_in(right[0])))
            yield Change(hadamard((*left[:-1], pair, *right[1:])), "shape", text)
            if len(factors) > 2:
                yield Change(Product((hadamard(left), hadamard(right))), "shape", text)
    if isinstance(part, Hadamard) and len(factors) > 2:
        changed = product(factors)
        yield Change(changed, "shape", ("a matrix product should be ", changed))


def _elementwise(part: Formula) -> tuple[Formula, ...]:
    return part.factors if isinstance(part, Hadamard) else (part,)


def _across(place: Place, scene: Scene) -> Iterator[Change]:
    """Two neighbours that change places, where one stands in a product and the other beside it, behind ∘."""
    part = place.part
    if not isinstance(part, Product | Hadamard):
        return
    inner = Hadamard if isinstance(part, Product) else Product
    for k in range(len(part.factors) - 1):
        left, right = part.factors[k : k + 2]
        lefts = left.factors if isinstance(left, inner) else (left,)
        rights = right.factors if isinstance(right, inner) else (right,)
        if len(lefts) == len(rights) == 1:
            continue
        swapped = (_joined(inner, (*lefts[:-1], rights[0])), _joined(inner, (lefts[-1], *rights[1:])))
        changed = type(part)((*part.factors[:k], *swapped, *part.factors[k + 2 :]))
        yield Change(changed, "order", (rights[0], " should stand before ", lefts[-1]))


def _exchanged(place: Place, scene: Scene) -> Iterator[Change]:
    """Any two that change places, of which one stands in a product and the other beside it, behind ∘."""
    part = place.part
    if not isinstance(part, Product | Hadamard):
        return
    inner = Hadamard if isinstance(part, Product) else Product
    groups = [f.factors if isinstance(f, inner) else (f,) for f in part.factors]
    for k, first in enumerate(groups):
        for m in range(k + 1, len(groups)):
            if len(first) == len(groups[m]) == 1:
                continue
            for (a, one), (b, other) in choices(enumerate(first), enumerate(groups[m])):
                changed = list(groups)
                changed[k] = (*first[:a], other, *first[a + 1 :])
                changed[m] = (*groups[m][:b], one, *groups[m][b + 1 :])
                formula = type(part)(tuple(_joined(inner, group) for group in changed))
                yield Change(formula, "order", (one, " and ", other, " should change places"))


def _joined(kind: type[Product | Hadamard], factors: tuple[Formula, ...]) -> Formula:
    return kind(factors) if len(factors) > 1 else factors[0]


def _side_by_side(place: Place, scene: Scene) -> Iterator[Change]:
    """Several vectors in a row that are meant to be multiplied element by element, as in δ h (1 − h)."""
    factors = place.part.factors if isinstance(place.part, Product) else ()
    for start in range(len(factors)):
        for first in range(start + 1, len(factors)):
            if scene.is_number(factors[first]):
                continue
            for stop in range(first + 2, len(factors) + 1):
                if not scene.same_shape(factors[first], factors[stop - 1]):
                    break
                joined = hadamard((product(factors[start:first]), *factors[first:stop]))
                changed = product((*factors[:start], joined, *factors[stop:]))
                yield Change(changed, "shape", ("∘ should stand in ", joined))


def _brackets(place: Place, scene: Scene) -> Iterator[Change]:
    """A vector multiplies, element by element, other factors of a product than those it stands at."""
    part = place.part
    if isinstance(part, Hadamard):
        # What stands in no product, and a product beside it that it could be a part of.
        products = [k for k, factor in enumerate(part.factors) if isinstance(factor, Product)]
        for k in products:
            inner = part.factors[k]
            assert isinstance(inner, Product)
            others = part.factors[:k] + part.factors[k + 1 :]
            yield from _regrouped(inner.factors, others, before=k > 0)
    elif isinstance(part, Product):
        for k, factor in enumerate(part.factors):
            if isinstance(factor, Hadamard):
                for m, first in enumerate(factor.factors):
                    others = factor.factors[:m] + factor.factors[m + 1 :]
                    flat = (*part.factors[:k], *factors_in(first), *part.factors[k + 1 :])
                    yield from _regrouped(flat, others, before=m > 0)


def _regrouped(factors: tuple[Formula, ...], others: tuple[Formula, ...], before: bool) -> Iterator[Change]:
    for start in range(len(factors)):
        for stop in range(start + 1, len(factors) + 1):
            group = product(factors[start:stop])
            joined = Hadamard((*others, group) if before else (group, *others))
            text = (hadamard(others), " should multiply ", group, " element by element")
            yield Change(product((*factors[:start], joined, *factors[stop:])), "order", text)


def _diagonal(place: Place, scene: Scene) -> Iterator[Change]:
    part = place.part
    if isinstance(part, Diag):
        yield Change(part.operand, "shape", (part.operand, " should be a vector and no diagonal matrix"))
    elif isinstance(place.parent, Product) and not place.is_name:
        shape = scene.shape(part)
        if shape is not None and (shape[0] == ONE) != (shape[1] == ONE):
            vector = part.operand if isinstance(part, Transpose) else part
            yield Change(Diag(vector), "shape", (vector, " should stand on the diagonal of a matrix"))


RULES: tuple[tuple[float, Rule], ...] = (
    (1.0, _transpose),
    (1.05, _neighbours),
    (1.1, _across),
    (1.2, _other_product),
    (1.25, _side_by_side),
    (1.25, _diagonal),
    (1.3, _moves),
    (1.3, _exchanged),
    (1.3, _brackets),
    (1.5, _transpose_of_a_product),
    (1.8, _permutations),
)
