"""Derivatives under short names, written out: `dW`, `δh`, `∇W`, `grad_W`, `W.grad`, `h̄` are ∂J/∂W, ∂J/∂h.

A name counts as short for a derivative only where the whole document writes like that: it says so once
(`δh := ∂L/∂h`, "dW is $∂J/∂W$"), or several of its left sides are such names of quantities that it also uses
by themselves. In differential notation, `dL = tr(…)`, a d is no name for anything.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from bptt.checking.written import (
    Call,
    Chain,
    Differential,
    Letter,
    Nabla,
    Numeral,
    Scripts,
    Statement,
    Written,
    mapped,
    walk,
)

MARKS = ("d", "delta", "∂", "∇", "grad", "bar")
# Names of an objective where a document does not define one.
_USUAL = ("J", "L", "E", "C", "ell", "Loss", "loss")
_TRANSPOSES = frozenset({"T", "top", "intercal", "transpose"})
_BEFORE = frozenset({"d", "delta", "∂"})  # marks that are letters before the name
_NONE = Scripts()
_NO_NAMES = frozenset({"t", "tau", "i", "j", "k", "l", "m", "n", "…"})
_DIFFERENTIALS = re.compile(r"\bdifferentials?\b|\bdifferenzial|\bdifférentielle|微分形式", re.IGNORECASE)
# A short name in prose, before the derivative that it stands for.
_SAID = re.compile(
    r"(?P<mark>d|δ|delta|\\delta|grad_|∂)\s?_?(?P<name>[A-Za-z]\w*)\s*"
    r"(?:is|means|stands for|denotes|for|=|ist|bedeutet|steht für|est|désigne|是|表示|代表|は)\s*$"
)
MOST = 2  # left sides that make a habit


@dataclass(frozen=True)
class _Short:
    """A short name as it stands: its mark, what it is the derivative by, and what belongs to the whole."""

    mark: str
    by: Letter
    scripts: Scripts = _NONE


@dataclass
class _Habits:
    """How a document writes: `said` are the quantities of which it says what is short for their derivative,
    by mark; `tops` what it takes derivatives of; `names` the letters that stand by themselves.
    """

    said: dict[str, set[str]] = field(default_factory=dict)
    lefts: Counter[str] = field(default_factory=Counter)
    tops: Counter[Letter] = field(default_factory=Counter)
    names: set[str] = field(default_factory=set)
    objectives: set[str] = field(default_factory=set)
    wrapped: set[str] = field(default_factory=set)
    differential: bool = False

    def has(self, mark: str) -> bool:
        """Whether the mark is short for a derivative in this document."""
        if self.said.get(mark):
            return True
        return mark != "bar" and not self.differential and self.lefts[mark] >= MOST

    def loss(self, span: object) -> Letter:
        if self.tops:
            return self.tops.most_common(1)[0][0]
        name = next((name for name in _USUAL if name in self.objectives), "J")
        return Letter(name, span)  # type: ignore[arg-type]


def written_out(statements: list[Statement], text: str) -> list[Statement]:
    """The statements with whole derivatives in the place of short names; `text` is that of the document."""
    habits = _habits(statements, text)
    marks = frozenset(mark for mark in MARKS if habits.has(mark))
    if not marks:
        return statements

    def change(node: Written) -> Written:
        return _written_out(node, marks, habits)

    found: dict[int, Written] = {}  # left sides that are carried on stay the same object

    def whole(node: Written) -> Written:
        return found.setdefault(id(node), mapped(node, change))

    return [_changed(one, whole) for one in statements]


def _changed(statement: Statement, whole: Callable[[Written], Written]) -> Statement:
    """The statement with all its sides written out; where that leaves nothing to say, what is left of it."""
    left = None if statement.left is None else whole(statement.left)
    links = []
    for link in statement.links:
        right = whole(link.right)
        links.append(link if right is link.right else replace(link, right=right))
    if left is not statement.left and len(links) == 1 and _is_same(left, links[0].right):
        return replace(statement, left=links[0].right, links=())
    if left is statement.left and all(new is old for new, old in zip(links, statement.links, strict=True)):
        return statement
    return replace(statement, left=left, links=tuple(links))


def _is_same(short: Written | None, derivative: Written) -> bool:
    """Whether a short name only says what it stands for: `δh := ∂L/∂h`."""
    if not isinstance(short, Differential) or not isinstance(derivative, Differential):
        return False
    return short.bottom == derivative.bottom and isinstance(derivative.top, Letter)


def _written_out(node: Written, marks: frozenset[str], habits: _Habits) -> Written:
    match node:
        case Chain(factors, signs):
            kept, between = _without_pairs(factors, signs, marks, habits)
            if len(kept) == len(factors):
                return node
            return kept[0] if len(kept) == 1 else Chain(tuple(kept), tuple(between), node.span)
        case Letter() if (short := _single(node, habits.names)) and short.mark in marks:
            return _derivative(short, habits, node)
        case Nabla(by=None, operand=Letter() as by) if "∇" in marks and by.name in habits.names - set(_USUAL):
            return _derivative(_behind("∇", by), habits, node)
    return node


def _without_pairs(
    factors: tuple[Written, ...], signs: tuple[str, ...], marks: frozenset[str], habits: _Habits
) -> tuple[list[Written], list[str]]:
    """Factors with a derivative in the place of each mark and the letter behind it."""
    kept: list[Written] = []
    between: list[str] = []
    place = 0
    while place < len(factors):
        if place:
            between.append(signs[place - 1])
        short, taken = _pair(factors, signs, place, habits.names)
        if short is not None and short.mark in marks:
            kept.append(_derivative(short, habits, factors[place], factors[place + taken - 1]))
            place += taken
        else:
            kept.append(factors[place])
            place += 1
    return kept, between


def _pair(
    factors: tuple[Written, ...], signs: tuple[str, ...], place: int, names: set[str]
) -> tuple[_Short | None, int]:
    """The short name that begins at this factor, and how many factors it takes: `d W`, `W.grad`."""
    first = factors[place]
    following = factors[place + 1] if place + 1 < len(factors) else None
    if not isinstance(first, Letter) or not isinstance(following, Letter):
        return None, 0
    if following.name == "grad" and signs[place] == "·" and first.name in names:
        return _behind("grad", first), 2
    is_mark = first.name in _BEFORE and first.scripts == _NONE and signs[place] == ""
    is_known = bool({following.name, following.name.swapcase()} & names)  # Z has an example z in each column
    return (_behind(first.name, following), 2) if is_mark and is_known else (None, 0)


def _single(letter: Letter, names: set[str]) -> _Short | None:
    """A short name that is one letter or word: `d_W`, `grad_W`, `dhidden`, `h̄`."""
    below = letter.scripts.below
    if letter.name in ("d", "grad") and len(below) == 1 and not letter.scripts.above:
        inner = below[0]
        if isinstance(inner, Letter) and inner.name in names - _NO_NAMES:
            return _behind(letter.name, inner)
    if letter.name.endswith("bar") and letter.name[:-3] in names:
        return _behind("bar", replace(letter, name=letter.name[:-3]))
    for mark in ("delta", "d"):
        rest = letter.name.removeprefix(mark).lstrip("_")
        if letter.face == "upright" and letter.name.startswith(mark) and rest in names - _NO_NAMES:
            return _behind(mark, replace(letter, name=rest, face=""))
    return None


def _behind(mark: str, letter: Letter) -> _Short:
    """The transpose of `dW^T` is that of the derivative."""
    above = letter.scripts.above
    turned = tuple(item for item in above if isinstance(item, Letter) and item.name in _TRANSPOSES)
    if not turned:
        return _Short(mark, letter)
    kept = tuple(item for item in above if item not in turned)
    return _Short(mark, replace(letter, scripts=replace(letter.scripts, above=kept)), Scripts(above=turned))


def _derivative(short: _Short, habits: _Habits, first: Written, last: Written | None = None) -> Differential:
    span = first.span if last is None else first.span.to(last.span)
    top = replace(habits.loss(span), span=span)
    said = habits.said.get(short.mark, set())
    guessed = short.by.name in habits.wrapped and short.by.name not in said
    return Differential(top, short.by, (short.mark, ""), span, None, short.scripts, guessed)


# What a document's habits are.


def _habits(statements: list[Statement], text: str) -> _Habits:
    habits = _Habits(differential=bool(_DIFFERENTIALS.search(text)))
    for part in _parts(statements):
        match part:
            case Differential(top=Letter() as top) | Nabla(by=Letter(), operand=Letter() as top):
                if not top.scripts.below:
                    habits.tops[replace(top, scripts=Scripts())] += 1
    habits.names = _names(statements)
    for statement in statements:
        _say(statement, habits)
    if not habits.said:
        # ∂h/∂z is no derivative of an objective.
        below = {
            p.bottom.name
            for p in _parts(statements)
            if isinstance(p, Differential) and isinstance(p.bottom, Letter)
        }
        habits.tops = Counter({top: n for top, n in habits.tops.items() if top.name not in below})
    return habits


def _say(statement: Statement, habits: _Habits) -> None:
    """What one statement tells of the habits."""
    left = statement.left
    if isinstance(left, Differential) and not statement.links and (said := _SAID.search(statement.words)):
        _take(_mark_of(said["mark"]), left, said["name"], habits)
    if left is None or not statement.links:
        return
    right = statement.links[0].right
    if isinstance(left, Letter):
        habits.objectives.add(left.name)
        if _wraps(right):
            habits.wrapped.add(left.name)
    short = _short(left, habits.names)
    if short is None:
        return
    if isinstance(right, Differential) and right.top is not None and short.by == right.bottom:
        _take(short.mark, right, short.by.name, habits)
        return
    if short.by.name in _USUAL and not isinstance(right, Numeral):
        habits.differential = True
    habits.lefts[short.mark] += 1


def _take(mark: str, derivative: Differential, name: str, habits: _Habits) -> None:
    """The document says that a mark before a name stands for this derivative."""
    if isinstance(derivative.bottom, Letter) and derivative.bottom.name == name:
        habits.said.setdefault(mark, set()).add(name)
        if isinstance(derivative.top, Letter):
            habits.tops = Counter({derivative.top: 1})


def _mark_of(text: str) -> str:
    return {"δ": "delta", "\\delta": "delta", "grad_": "grad"}.get(text, text)


def _short(left: Written, names: set[str]) -> _Short | None:
    """The short name that a left side is, if it is one alone."""
    if isinstance(left, Letter):
        return _single(left, names)
    if isinstance(left, Nabla) and left.by is None and isinstance(left.operand, Letter):
        return _behind("∇", left.operand) if left.operand.name in names - set(_USUAL) else None
    if isinstance(left, Chain) and len(left.factors) == 2:
        return _pair(left.factors, left.signs, 0, names)[0]
    return None


def _wraps(right: Written) -> bool:
    """Whether a function is applied to something without a name: z = σ(x W + b)."""
    return (
        isinstance(right, Call) and len(right.arguments) == 1 and not isinstance(right.arguments[0], Letter)
    )


def _names(statements: list[Statement]) -> set[str]:
    """The letters that stand somewhere without a mark before them."""
    marked: set[int] = set()
    found: list[Letter] = []
    for part in _parts(statements):
        if isinstance(part, Chain):
            for first, second in zip(part.factors, part.factors[1:], strict=False):
                if isinstance(first, Letter) and first.name in _BEFORE:
                    marked.add(id(second))
        elif isinstance(part, Nabla) and part.by is None:
            marked.add(id(part.operand))
        elif isinstance(part, Letter):
            found.append(part)
    return {letter.name for letter in found if id(letter) not in marked}


def _parts(statements: list[Statement]) -> Iterator[Written]:
    for statement in statements:
        for node in (statement.left, *(link.right for link in statement.links)):
            if node is not None:
                yield from walk(node)
