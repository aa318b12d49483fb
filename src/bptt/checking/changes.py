"""What people do to formulas by mistake, undone: one rule for each kind of slip, in a table with its cost.

A rule looks at one part of a formula and gives what could stand there instead. The costs order the rules by
how readily a reader would believe the explanation: an index, a transpose or the order of two factors sooner
than a factor that was left out, and that sooner than one that is another altogether.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bptt.checking import index_changes, matrix_changes, supplies
from bptt.checking.pool import negated
from bptt.checking.scene import Change, Place, Rule, Scene, hadamard, product
from bptt.formula.tree import (
    Add,
    Apply,
    Diag,
    Formula,
    Hadamard,
    Indexed,
    Neg,
    Number,
    Power,
    Product,
    Sum,
    Symbol,
)

_OF_VECTORS = frozenset({"softmax", "log_softmax", "logsumexp", "sum"})


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
                    yield Change(changed, "missing-factor", (wrong, " should be ", tanh), factors[other])


# What is too much.


def _extra_factor(place: Place, scene: Scene) -> Iterator[Change]:
    part = place.part
    if isinstance(part, Product | Hadamard) and len(part.factors) > 1:
        for k, factor in enumerate(part.factors):
            rest = part.factors[:k] + part.factors[k + 1 :]
            left = product(rest) if isinstance(part, Product) else hadamard(rest)
            yield Change(left, "extra", ("the factor ", factor, " is too much"), factor)


def _extra_term(place: Place, scene: Scene) -> Iterator[Change]:
    part = place.part
    if isinstance(part, Add) and len(part.terms) > 1:
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


# All rules, the cheapest first.
RULES: tuple[tuple[float, Rule], ...] = tuple(sorted((
    (1.0, _sign_of_a_term),
    (1.0, _prime),
    (1.3, _square),
    (1.5, _slope),
    (1.5, _extra_factor),
    (1.5, _extra_sum),
    (1.6, _sign_of_a_number),
    (1.6, _complement),
    (2.0, _extra_term),
    *matrix_changes.RULES,
    *index_changes.RULES,
    *supplies.RULES,
), key=lambda row: row[0]))  # fmt: skip
