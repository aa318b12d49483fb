"""What a wrong formula may lack: the factors and terms of the right one, and over what its letters run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from bptt.formula.letters import is_total
from bptt.formula.shapes import NUMBER, NonConforming, shape_of
from bptt.formula.tree import (
    Add,
    Derivative,
    Formula,
    Hadamard,
    Indexed,
    Kronecker,
    Neg,
    Number,
    Product,
    Quotient,
    Sum,
    Symbol,
    TimeProduct,
    TokenPart,
    Transpose,
    children,
    rebuild,
)
from bptt.ir.dims import ZERO, Dim

# Over what the letters that stand free in a formula run; None where their uses do not say.
Letters = Mapping[str, "Dim | None"]
# So many neighbours, at most, are left out together.
MOST_TOGETHER = 4


@dataclass(frozen=True)
class Pool:
    """`factors` and `terms` may be put in, `wholes` are sums and products that may be completed,
    `sums` say over which letters or times a sum may be put, and `letters` are those that stand free in what
    is right.
    """

    factors: tuple[Formula, ...] = ()
    terms: tuple[Formula, ...] = ()
    wholes: tuple[Add | Product | Hadamard, ...] = ()
    sums: tuple[Sum, ...] = ()
    letters: tuple[str, ...] = ()

    def __add__(self, other: Pool) -> Pool:
        """What is in one or the other."""
        both = zip(vars(self).items(), vars(other).values(), strict=True)
        return Pool(**{name: tuple(dict.fromkeys(ours + theirs)) for (name, ours), theirs in both})


def pool_of(formula: Formula) -> Pool:
    """What is in a right formula, deep inside too; short factors as they are and transposed."""
    factors: list[Formula] = []
    for factor in factors_of(formula):
        factors.append(factor)
        if not isinstance(factor, Product | Hadamard | Sum | TimeProduct) and not _is_number(factor):
            factors.append(factor.operand if isinstance(factor, Transpose) else Transpose(factor))
    parts = tuple(dict.fromkeys(parts_of(formula)))
    wholes = dict.fromkeys((*parts, *factors))
    return Pool(
        tuple(dict.fromkeys(factors)),
        tuple(dict.fromkeys(summands_of(formula))),
        tuple(part for part in wholes if isinstance(part, Add | Product | Hadamard)),
        tuple(part for part in parts if isinstance(part, Sum)),
        tuple(letters_of(formula)),
    )


def parts_of(formula: Formula) -> Iterator[Formula]:
    """The formula and all its parts, from the outside in."""
    yield formula
    for part in children(formula):
        yield from parts_of(part)


def terms_of(formula: Formula) -> tuple[Formula, ...]:
    """The terms of a sum, however its brackets stand; every other formula is one term."""
    match formula:
        case Add(terms):
            return tuple(part for term in terms for part in terms_of(term))
        case Neg(Add(terms)):
            return tuple(negated(part) for term in terms for part in terms_of(term))
        case Neg(Neg(a)):
            return terms_of(a)
    return (formula,)


def negated(formula: Formula) -> Formula:
    """The negative, with as few signs as may be: y − ŷ for ŷ − y, also where that is a factor."""
    match formula:
        case Neg(a):
            return a
        case Add(terms) if any(isinstance(term, Neg) for term in terms):
            return Add(_positive_first(tuple(negated(term) for term in terms)))
        case Product(factors) | Hadamard(factors):
            for k, factor in enumerate(factors):
                if _is_difference(factor):
                    return type(formula)((*factors[:k], negated(factor), *factors[k + 1 :]))
        case Sum(letter, body, size, lower, upper) if not isinstance(negated(body), Neg):
            return Sum(letter, negated(body), size, lower, upper)
    return Neg(formula)


def sign_of(formula: Formula) -> Formula:
    """The part at which a sign changes when the formula is `negated`."""
    match formula:
        case Product(factors) | Hadamard(factors):
            return next(filter(_is_difference, factors), formula)
        case Sum(body=body) if not isinstance(negated(body), Neg):
            return sign_of(body)
    return formula


def letters_of(formula: Formula) -> dict[str, Dim | None]:
    """The letters that stand free. NonConforming where one runs over axes of two sizes.

    Axes of concatenations fit every letter, as they may be entered at any of their items.
    """
    found: dict[str, Dim | None] = {}
    match formula:
        case Indexed(base, indices):
            shape = base.shape if isinstance(base, Symbol) else ()
            if formula.along is not None and len(shape) == 2:
                shape = (shape[1 - formula.along],)
            for k, index in enumerate(indices):
                plain = index.offset == ZERO and len(shape) == len(indices) and not is_total(shape[k])
                _join(formula, found, {index.letter: shape[k] if plain else None})
        case Kronecker(left, right):
            return {left.letter: None, right.letter: None}
    for part in children(formula):
        _join(formula, found, letters_of(part))
    if isinstance(formula, Sum) and not formula.over_times:
        size = found.pop(formula.letter, None)
        if None not in (size, formula.size) and size != formula.size:
            raise NonConforming(formula, ())
    return found


def free_letters(part: Formula) -> dict[str, None]:
    """The letters that stand free, in the order of writing."""
    found: dict[str, None] = {}
    match part:
        case Indexed(indices=indices):
            found |= {index.letter: None for index in indices}
        case Kronecker(left, right):
            found |= {left.letter: None, right.letter: None}
    for child in children(part):
        found |= free_letters(child)
    if isinstance(part, Sum) and not part.over_times:
        found.pop(part.letter, None)
    return found


def all_letters(formula: Formula) -> tuple[str, ...]:
    """The letters of all indices, free or bound, in the order of writing."""
    found: dict[str, None] = {}
    for part in parts_of(formula):
        match part:
            case Indexed(indices=indices):
                found |= {index.letter: None for index in indices}
            case Kronecker(left, right):
                found |= {left.letter: None, right.letter: None}
    return tuple(found)


def renamed(part: Formula, letters: Mapping[str, str]) -> Formula | None:
    """Other letters in place of free ones; None where a sum would catch them."""
    match part:
        case Indexed(base, indices):
            inner = renamed(base, letters)
            changed = tuple(replace(i, letter=letters.get(i.letter, i.letter)) for i in indices)
            return None if inner is None else replace(part, base=inner, indices=changed)
        case Kronecker(left, right):
            ends = (replace(i, letter=letters.get(i.letter, i.letter)) for i in (left, right))
            return Kronecker(*ends)
        case Sum() if not part.over_times:
            own = {old: new for old, new in letters.items() if old != part.letter}
            if part.letter in own.values() and set(own) & set(free_letters(part)):
                return None
            letters = own
    parts = tuple(renamed(child, letters) for child in children(part))
    if any(p is None for p in parts):
        return None
    return rebuild(part, tuple(p for p in parts if p is not None)) if parts else part


def _join(formula: Formula, found: dict[str, Dim | None], more: Letters) -> None:
    for letter, size in more.items():
        known = found.get(letter)
        if known is not None and size is not None and known != size:
            raise NonConforming(formula, ())
        found[letter] = size if known is None else known


def factors_of(formula: Formula) -> Iterator[Formula]:
    """All that stands as a factor anywhere in the formula, and neighbours among these as one factor."""
    match formula:
        case Derivative() | TokenPart() | Symbol() | Indexed() | Kronecker() | TimeProduct():
            yield formula
            if isinstance(formula, TimeProduct):
                yield from factors_of(formula.body)
        case Product(factors) | Hadamard(factors):
            for factor in factors:
                if isinstance(factor, Product | Hadamard):
                    yield factor
                yield from factors_of(factor)
            for start in range(len(factors)):
                for stop in range(start + 2, min(start + MOST_TOGETHER, len(factors)) + 1):
                    if stop - start < len(factors):
                        yield type(formula)(factors[start:stop])
        case Quotient(top, bottom):
            yield Quotient(Number(1.0), bottom)
            yield from factors_of(top)
        case Add() | Transpose() | Sum():
            yield formula
            if not isinstance(formula, Transpose) or not isinstance(formula.operand, Symbol | Derivative):
                for part in children(formula):
                    yield from factors_of(part)
        case Neg(a):
            yield from factors_of(a)
        case Number():
            if abs(formula.value) != 1.0:
                yield formula
        case _:
            yield formula
            for part in children(formula):
                yield from factors_of(part)


def _is_number(formula: Formula) -> bool:
    """Numbers are so in both layouts."""
    try:
        return shape_of(formula, "row") == NUMBER
    except NonConforming:
        return False


def items_of(formula: Formula) -> Iterator[Formula]:
    """The factors and terms that are no products themselves."""
    for part in children(formula):
        if isinstance(formula, Product | Hadamard | Add | Sum) and not isinstance(
            part, Product | Hadamard | Sum
        ):
            yield part
        yield from items_of(part)


def summands_of(formula: Formula) -> Iterator[Formula]:
    """All that stands as a term anywhere in the formula, without its sign; a sum of sums term by term."""
    for part in parts_of(formula):
        if isinstance(part, Add):
            yield from (term.operand if isinstance(term, Neg) else term for term in terms_of(part))
        if isinstance(part, Sum) and isinstance(part.body, Add):
            for term in terms_of(part.body):
                body = term.operand if isinstance(term, Neg) else term
                yield Sum(part.letter, body, part.size, part.lower, part.upper)


def _is_difference(formula: Formula) -> bool:
    """ŷ − y, but not 1 − h, which nobody writes the other way round."""
    match formula:
        case Add((first, second)):
            has_number = isinstance(first, Number) or isinstance(second, Number)
            return not has_number and isinstance(first, Neg) != isinstance(second, Neg)
    return False


def _positive_first(terms: tuple[Formula, ...]) -> tuple[Formula, ...]:
    return tuple(sorted(terms, key=lambda term: isinstance(term, Neg)))
