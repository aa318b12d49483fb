"""What people do to formulas by mistake, undone: one rule for each kind of slip, in a table with its cost.

A rule looks at one part of a formula and gives what could stand there instead. The costs order the rules by
how readily a reader would believe the explanation: an index, a transpose or the order of two factors sooner
than a factor that was left out, and that sooner than one that is another altogether.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import permutations

from bptt.checking.pool import negated
from bptt.checking.scene import Change, Place, Scene, factors_in, hadamard, product
from bptt.checking.supplies import RULES as SUPPLIES
from bptt.formula.shapes import ONE
from bptt.formula.tree import (
    Add,
    Apply,
    Derivative,
    Diag,
    Formula,
    Hadamard,
    Indexed,
    Kronecker,
    Neg,
    Number,
    Power,
    Product,
    Sum,
    Symbol,
    TimeProduct,
    Transpose,
    children,
    shift_time,
)

Rule = Callable[[Place, Scene], Iterator[Change]]
# Of more factors only neighbours are exchanged, and single ones moved.
MOST_PERMUTED = 5
_OF_VECTORS = frozenset({"softmax", "log_softmax", "logsumexp", "sum"})


# Signs.


def _sign_of_a_term(place: Place, scene: Scene) -> Iterator[Change]:
    return _signs(place, of_numbers=False)


def _sign_of_a_number(place: Place, scene: Scene) -> Iterator[Change]:
    return _signs(place, of_numbers=True)


def _signs(place: Place, of_numbers: bool) -> Iterator[Change]:
    if isinstance(place.part, Add):
        terms = place.part.terms
        for k, term in enumerate(terms):
            if isinstance(_plain(term), Number) == of_numbers:
                turned = Add((*terms[:k], negated(term), *terms[k + 1 :]))
                yield Change(turned, "sign", ("the sign of ", _plain(term), " is the other way round"), term)


def _plain(term: Formula) -> Formula:
    return term.operand if isinstance(term, Neg) else term


# Matrices: transposes, order, kinds of products.


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
    factors = _ordered(place, scene)
    for k in range(len(factors) - 1):
        left, right = factors[k : k + 2]
        if left != right:
            changed = (*factors[:k], right, left, *factors[k + 2 :])
            yield Change(Product(changed), "order", (right, " should stand before ", left))


def _moves(place: Place, scene: Scene) -> Iterator[Change]:
    factors = _ordered(place, scene)
    for k, moved in enumerate(factors):
        rest = factors[:k] + factors[k + 1 :]
        for to in range(len(factors)):
            if abs(to - k) > 1:
                changed = Product((*rest[:to], moved, *rest[to:]))
                text = (
                    (moved, " should stand first")
                    if to == 0
                    else (moved, " should stand after ", rest[to - 1])
                )
                yield Change(changed, "order", text)
    for k in range(len(factors)):
        for to in range(k + 2, len(factors)):
            exchanged = list(factors)
            exchanged[k], exchanged[to] = factors[to], factors[k]
            yield Change(
                Product(tuple(exchanged)),
                "order",
                (factors[k], " and ", factors[to], " should change places"),
            )


def _permutations(place: Place, scene: Scene) -> Iterator[Change]:
    factors = _ordered(place, scene)
    if 3 < len(factors) <= MOST_PERMUTED:
        for changed in permutations(factors):
            yield Change(Product(changed), "order", ("the order should be ", Product(changed)))


def _ordered(place: Place, scene: Scene) -> tuple[Formula, ...]:
    """The factors of a product of matrices; numbers may stand anywhere in it and are put in front."""
    if not isinstance(place.part, Product):
        return ()
    factors = place.part.factors
    matrices = tuple(factor for factor in factors if not scene.is_number(factor))
    return matrices if len(matrices) == len(factors) else ()


def _other_product(place: Place, scene: Scene) -> Iterator[Change]:
    """∘ for a matrix product between two neighbours, or the other way round."""
    part = place.part
    if not isinstance(part, Product | Hadamard):
        return
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


# Indices.


def _index(place: Place, scene: Scene) -> Iterator[Change]:
    part = place.part
    if isinstance(part, Indexed):
        for k, index in enumerate(part.indices):
            for letter in scene.letters_for(part, k):
                changed = (*part.indices[:k], replace(index, letter=letter), *part.indices[k + 1 :])
                yield _renamed(part, replace(part, indices=changed), index.letter, letter)
    elif isinstance(part, Kronecker):
        for letter in scene.letters:
            if letter != part.left.letter:
                left = replace(part.left, letter=letter)
                yield _renamed(part, replace(part, left=left), part.left.letter, letter)
            if letter != part.right.letter:
                right = replace(part.right, letter=letter)
                yield _renamed(part, replace(part, right=right), part.right.letter, letter)


def _renamed(before: Formula, after: Formula, old: str, new: str) -> Change:
    return Change(after, "index", (f"the index {old} of ", before, f" should be {new}"))


def _index_of_a_factor(place: Place, scene: Scene) -> Iterator[Change]:
    """One letter for another in all of a part that has it more than once."""
    part = place.part
    if isinstance(part, Indexed | Kronecker | Symbol | Derivative) or place.parent is None:
        return
    for old in scene.letters_in(part):
        if sum(old in scene.letters_in(inner) for inner in children(part)) == 1:
            continue
        for new in scene.letters:
            changed = scene.renamed(part, {old: new}) if new != old else None
            if changed is not None:
                yield _renamed(part, changed, old, new)


def _swapped_indices(place: Place, scene: Scene) -> Iterator[Change]:
    part = place.part
    if isinstance(part, Indexed) and len(part.indices) == 2 and part.indices[0] != part.indices[1]:
        changed = replace(part, indices=part.indices[::-1])
        yield Change(changed, "index", (part, " should be ", changed))


def _exchanged_letters(place: Place, scene: Scene) -> Iterator[Change]:
    if isinstance(place.part, Indexed | Kronecker | Derivative):
        return
    own = sorted(scene.letters_in(place.part))
    for k, one in enumerate(own):
        for other in own[k + 1 :]:
            changed = scene.renamed(place.part, {one: other, other: one})
            if changed is not None:
                yield Change(changed, "index", (f"{one} and {other} should change places in ", place.part))


def _letter_of_a_sum(place: Place, scene: Scene) -> Iterator[Change]:
    part = place.part
    if isinstance(part, Sum) and not part.over_times:
        for letter in scene.letters_in(part.body):
            if letter != part.letter:
                text = (f"the sum should run over {letter} and not over {part.letter}",)
                yield Change(replace(part, letter=letter, size=None), "index", text)


def _stray_index(place: Place, scene: Scene) -> Iterator[Change]:
    part = place.part
    if isinstance(part, Indexed) and not place.is_name:
        foot = ", ".join(index.letter for index in part.indices)
        yield Change(part.base, "typo", (f"the index {foot} does not belong at ", part.base))


def _missing_index(place: Place, scene: Scene) -> Iterator[Change]:
    part = place.part
    if isinstance(place.parent, Indexed | Diag | Apply) or not place.is_operand:
        return
    if isinstance(part, Symbol | Derivative | Add | Hadamard | Product | Apply):
        for indexed in scene.elements(part):
            foot = ", ".join(index.letter for index in indexed.indices)
            text = (f"the index {foot} is missing at ", part)
            yield Change(indexed, "index", text)


# Times.


def _time(place: Place, scene: Scene) -> Iterator[Change]:
    match place.part:
        case Symbol(time=time) as part if time is not None:
            for steps in (-1, 1):
                later = replace(part, time=time.shift(steps))
                yield Change(later, "index", (part, " should be ", later))
        case Derivative(at=at) as part if at is not None:
            for steps in (-1, 1):
                moved = replace(part, at=at.shift(steps))
                yield Change(moved, "index", (part, " should be ", moved))
        case Sum(lower=lower, upper=upper) as part:
            for steps in (-1, 1):
                if lower is not None:
                    yield _bounds(replace(part, lower=lower.shift(steps)), part)
                if upper is not None:
                    yield _bounds(replace(part, upper=upper.shift(steps)), part)
        case TimeProduct(first=first, last=last) as part:
            for steps in (-1, 1):
                yield _bounds(replace(part, first=first.shift(steps)), part)
                yield _bounds(replace(part, last=last.shift(steps)), part)
            turned = replace(part, first=last, last=first, falling=not part.falling)
            yield Change(turned, "order", ("the steps should stand in the other order: ", turned))


def _bounds(part: Formula, before: Formula) -> Change:
    return Change(part, "index", (before, " should be ", part))


def _time_of_a_part(place: Place, scene: Scene) -> Iterator[Change]:
    part = place.part
    if isinstance(part, Symbol) or not (place.is_operand or isinstance(place.parent, Apply | Diag)):
        return
    for letter in scene.times_in(part):
        # Where only one part of it has the time, it is that part that is at fault.
        if sum(letter in scene.times_in(inner) for inner in children(part)) != 1:
            for steps in (-1, 1):
                later = shift_time(part, steps, letter)
                yield Change(later, "index", (part, " should be ", later))


# Functions and powers.


def _prime(place: Place, scene: Scene) -> Iterator[Change]:
    part = place.part
    if isinstance(part, Apply) and part.function not in _OF_VECTORS:
        changed = replace(part, prime=not part.prime)
        yield Change(changed, "typo", (part, " should be ", changed))


def _square(place: Place, scene: Scene) -> Iterator[Change]:
    part = place.part
    if isinstance(part, Power) and part.exponent == 2:
        yield Change(part.base, "extra", ("the exponent of ", part, " is too much"))
    elif isinstance(place.parent, Add | Neg | Product | Hadamard) and place.is_operand:
        if isinstance(part, Indexed):
            yield Change(Power(part, 2.0), "missing-factor", (part, " should be squared"))
        elif isinstance(part, Symbol | Apply) and isinstance(place.parent, Add | Neg):
            squared: Formula = Power(part, 2.0) if scene.is_number(part) else Hadamard((part, part))
            yield Change(squared, "missing-factor", (part, " should be squared"))


def _complement(place: Place, scene: Scene) -> Iterator[Change]:
    """1 − z and z, which are easily taken for one another."""
    part = place.part
    match part:
        case Add((Number(1.0), Neg(a))):
            yield Change(a, "extra", (part, " should be ", a))
        case Symbol() | Indexed() if isinstance(place.parent, Product | Hadamard | Diag) and place.is_operand:
            other = Add((Number(1.0), Neg(part)))
            yield Change(other, "missing-term", (part, " should be ", other))


def _slope(place: Place, scene: Scene) -> Iterator[Change]:
    """The derivative of tanh, 1 − h∘h, and that of the sigmoid, h∘(1 − h)."""
    part = place.part
    match part:
        case Add((Number(1.0), Neg(Hadamard((a, b))))) if a == b:
            sigmoid = hadamard((a, Add((Number(1.0), Neg(a)))))
            yield Change(sigmoid, "missing-factor", (part, " should be ", sigmoid))
        case Add((Number(1.0), Neg(Power(a, 2.0)))):
            pair = a, Add((Number(1.0), Neg(a)))
            sigmoid = Product(pair) if scene.is_number(a) else Hadamard(pair)
            yield Change(sigmoid, "missing-factor", (part, " should be ", sigmoid))
        case Product(factors) | Hadamard(factors):
            for k, factor in enumerate(factors):
                one_minus = Add((Number(1.0), Neg(factor)))
                if one_minus in factors:
                    other = factors.index(one_minus)
                    squared = Power(factor, 2.0) if scene.is_number(factor) else Hadamard((factor, factor))
                    tanh = Add((Number(1.0), Neg(squared)))
                    rest = tuple(tanh if n == k else f for n, f in enumerate(factors) if n != other)
                    changed = rest[0] if len(rest) == 1 else type(part)(rest)
                    wrong = type(part)((factor, one_minus))
                    yield Change(changed, "missing-factor", (wrong, " should be ", tanh))


# What is too much.


def _extra_factor(place: Place, scene: Scene) -> Iterator[Change]:
    part = place.part
    if isinstance(part, Product | Hadamard):
        for k, factor in enumerate(part.factors):
            rest = part.factors[:k] + part.factors[k + 1 :]
            left = product(rest) if isinstance(part, Product) else hadamard(rest)
            yield Change(left, "extra", ("the factor ", factor, " is too much"), factor)


def _extra_term(place: Place, scene: Scene) -> Iterator[Change]:
    part = place.part
    if isinstance(part, Add):
        for k, term in enumerate(part.terms):
            rest = part.terms[:k] + part.terms[k + 1 :]
            yield Change(
                rest[0] if len(rest) == 1 else Add(rest),
                "extra",
                ("the term ", _plain(term), " is too much"),
                term,
            )


def _extra_sum(place: Place, scene: Scene) -> Iterator[Change]:
    part = place.part
    if isinstance(part, Sum):
        yield Change(part.body, "extra", (f"the sum over {part.letter} is too much",))


RULES: tuple[tuple[float, Rule], ...] = tuple(sorted((
    (0.9, _stray_index),
    (1.0, _sign_of_a_term),
    (1.0, _transpose),
    (1.5, _transpose_of_a_product),
    (1.6, _sign_of_a_number),
    (1.5, _slope),
    (1.0, _index),
    (1.0, _time),
    (1.0, _prime),
    (1.05, _neighbours),
    (1.05, _swapped_indices),
    (1.15, _index_of_a_factor),
    (1.2, _other_product),
    (1.2, _time_of_a_part),
    (1.25, _diagonal),
    (1.3, _moves),
    (1.3, _brackets),
    (1.3, _letter_of_a_sum),
    (1.3, _missing_index),
    (1.3, _square),
    (1.4, _exchanged_letters),
    (1.5, _extra_factor),
    (1.5, _extra_sum),
    (1.6, _complement),
    (1.8, _permutations),
    (2.0, _extra_term),
    *SUPPLIES,
), key=lambda row: row[0]))  # fmt: skip
