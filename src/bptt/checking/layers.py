"""Layers that are counted above their letters: z^{(2)}, a^{[l-1]}, h^1_t, w_{jk}^l.

A number above a letter is a label where the document numbers its layers so, and not a power. What is said of
every layer l is said of each: the statement is repeated with a number for l, in a network with as many
layers as the document counts, or with three where it counts none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from bptt.checking.applications import walk_all
from bptt.checking.names import EQUALS, flat
from bptt.checking.synonyms import changed
from bptt.checking.written import (
    Big,
    Bracketed,
    Differential,
    Letter,
    Nabla,
    Numeral,
    Scripts,
    Statement,
    Terms,
    Written,
    mapped,
    walk,
)

COUNTERS = frozenset({"l", "ell"})
LAST = "L"
# How many layers there are where no number tells.
USUAL = 3
_BRACKETS = "([⟨"
# Letters whose powers are powers, whatever else is numbered above.
_NEVER = frozenset({"e", "R", "1", "d"})


@dataclass(frozen=True)
class Layer:
    """A layer as it is written: a number (no letter), l or L, with what is added to it."""

    letter: str
    offset: int = 0

    def number(self, at: int, last: int) -> int:
        """Which one it is if l is the layer number `at`."""
        return self.offset + {"": 0, LAST: last}.get(self.letter, at)


def with_layers(statements: list[Statement]) -> list[Statement]:
    """The statements with labels for layers, and for every layer what is said of all of them."""
    found = _Layers(statements)
    if not found.labelled and not found.counted:
        return statements
    return [copy for statement in statements for copy in found.copies(statement)]


class _Layers:
    """`labelled` are the letters with bare numbers above that are labels; `counted` says whether layers are
    counted by a letter; `mentioned` are the layers that are told by their numbers, by letter.
    """

    def __init__(self, statements: list[Statement]) -> None:
        letters = [p for s in statements for p in walk_all(s) if isinstance(p, Letter)]
        self.labelled = _labelled(statements, letters)
        self.below = any(
            _is_beside(item) for letter in letters for item in flat(letter.scripts.below)
        ) and not _are_indices(statements)
        found = [(letter.name, layer) for letter in letters for layer in self._layers(letter)]
        self.names = {name for name, _ in found}
        self.counted = any(layer.letter in COUNTERS for _, layer in found)
        self.mentioned: dict[str, set[int]] = {}
        for name, layer in found:
            if not layer.letter:
                self.mentioned.setdefault(name, set()).add(layer.offset)
        numbers = [n for many in self.mentioned.values() for n in many]
        self.last = max(numbers) if numbers and max(numbers) > 1 else USUAL
        self.before = {name for name, layer in found if layer.letter in COUNTERS and layer.offset < 0}
        self.defined = {
            (statement.left.name, layer.number(0, self.last))
            for statement in statements
            if isinstance(statement.left, Letter) and _says_value(statement)
            for layer in self._layers(statement.left)
            if layer.letter not in COUNTERS
        }

    def _layers(self, letter: Letter) -> Iterator[Layer]:
        """The layers at a letter: one at most, but for letters of which none is meant."""
        for item in flat(letter.scripts.above):
            if (found := self._layer(item, letter)) is not None:
                yield found
        if self.below:
            for item in flat(letter.scripts.below):
                if (found := _counted(item)) is not None and found.letter:
                    yield found

    def _layer(self, item: Written, letter: Letter) -> Layer | None:
        """What an item above a letter says."""
        found = _counted(item)
        if found is None or found.letter:
            return found
        return found if isinstance(item, Bracketed) or letter.name in self.labelled else None

    def copies(self, statement: Statement) -> Iterator[Statement]:
        """The statement for each layer that it can be meant for; the very statement where it names none."""
        layers = [
            (letter.name, layer)
            for letter in walk_all(statement)
            if isinstance(letter, Letter)
            for layer in self._layers(letter)
        ]
        counters = {layer.letter for _, layer in layers} & COUNTERS
        if len(counters) > 1 or _binds(statement, counters):
            yield statement
            return
        if not counters:
            yield self._at(statement, 0)
            return
        numbers = [n for n in range(self.last + 1) if self._can_be(statement, layers, n)]
        conditions = tuple(c for c in statement.conditions if not _names(c, counters))
        for number in numbers:
            yield replace(self._at(statement, number), conditions=conditions)

    def _can_be(self, statement: Statement, layers: list[tuple[str, Layer]], at: int) -> bool:
        for name, layer in layers:
            number = layer.number(at, self.last)
            known = self.mentioned.get(name, set())
            if len(known) > 1 and number not in known:
                return False
            if not (0 if name in self.before else 1) <= number <= self.last:
                return False
        left = statement.left
        if isinstance(left, Letter) and _says_value(statement):
            own = {(left.name, layer.number(at, self.last)) for layer in self._layers(left)}
            return not own & self.defined
        return True

    def _at(self, statement: Statement, at: int) -> Statement:
        left = statement.left
        own = next(self._layers(left), None) if isinstance(left, Letter) else None

        def numbered(part: Written) -> Written:
            if isinstance(part, Nabla) and isinstance(part.by, Letter) and own is not None:
                # δ^L = ∇_a C ∘ …: by the a of the same layer.
                return replace(part, by=self._of_layer(part.by, own.number(at, self.last)))
            if not isinstance(part, Letter) or not any(True for _ in self._layers(part)):
                return part
            above = tuple(self._label(item, part, at) for item in flat(part.scripts.above))
            below = part.scripts.below
            if self.below:
                below = tuple(self._number(item, at) for item in flat(below))
            return replace(part, scripts=replace(part.scripts, above=above, below=below))

        return changed(statement, lambda side: mapped(side, numbered))

    def _of_layer(self, letter: Letter, number: int) -> Letter:
        """The letter of this layer, if it has layers and none is told."""
        if letter.name not in self.names or any(True for _ in self._layers(letter)):
            return letter
        label = Bracketed(Numeral(float(number), letter.span), letter.span)
        scripts = replace(letter.scripts, above=(*letter.scripts.above, label))
        return replace(letter, scripts=scripts)

    def _label(self, item: Written, letter: Letter, at: int) -> Written:
        layer = self._layer(item, letter)
        if layer is None:
            return item
        return Bracketed(Numeral(float(layer.number(at, self.last)), item.span), item.span)

    def _number(self, item: Written, at: int) -> Written:
        layer = _counted(item)
        if layer is None or not layer.letter:
            return item
        return Numeral(float(layer.number(at, self.last)), item.span)


def _counted(item: Written) -> Layer | None:
    """A number, l, L, l - 1, with brackets around it or without."""
    inner = item.inner if isinstance(item, Bracketed) and item.kind in _BRACKETS + "{" else item
    match inner:
        case Numeral(value=value, scripts=Scripts((), (), 0)) if value == int(value) >= 0:
            return Layer("", int(value))
        case Letter(name=name, scripts=Scripts((), (), 0)) if name in COUNTERS | {LAST}:
            return Layer(name)
        case Terms((Letter(name=name), Numeral(value=value)), ("+", sign)) if name in COUNTERS | {LAST}:
            return Layer(name, int(value) if sign == "+" else -int(value))
    return None


def _is_beside(item: Written) -> bool:
    """Whether an item is the layer before or after l."""
    layer = _counted(item)
    return layer is not None and layer.letter in COUNTERS and layer.offset != 0


def _are_indices(statements: list[Statement]) -> bool:
    """Whether sums run over the letters that could count layers."""
    return any(_binds(statement, set(COUNTERS)) for statement in statements)


def _binds(statement: Statement, counters: set[str]) -> bool:
    """Whether something runs over one of the letters in the statement itself."""
    sums = [part for part in walk_all(statement) if isinstance(part, Big)]
    return any(_names(item, counters) for part in sums for item in part.below)


def _names(part: Written, letters: set[str]) -> bool:
    return any(isinstance(p, Letter) and p.name in letters for p in walk(part))


def _labelled(statements: list[Statement], letters: list[Letter]) -> frozenset[str]:
    """The letters whose bare numbers above are labels: of one something is defined or differentiated under
    its number, or it has the number 1; and where that is so, those that never stand without a number.
    """
    numbered = {letter.name for letter in letters if _bare(letter)} - _NEVER
    said = [p for s in statements if s.links for p in walk_all(s) if isinstance(p, Letter)]
    plain = {letter.name for letter in said if not _bare(letter) and not _has_layer(letter)}
    named: set[str] = set()
    for statement in statements:
        sides = [side for part in walk_all(statement) for side in _differentiated(part)]
        if statement.links and statement.links[0].sign in EQUALS:
            sides.append(statement.left)
        named |= {side.name for side in sides if isinstance(side, Letter) and _bare(side)}
    first = {letter.name for letter in letters if 1 in _bare(letter)}
    sure = numbered & (first | (named - plain))
    return frozenset(sure | (numbered - plain) if sure else ())


def _bare(letter: Letter) -> list[int]:
    items = (item for item in flat(letter.scripts.above) if isinstance(item, Numeral))
    return [int(item.value) for item in items if item.value == int(item.value)]


def _has_layer(letter: Letter) -> bool:
    return any(_counted(item) is not None for item in flat(letter.scripts.above))


def _differentiated(part: Written) -> tuple[Written | None, ...]:
    if isinstance(part, Differential):
        return part.top, part.bottom
    return (part.operand, part.by) if isinstance(part, Nabla) else ()


def _says_value(statement: Statement) -> bool:
    """Whether a statement says what something is, and not only what it is the derivative of."""
    if not statement.links or statement.links[0].sign not in EQUALS:
        return False
    rights = [part for link in statement.links for part in walk(link.right)]
    return not any(isinstance(part, Differential | Nabla) for part in rights)
