"""What a wrong formula may lack, put in from the pool of the right one: factors, terms, sums."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from bptt.checking.pool import MOST_TOGETHER, free_letters, parts_of
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
Whole = Add | Product | Hadamard
_ITEMS: dict[type, str] = {Add: "term", Product: "factor", Hadamard: "factor"}


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
            kind, text = _missing(Product, (factor,))
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


def _completed(place: Place, scene: Scene) -> Iterator[Change]:
    """A sum or a product of the right formula, of which one item is missing."""
    return (change for number, change in _completions(place, scene) if number == 1)


def _much_completed(place: Place, scene: Scene) -> Iterator[Change]:
    return (change for number, change in _completions(place, scene) if 1 < number <= MOST_TOGETHER)


def _completions(place: Place, scene: Scene) -> Iterator[tuple[int, Change]]:
    """With the number of items that are missing."""
    part = place.part
    if place.is_name or (isinstance(place.parent, Neg) and isinstance(part, Symbol)):
        return
    for given in scene.pool.wholes:
        if isinstance(place.parent, type(given)) or (isinstance(given, Add) and isinstance(part, Number)):
            continue
        items = children(part) if isinstance(part, type(given)) else (part,)
        for whole in scene.with_letters(given):
            missing = _beyond(items, children(whole), type(given))
            if missing:
                kind, text = _missing(type(given), missing)
                yield len(missing), Change(whole, kind, text)


def _reduced(place: Place, scene: Scene) -> Iterator[Change]:
    """A sum or a product of the right formula, where there is one item more."""
    return (change for number, change in _reductions(place, scene) if number == 1)


def _much_reduced(place: Place, scene: Scene) -> Iterator[Change]:
    return (change for number, change in _reductions(place, scene) if 1 < number <= MOST_TOGETHER)


def _reductions(place: Place, scene: Scene) -> Iterator[tuple[int, Change]]:
    part = place.part
    if not isinstance(part, Add | Product | Hadamard):
        return
    items = children(part)
    for given in scene.pool.wholes:
        for whole in scene.with_letters(given) if type(given) is type(part) else ():
            spare = _beyond(children(whole), items, type(part))
            if spare:
                # Of two that are equal the later one is too much.
                last = next(item for item in reversed(items) if item == spare[0])
                text: Text = (f"the {_ITEMS[type(part)]} ", _joined(type(part), spare), " is too much")
                yield len(spare), Change(whole, "extra", text, last if len(spare) == 1 else part)


def _beyond(few: tuple[Formula, ...], many: tuple[Formula, ...], kind: type) -> tuple[Formula, ...]:
    """What the many have beyond the few; nothing, if these are not all among them, and in a product of
    matrices in the same order.
    """
    if len(few) >= len(many):
        return ()
    if kind is Product:
        rest = iter(many)
        if not all(item in rest for item in few):
            return ()
    here = Counter(few)
    return tuple((Counter(many) - here).elements()) if here < Counter(many) else ()


def _joined(kind: type[Whole], parts: tuple[Formula, ...]) -> Formula:
    if len(parts) > 1:
        return kind(parts)
    return parts[0].operand if isinstance(parts[0], Neg) and kind is Add else parts[0]


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
        case Symbol(), Symbol() if wrong.shape == right.shape:
            return "index" if (wrong.name, wrong.of) == (right.name, right.of) else "typo"
        case Indexed(base=Symbol() as one), Indexed(base=Symbol() as other):
            return "typo" if wrong.indices == right.indices and one.time == other.time else ""
    return ""


def _missing(kind: type[Whole], parts: tuple[Formula, ...]) -> tuple[str, Text]:
    """The kind of error, and how it is said. A product with the vector of ones is a sum."""
    match parts:
        case (Ones() | Transpose(Ones()) as ones,):
            return "missing-sum", ("the sum is missing, as a product with ", ones)
    whole = parts[0] if len(parts) == 1 else kind(parts)
    return f"missing-{_ITEMS[kind]}", (f"the {_ITEMS[kind]} ", whole, " is missing")


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
                kind = "typo" if _are_names(part, factor) else "missing-factor"
                yield Change(factor, kind, (part, " should be ", factor))


def _are_names(wrong: Formula, right: Formula) -> bool:
    """Whether one name stands for another, with nothing else changed."""
    while type(wrong) is type(right) and isinstance(wrong, Transpose | Diag | Indexed):
        if isinstance(wrong, Indexed) and isinstance(right, Indexed) and wrong.indices != right.indices:
            return False
        wrong, right = children(wrong)[0], children(right)[0]
    return isinstance(wrong, Symbol) and isinstance(right, Symbol) and wrong.time == right.time


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
    (1.55, _completed),
    (1.8, _other_name),
    (1.9, _much_reduced),
    (2.0, _lacking_factor),
    (2.1, _lacking_term),
    (2.2, _much_completed),
    (2.3, _foreign_factor),
    (2.4, _further_factor),
    (2.5, _further_term),
    (2.8, _other_factor),
)
