"""What a wrong formula may lack, put in from the pool of the right one: factors, terms, sums."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from bptt.checking.pool import free_letters, parts_of, terms_of
from bptt.checking.scene import Change, Place, Rule, Scene, hadamard, product
from bptt.formula.tree import (
    Add,
    Apply,
    Derivative,
    Diag,
    Formula,
    Hadamard,
    Indexed,
    Neg,
    Number,
    Ones,
    Product,
    Sum,
    Symbol,
    Text,
    Transpose,
    children,
    rebuild,
)

# So many parts has something that is mistaken for something else as a whole, such as σ′(θ) or 1 − h.
SMALL = 4


def _lacking_factor(place: Place, scene: Scene) -> Iterator[Change]:
    return _factors(place, scene, scene.lacking)


def _further_factor(place: Place, scene: Scene) -> Iterator[Change]:
    return _factors(place, scene, scene.pool.factors)


def _factors(place: Place, scene: Scene, supply: tuple[Formula, ...]) -> Iterator[Change]:
    if not (place.is_operand or isinstance(place.parent, Apply | Diag)):
        return
    if isinstance(place.parent, Transpose) or isinstance(place.part, Neg):
        return
    for given in supply:
        for factor in scene.with_letters(given):
            kind, text = _missing("factor", (factor,), Product)
            for part in _with_factor(place, factor, scene):
                yield Change(part, kind, text)


def _with_factor(place: Place, factor: Formula, scene: Scene) -> Iterator[Formula]:
    part = place.part
    factors = part.factors if isinstance(part, Product) else (part,)
    if isinstance(part, Number):
        return
    if isinstance(part, Product) or not isinstance(place.parent, Product):
        if scene.is_number(factor):
            yield product((*factors, factor) if isinstance(factor, Indexed) else (factor, *factors))
        else:
            for gap in range(len(factors) + 1):
                left, right = factors[gap - 1] if gap else None, factors[gap] if gap < len(factors) else None
                fits = scene.can_follow(left, factor), scene.can_follow(factor, right)
                # One side may be wrong for another reason, but not both.
                if (left is not None and fits[0]) or (right is not None and fits[1]):
                    yield product((*factors[:gap], factor, *factors[gap:]))
    if scene.is_number(factor) or isinstance(factor, Diag):
        return
    if isinstance(part, Hadamard):
        if scene.same_shape(part, factor):
            yield hadamard((*part.factors, factor))
        return
    if isinstance(place.parent, Hadamard):
        return
    if scene.same_shape(part, factor) and not scene.is_number(part):
        yield hadamard((part, factor))
    for start in range(len(factors) - 1):
        for stop in range(start + 2, len(factors) + (start > 0)):
            group = Product(factors[start:stop])
            if scene.layout and scene.shape(group) == scene.shape(factor):
                yield product((*factors[:start], hadamard((group, factor)), *factors[stop:]))


def _completed_sum(place: Place, scene: Scene) -> Iterator[Change]:
    """Some terms of a sum of the right formula, for all of them."""
    part = place.part
    if place.is_name or isinstance(part, Number) or isinstance(place.parent, Add | Neg):
        return
    terms = Counter(terms_of(part))
    for given in scene.pool.wholes:
        for whole in scene.with_letters(given) if isinstance(given, Add) else ():
            right = Counter(terms_of(whole))
            if terms < right:
                kind, text = _missing("term", tuple((right - terms).elements()), Add)
                yield Change(whole, kind, text)


def _completed_product(place: Place, scene: Scene) -> Iterator[Change]:
    """Some factors of a product of the right formula, in its order, for all of them."""
    part = place.part
    for given in scene.pool.wholes if not place.is_name else ():
        if isinstance(given, Add) or isinstance(place.parent, type(given)):
            continue
        factors = part.factors if isinstance(part, type(given)) else (part,)
        for whole in scene.with_letters(given):
            assert isinstance(whole, Product | Hadamard)
            left, right = Counter(factors), Counter(whole.factors)
            if left < right:
                missing = tuple((right - left).elements())
                kind, text = _missing("factor", missing, type(whole))
                yield Change(whole, kind, text)


def _reduced(place: Place, scene: Scene) -> Iterator[Change]:
    """A sum or a product of the right formula, where there is more than that."""
    part = place.part
    if not isinstance(part, Add | Product | Hadamard):
        return
    items = part.terms if isinstance(part, Add) else part.factors
    for given in scene.pool.wholes:
        if type(given) is type(part):
            for whole in scene.with_letters(given):
                spare = list((Counter(items) - Counter(children(whole))).elements())
                if spare and len(items) == len(spare) + len(children(whole)):
                    what = "term" if isinstance(part, Add) else "factor"
                    first = spare[0].operand if isinstance(spare[0], Neg) else spare[0]
                    # Of two that are equal the later one is too much.
                    place_of = next(item for item in reversed(items) if item == spare[0])
                    yield Change(whole, "extra", (f"the {what} ", first, " is too much"), place_of)


def _other_item(place: Place, scene: Scene) -> Iterator[Change]:
    """A sum or a product of the right formula that differs in one item, by its sign or by a name in it."""
    part = place.part
    if not isinstance(part, Add | Product | Hadamard):
        return
    items = children(part)
    for given in scene.pool.wholes:
        if type(given) is not type(part) or len(children(given)) != len(items):
            continue
        for whole in scene.with_letters(given):
            wrong = tuple((Counter(items) - Counter(children(whole))).elements())
            if len(wrong) == 1:
                (right,) = (Counter(children(whole)) - Counter(items)).elements()
                k = items.index(wrong[0])
                kind = _slip(wrong[0], right)
                if kind:
                    changed = rebuild(part, (*items[:k], right, *items[k + 1 :]))
                    text: Text = (wrong[0], " should be ", right)
                    if kind == "sign":
                        plain = right.operand if isinstance(right, Neg) else right
                        text = ("the sign of ", plain, " is the other way round")
                    yield Change(changed, kind, text, items[k])


def _slip(wrong: Formula, right: Formula) -> str:
    """The kind of error, if one is easily taken for the other."""
    if Neg(wrong) == right or wrong == Neg(right):
        return "sign"
    while type(wrong) is type(right) and isinstance(wrong, Neg | Transpose | Diag):
        wrong, right = children(wrong)[0], children(right)[0]
    match wrong, right:
        case Symbol(), Symbol():
            return "index" if (wrong.name, wrong.of) == (right.name, right.of) else "typo"
        case Indexed(base=Symbol() as one), Indexed(base=Symbol() as other):
            return "typo" if wrong.indices == right.indices and one.time == other.time else ""
    return ""


def _missing(
    what: str, parts: tuple[Formula, ...], joined: type[Add | Product | Hadamard]
) -> tuple[str, Text]:
    """The kind of error, and how it is said. A product with the vector of ones is a sum."""
    match parts:
        case (Ones() | Transpose(Ones()) as ones,):
            return "missing-sum", ("the sum is missing, as a product with ", ones)
    whole = parts[0] if len(parts) == 1 else joined(parts)
    return f"missing-{what}", (f"the {what} ", whole, " is missing")


def _lacking_term(place: Place, scene: Scene) -> Iterator[Change]:
    return _terms(place, scene, scene.lacking_terms)


def _further_term(place: Place, scene: Scene) -> Iterator[Change]:
    return _terms(place, scene, tuple(t for t in scene.pool.terms if not isinstance(t, Number)))


def _terms(place: Place, scene: Scene, supply: tuple[Formula, ...]) -> Iterator[Change]:
    part = place.part
    if isinstance(part, Number) or isinstance(place.parent, Add | Neg | Transpose):
        return
    if not (place.is_operand or isinstance(place.parent, Apply | Diag)):
        return
    terms = part.terms if isinstance(part, Add) else (part,)
    for given in supply:
        if not scene.same_shape(part, given):
            continue
        for term in scene.with_letters(given):
            text: Text = ("the term ", term, " is missing")
            if isinstance(part, Neg):
                yield Change(Add((term, part)), "missing-term", text)
            else:
                yield Change(Add((*terms, term)), "missing-term", text)
            yield Change(Add((*terms, Neg(term))), "missing-term", text)


def _lacking_name(place: Place, scene: Scene) -> Iterator[Change]:
    """Another quantity of the same shape: b₁ for b₂."""
    return _names(place, scene.lacking_names)


def _other_name(place: Place, scene: Scene) -> Iterator[Change]:
    return _names(place, scene.names)


def _names(place: Place, supply: tuple[Symbol, ...]) -> Iterator[Change]:
    part = place.part
    if not isinstance(part, Symbol):
        return
    if place.is_name and not isinstance(place.parent, Indexed | Derivative):
        return
    for other in supply:
        if other.shape == part.shape and (other.name, other.of) != (part.name, part.of):
            for time in dict.fromkeys((part.time if other.time is not None else None, other.time)):
                given = replace(other, time=time)
                yield Change(given, "typo", (part, " should be ", given))


def _foreign_factor(place: Place, scene: Scene) -> Iterator[Change]:
    """One that is in no right formula, for one that is missing."""
    if place.part not in scene.foreign or not _is_small(place.part):
        return iter(())
    return _other_factors(place, scene, tuple(filter(_is_small, scene.lacking)))


def _other_factor(place: Place, scene: Scene) -> Iterator[Change]:
    if not _is_small(place.part):
        return iter(())
    return _other_factors(place, scene, tuple(filter(_is_small, scene.pool.factors)))


def _large_factor(place: Place, scene: Scene) -> Iterator[Change]:
    return _other_factors(place, scene, scene.lacking)


def _is_small(part: Formula) -> bool:
    """Whether a reader would take it for one thing."""
    return not isinstance(part, Product | Hadamard | Sum) and sum(1 for _ in parts_of(part)) <= SMALL


def _other_factors(place: Place, scene: Scene, supply: tuple[Formula, ...]) -> Iterator[Change]:
    part = place.part
    if not place.is_operand and not isinstance(place.parent, Apply | Diag):
        return
    if isinstance(part, Neg | Number) or place.parent is None:
        return
    for given in supply:
        for factor in scene.with_letters(given):
            if factor != part:
                yield Change(factor, "missing-factor", (part, " should be ", factor))


def _sum(place: Place, scene: Scene) -> Iterator[Change]:
    part = place.part
    if not place.is_operand or isinstance(part, Neg) or isinstance(place.parent, Product | Transpose):
        return
    for letter in free_letters(part):
        yield Change(Sum(letter, part), "missing-sum", (f"the sum over {letter} is missing",))
    for given in scene.pool.sums:
        if given.over_times:
            summed = replace(given, body=part)
            yield Change(summed, "missing-sum", (f"the sum over {given.letter} is missing",))


RULES: tuple[tuple[float, Rule], ...] = (
    (1.5, _sum),
    (1.35, _reduced),
    (1.35, _other_item),
    (1.4, _lacking_name),
    (1.55, _completed_sum),
    (1.55, _completed_product),
    (1.8, _other_name),
    (2.0, _lacking_factor),
    (2.1, _lacking_term),
    (2.3, _foreign_factor),
    (2.4, _further_factor),
    (2.5, _further_term),
    (2.8, _other_factor),
    (3.8, _large_factor),
)
