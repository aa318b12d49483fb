"""Letters that count steps: the k of ∂h_t/∂h_k, the j of Π_{j=k+1}^t ∂h_j/∂h_{j-1}.

Mostly they are the letters that count elements elsewhere. A letter counts steps in a formula where it runs
from or to a step, where it is shifted at something that has a time (h_{k-1}), or where a state is derived by
itself at another time. In that formula it then does so everywhere but under a sum of its own, and is set in
the face STEP; in other formulas of the document it does where it stands alone at what has a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from bptt.checking.written import (
    Big,
    Bracketed,
    Chain,
    Differential,
    Letter,
    Listed,
    Numeral,
    Relation,
    Scripts,
    Statement,
    Terms,
    Written,
    rewritten,
    walk,
)
from bptt.formula.tree import Time

STEP = "step"
# Letters that are always steps, and the last one.
TIMES = frozenset({"t", "tau"})
LAST = "T"
_PLAIN = Scripts()
_FALLING = frozenset({">", "≥"})
_RISING = frozenset({"<", "≤"})


def with_steps(statements: list[Statement]) -> list[Statement]:
    """The statements with the letters that count steps marked as such."""
    timed = frozenset(_timed(statements))
    if not timed:
        return statements
    found = [_steps_in(statement, timed) for statement in statements]
    known = set[str]().union(*found) - _beside_times(statements)
    if not known:
        return statements
    return [
        _marked(statement, here | {one for one in known - here if _stands_alone(statement, one, timed)})
        for statement, here in zip(statements, found, strict=True)
    ]


def _marked(statement: Statement, letters: set[str]) -> Statement:
    if not letters:
        return statement

    def change(node: Written) -> Written:
        match node:
            case Letter(scripts=scripts) if scripts != _PLAIN:
                below = tuple(map(mark, scripts.below))
                above = tuple(item if isinstance(item, Letter) else mark(item) for item in scripts.above)
                return replace(node, scripts=replace(scripts, below=below, above=above))
            case Big(below=below, above=above):
                return replace(node, below=tuple(map(mark, below)), above=tuple(map(mark, above)))
        return node

    def mark(item: Written) -> Written:
        match item:
            case Letter(name=name, scripts=Scripts((), (), 0)) if name in letters:
                return replace(item, face=STEP)
            case Terms(terms=terms):
                return replace(item, terms=tuple(map(mark, terms)))
            case Bracketed(inner=inner):
                return replace(item, inner=mark(inner))
            case Chain(factors=factors):
                return replace(item, factors=tuple(map(mark, factors)))
            case Listed(items=items):
                return replace(item, items=tuple(map(mark, items)))
            case Relation(sides=sides):
                return replace(item, sides=tuple(map(mark, sides)))
        return item

    return rewritten(statement, change)


# Which letters count steps.


def _timed(statements: list[Statement]) -> Iterator[str]:
    """The letters that somewhere have t for their time."""
    for letter in _letters(statements):
        if any(_base(item) in TIMES for item in _scripts(letter)):
            yield letter.name


def _steps_in(statement: Statement, timed: frozenset[str]) -> set[str]:
    parts = [part for side in _sides(statement) for part in walk(side)]
    found = set[str]()
    for part in parts:
        if isinstance(part, Letter) and part.name in timed:
            found |= {_base(item) for item in _scripts(part) if isinstance(item, Terms)}
        elif isinstance(part, Differential):
            found |= _between_states(part, timed)
    before = None
    while before != found:
        before = set(found)
        for part in parts:
            if isinstance(part, Big):
                letters = set(_bounds(part))
                if letters & (TIMES | {LAST} | found):
                    found |= letters
    return found - TIMES - {LAST, ""}


def _between_states(node: Differential, timed: frozenset[str]) -> set[str]:
    """The letter k of ∂h_t/∂h_k."""
    top, bottom = node.top, node.bottom
    if not isinstance(top, Letter) or not isinstance(bottom, Letter) or top.name not in timed:
        return set()
    if top.name != bottom.name:
        return set()
    letters = [[_base(item) for item in _scripts(one)] for one in (top, bottom)]
    if not all(len(one) == 1 for one in letters) or not {letters[0][0], letters[1][0]} & (TIMES | {LAST}):
        return set()
    return {letters[0][0], letters[1][0]}


def _bounds(node: Big) -> Iterator[str]:
    """The letters below and above a sum or a product."""
    for item in (*node.below, *node.above):
        sides = item.sides if isinstance(item, Relation) else (item,)
        yield from (_base(side) for side in sides if not isinstance(side, Numeral))


def _stands_alone(statement: Statement, letter: str, timed: frozenset[str]) -> bool:
    """Whether the letter stands in the formula only where times stand, and no sum runs over it."""
    parts = [part for side in _sides(statement) for part in walk(side)]
    bearers = [p for p in parts if isinstance(p, Letter) and letter in map(_base, _scripts(p))]
    if any(isinstance(part, Big) and letter in _bounds(part) for part in parts):
        return False
    return bool(bearers) and all(p.name in timed and len(list(_scripts(p))) == 1 for p in bearers)


def _beside_times(statements: list[Statement]) -> set[str]:
    """The letters that somewhere stand beside a time: those count elements."""
    found = set[str]()
    for letter in _letters(statements):
        bases = [_base(item) for item in _scripts(letter)]
        if set(bases) & TIMES:
            found |= set(bases)
    return found


def _letters(statements: list[Statement]) -> Iterator[Letter]:
    for statement in statements:
        for side in _sides(statement):
            yield from (part for part in walk(side) if isinstance(part, Letter))


def _sides(statement: Statement) -> list[Written]:
    rights = [link.right for link in statement.links]
    return rights if statement.left is None else [statement.left, *rights]


def _scripts(letter: Letter) -> Iterator[Written]:
    """What stands below a letter, and in brackets above it, one by one."""
    for item in letter.scripts.below:
        yield from _one_by_one(item)
    for item in letter.scripts.above:
        if isinstance(item, Bracketed):
            yield from _one_by_one(item.inner)


def _one_by_one(item: Written) -> Iterator[Written]:
    match item:
        case Chain(factors=parts) | Listed(items=parts):
            for part in parts:
                yield from _one_by_one(part)
        case Bracketed(inner=inner):
            yield from _one_by_one(inner)
        case _:
            yield item


def _base(item: Written) -> str:
    """The letter of `k` and of `k - 1`; "" for anything else."""
    match item:
        case Letter(name=name, scripts=Scripts((), (), 0)):
            return name
        case Terms((Letter(name=name, scripts=Scripts((), (), 0)), Numeral()), (_, _)):
            return name
    return ""


# From where to where they run.


def step_range(node: Big, bound: Callable[[Written], Time], last: Time) -> tuple[str, Time, Time] | None:
    """The letter of a sum or a product over steps, with the step that it begins with and the one that it ends
    with; None where it runs over anything else. `bound` reads a step, `last` is the last of all.
    """
    match node.below, node.above:
        case (Relation((Letter() as letter, first), ("=",)),), (end,) if _is_step(letter):
            return letter.name, bound(first), bound(end)
        case (Relation((end, Letter() as letter, first), (one, other)),), () if _is_step(letter):
            if {one, other} <= _FALLING:
                return letter.name, _beyond(bound(end), one, -1), _beyond(bound(first), other, 1)
            if {one, other} <= _RISING:
                return letter.name, _beyond(bound(end), one, 1), _beyond(bound(first), other, -1)
        case (Relation((Letter() as letter, end), (sign,)),), () if _is_step(letter):
            if sign in _RISING:
                return letter.name, Time("", 1), _beyond(bound(end), sign, -1)
            if sign in _FALLING:
                return letter.name, _beyond(bound(end), sign, 1), last
        case (Letter() as letter,), () if _is_step(letter):
            return letter.name, Time("", 1), last
    return None


def _beyond(bound: Time, sign: str, step: int) -> Time:
    """The first step within a bound that a strict sign leaves out."""
    return bound.shift(step) if sign in ("<", ">") else bound


def _is_step(letter: Letter) -> bool:
    return letter.scripts == _PLAIN and (letter.face == STEP or letter.name in TIMES)
