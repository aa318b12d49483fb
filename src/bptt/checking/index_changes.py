"""Slips of indices and times, undone: a letter for another, an index too much or missing, a step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bptt.checking.pool import free_letters, parts_of, renamed
from bptt.checking.scene import Change, Place, Rule, Scene
from bptt.formula.tree import (
    Add,
    Apply,
    Derivative,
    Diag,
    Formula,
    Hadamard,
    Indexed,
    Kronecker,
    Product,
    Sum,
    Symbol,
    TimeProduct,
    children,
    shift_time,
)


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
    for old in free_letters(part):
        if sum(old in free_letters(inner) for inner in children(part)) == 1:
            continue
        for new in scene.letters:
            changed = renamed(part, {old: new}) if new != old else None
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
    own = sorted(free_letters(place.part))
    for k, one in enumerate(own):
        for other in own[k + 1 :]:
            changed = renamed(place.part, {one: other, other: one})
            if changed is not None:
                yield Change(changed, "index", (f"{one} and {other} should change places in ", place.part))


def _letter_of_a_sum(place: Place, scene: Scene) -> Iterator[Change]:
    part = place.part
    if isinstance(part, Sum) and not part.over_times:
        for letter in free_letters(part.body):
            if letter != part.letter:
                text = (f"the sum should run over {letter} and not over {part.letter}",)
                yield Change(replace(part, letter=letter, size=None), "index", text)


def _stray_index(place: Place, scene: Scene) -> Iterator[Change]:
    part = place.part
    if isinstance(part, Indexed) and not place.is_name:
        foot = ", ".join(index.letter for index in part.indices)
        yield Change(part.base, "typo", (f"the index {foot} does not belong at ", part.base))


def _vector(place: Place, scene: Scene) -> Iterator[Change]:
    """One of many vectors for one that bears their letter with a name of its own: u_k and u_o."""
    part = place.part
    counted = (f for f in scene.pool.factors if isinstance(f, Indexed) and f.called)
    if isinstance(part, Symbol):
        for vector in counted:
            if part.name.startswith(f"{vector.called}_"):
                yield Change(vector, "index", (part, " should be ", vector))
    elif isinstance(part, Indexed) and part.called:
        for name in scene.names:
            if name.name.startswith(f"{part.called}_"):
                yield Change(name, "index", (part, " should be ", name))


def _missing_index(place: Place, scene: Scene) -> Iterator[Change]:
    is_argument = isinstance(place.parent, Apply) and isinstance(place.part, Symbol)
    if is_argument or isinstance(place.part, Symbol | Derivative):
        yield from _indexed(place, scene, is_argument)


def _missing_index_of_a_part(place: Place, scene: Scene) -> Iterator[Change]:
    if isinstance(place.part, Add | Hadamard | Product | Apply):
        yield from _indexed(place, scene, False)


def _indexed(place: Place, scene: Scene, is_argument: bool) -> Iterator[Change]:
    part = place.part
    if isinstance(place.parent, Indexed | Diag) or not (place.is_operand or is_argument):
        return
    if isinstance(part, Symbol | Derivative | Add | Hadamard | Product | Apply):
        for indexed in scene.elements(part):
            foot = ", ".join(index.letter for index in indexed.indices)
            text = (f"the index {foot} is missing at ", part)
            yield Change(indexed, "index", text)


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


def _times(part: Formula) -> tuple[str, ...]:
    """The letters of the times of its symbols."""
    found = (p.time.letter for p in parts_of(part) if isinstance(p, Symbol) and p.time is not None)
    return tuple(letter for letter in dict.fromkeys(found) if letter)


def _time_of_a_part(place: Place, scene: Scene) -> Iterator[Change]:
    part = place.part
    if isinstance(part, Symbol) or not (place.is_operand or isinstance(place.parent, Apply | Diag)):
        return
    for letter in _times(part):
        # Where only one part of it has the time, it is that part that is at fault.
        if sum(letter in _times(inner) for inner in children(part)) != 1:
            for steps in (-1, 1):
                later = shift_time(part, steps, letter)
                yield Change(later, "index", (part, " should be ", later))


RULES: tuple[tuple[float, Rule], ...] = (
    (0.9, _stray_index),
    (1.0, _index),
    (1.0, _time),
    (1.0, _vector),
    (1.05, _swapped_indices),
    (1.15, _index_of_a_factor),
    (1.2, _time_of_a_part),
    (1.3, _letter_of_a_sum),
    (1.3, _missing_index),
    (1.5, _missing_index_of_a_part),
    (1.4, _exchanged_letters),
)
