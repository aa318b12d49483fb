"""Factors in a row: what binds what. `A B ∘ C D` has three readings."""

from __future__ import annotations

from bptt.checking.names import Unclear
from bptt.formula.tree import Add, Apply, Formula, Hadamard, Neg, Number, Product, Quotient, Symbol

HADAMARD = frozenset({"∘", "*"})


def multiplied(factors: list[Formula], signs: tuple[str, ...], products: str) -> Formula:
    """Factors in a row, in an order of binding (`products` of a meanings.Mode)."""
    values, signs = _with_slopes(factors, signs)
    if products == "pointwise" and "/" not in signs:
        return Hadamard(tuple(values)) if not isinstance(values[0], Number) else Product(tuple(values))
    if not any(sign in HADAMARD for sign in signs):
        return side_by_side(values, list(signs))
    match products:
        case "loose":
            groups = _split(values, signs, HADAMARD)
            return Hadamard(tuple(side_by_side(g, list(s)) for g, s in groups))
        case "tight":
            others = frozenset(signs) - HADAMARD
            groups = _split(values, signs, others)
            joined = [g[0] if len(g) == 1 else Hadamard(tuple(g)) for g, _ in groups]
            between = [sign for sign in signs if sign not in HADAMARD]
            return side_by_side(joined, between)
        case _:
            result = values[0]
            for value, sign in zip(values[1:], signs, strict=True):
                if sign in HADAMARD:
                    result = Hadamard((result, value))
                else:
                    result = side_by_side([result, value], [sign])
            return result


def side_by_side(values: list[Formula], signs: list[str]) -> Formula:
    """A matrix product, or a quotient where a stroke stands."""
    result: list[Formula] = [values[0]]
    for value, sign in zip(values[1:], signs, strict=True):
        if sign == "/":
            result = [Quotient(Product(tuple(result)) if len(result) > 1 else result[0], value)]
        elif sign in ("", "·", "×", "@"):
            result.append(value)
        else:
            raise Unclear(f"the sign {sign}")
    return result[0] if len(result) == 1 else Product(tuple(result))


def _with_slopes(values: list[Formula], signs: tuple[str, ...]) -> tuple[list[Formula], tuple[str, ...]]:
    """h (1 - h) side by side as one factor: there is no such product of vectors, and it is clear what is
    meant.
    """
    found, between = [values[0]], list[str]()
    for value, sign in zip(values[1:], signs, strict=True):
        pair = found[-1], value
        if sign in ("", "·", "×") and (_is_complement(*pair) or _is_complement(*reversed(pair))):
            found[-1] = Hadamard(pair)
        else:
            found.append(value)
            between.append(sign)
    return found, tuple(between)


def _is_complement(one: Formula, other: Formula) -> bool:
    """Whether the other is 1 minus the one."""
    is_vector = isinstance(one, Apply) or (isinstance(one, Symbol) and len(one.shape) == 1)
    return is_vector and other == Add((Number(1.0), Neg(one)))


def _split(
    values: list[Formula], signs: tuple[str, ...], at: frozenset[str]
) -> list[tuple[list[Formula], list[str]]]:
    """The factors in groups, parted where one of the signs stands."""
    groups: list[tuple[list[Formula], list[str]]] = [([values[0]], [])]
    for value, sign in zip(values[1:], signs, strict=True):
        if sign in at:
            groups.append(([value], []))
        else:
            groups[-1][0].append(value)
            groups[-1][1].append(sign)
    return groups
