"""What a document says of many examples at once: by a letter that counts them (x_n, x^{(i)}, X_{ni}), or by
matrices with an example in each row or column (Z = XW + b).

Both say the same of a model for one example, which is what its equations make once the examples are left out
of them; the objective is then the sum or the mean of what each of them has. A letter counts examples only
with evidence: what the model reads has it, it goes through every equation from the right side to the left,
and the document speaks of examples or divides by their number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bptt.checking.meaning import Quantity
from bptt.checking.names import EQUALS, TRANSPOSES, Lettering, Unclear, counted, flat, walk
from bptt.checking.survey import USUAL_LOSSES, differentiates, is_claim, parts_of
from bptt.checking.turned import Turned
from bptt.checking.written import (
    Big,
    Call,
    Chain,
    Differential,
    Fraction,
    Letter,
    Listed,
    Numeral,
    Reading,
    Relation,
    Scripts,
    Statement,
    Terms,
    Written,
    mapped,
)
from bptt.formula.shapes import BATCH
from bptt.syntax.tree import Equation

_EXAMPLE = re.compile(
    r"\b(?:examples?|samples?|instances?|data ?points?|observations?|(?:mini-?)?batch(?:es)?|training set"
    r"|Beispiele?n?|Trainingsdaten|exemples?|ejemplos?|muestras?)\b|样本|样例|例子|批",
    re.IGNORECASE,
)
_X = r"\$\s*(?:\\(?:mathbf|boldsymbol|bm)\s*\{?\s*)?X\b"
_ROW = r"\b(?:rows?|Zeilen?|lignes?|filas?)\b|行"
_COLUMN = r"\b(?:columns?|Spalten?|colonnes?|columnas?)\b|列"


def _near(word: str, other: str, distance: int) -> re.Pattern[str]:
    """Two words in one sentence, at most so many letters apart."""
    gap = rf"[^.\n]{{0,{distance}}}"
    return re.compile(rf"(?:{word}){gap}(?:{other})|(?:{other}){gap}(?:{word})", re.IGNORECASE)


# Rows, and columns, of X (also in the other order); and those that are examples.
_OF_X = tuple(
    re.compile(rf"(?:{word})\s*(?:of|von|de|en|in|into)?\s*{_X}", re.IGNORECASE) for word in (_ROW, _COLUMN)
)
_NEAR_X = tuple(_near(word, _X, 14) for word in (_ROW, _COLUMN))
_NEAR_EXAMPLES = tuple(_near(word, _EXAMPLE.pattern, 30) for word in (_ROW, _COLUMN))
# The names of what a model reads, and those that examples are counted up to.
_READ = frozenset({"x", "X"})
_COUNTS = frozenset({"N", "m", "M", "B", "n"})
# What it is compared with.
_COMPARED = frozenset({"y", "Y", "t", "T", "d", "D", "q", "Q"})


@dataclass(frozen=True)
class Examples:
    """`slots` says at which place below a name its example stands, and `above` which letters in brackets
    above one count examples (`letters` are both). `names` are all that differ from example to example, and
    `vectors` what is one for certain. `stacks` are the matrices that hold all examples, in their `rows` or
    columns; `upright` says that vectors of a single thing stand nevertheless as columns. `counts` are the
    names of the number of examples, and `objectives` how J may be made of the losses of all: "sum", "mean",
    "own" (see batches.BatchValues).
    """

    slots: Mapping[str, int] = field(default_factory=dict)
    above: frozenset[str] = frozenset()
    stacks: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    vectors: frozenset[str] = frozenset()
    letters: frozenset[str] = frozenset()
    counts: frozenset[str] = frozenset()
    rows: bool = True
    upright: bool = False
    objectives: tuple[str, ...] = ("sum",)

    def one(self, statement: Statement) -> Statement:
        """What a statement says of one example."""
        is_loss = _is_loss(statement, self.letters)

        def change(node: Written) -> Written:
            match node:
                case Letter():
                    return self._one(node)
                case Big(sign="Σ", below=below, body=body) if below:
                    kept = tuple(item for item in below if not self.letters.intersection(bound([item])))
                    return node if kept == below else replace(node, below=kept) if kept else body
                case Fraction() | Chain() if is_loss:
                    return _undivided(node, self.counts)
            return node

        left = None if statement.left is None else mapped(statement.left, change)
        links = tuple(replace(link, right=mapped(link.right, change)) for link in statement.links)
        return replace(statement, left=left, links=links)

    @property
    def ranks(self) -> dict[str, int]:
        """How many axes the names have for one example: a row of a matrix is a vector."""
        small = {name for name in self.stacks if self.upright and name[:1].islower()}
        return {name: 0 if name in small else 1 for name in self.stacks} | dict.fromkeys(self.vectors, 1)

    def equation(self, equation: Equation) -> Equation:
        """The equation of one example as it is written for vectors: z = Wᵀx + b for Z = XW + 1bᵀ."""
        if not self.stacks:
            return equation
        return replace(equation, value=Turned(self.stacks, self.upright)(equation.value))

    def _one(self, letter: Letter) -> Letter | Numeral:
        if letter.name == "1" and letter.face and letter.scripts == Scripts():
            return Numeral(1.0, letter.span)
        scripts = letter.scripts
        below, above = list(flat(scripts.below)), tuple(flat(scripts.above))
        place = self.slots.get(letter.name)
        if place is not None and place < len(below) and isinstance(below[place], Letter):
            del below[place]
            scripts = replace(scripts, below=tuple(below))
        kept = tuple(item for item in above if counted(item) not in self.above)
        if kept != above:
            scripts = replace(scripts, above=kept)
        return letter if scripts is letter.scripts else replace(letter, scripts=scripts)


def bound(below: list[Written]) -> list[str]:
    """The letters that a sum runs over, as they stand below it."""
    found: list[str] = []
    for item in below:
        match item:
            case Letter(name=name):
                found.append(name)
            case Listed(parts) | Chain(parts, _):
                found += bound(list(parts))
            case Relation((first, *_), _):
                found += bound([first])
    return found


def examples_of(reading: Reading, letters: Lettering) -> Examples | None:
    """What the document says of examples; None where it speaks of one, or of no such thing."""
    statements = reading.statements
    said = [
        s
        for s in statements
        if isinstance(s.left, Letter | Call)
        and s.links
        and s.links[0].sign in EQUALS
        and not is_claim(s.left)
        and not any(differentiates(link.right) for link in s.links)
    ]
    text = reading.source.text
    found = _stacked(said, letters, text) or _lettered(said, letters, text)
    if found is None:
        return None
    everything = [part for s in statements for part in walk(parts_of(s))]
    if found.stacks:
        found = replace(found, above=_above(everything))
    if found.objectives == ("mean",) and any(map(_is_short, everything)):
        # dZ may be what each example has by itself, where dW is that of the mean.
        found = replace(found, objectives=("mean", "own"))
    named = [part for s in said for part in walk(parts_of(s)) if isinstance(part, Letter)]
    small = {
        _name(part, letters)
        for part in named
        if part.name[:1].islower()
        and any(isinstance(a, Letter) and a.name in TRANSPOSES for a in part.scripts.above)
    }
    return replace(found, vectors=frozenset(small - found.stacks - {""}))


def _is_transpose(item: Written) -> bool:
    return isinstance(item, Letter) and item.name in TRANSPOSES


# A letter that counts examples.


def _lettered(said: list[Statement], letters: Lettering, text: str) -> Examples | None:
    named = [part for s in said for part in walk(parts_of(s)) if isinstance(part, Letter)]
    read = [part for part in named if part.name in _READ]
    above = {name for part in read for item in flat(part.scripts.above) if (name := counted(item))}
    above = {letter for letter in above if _goes_through_above(letter, said)}
    below = {item.name for part in read for item in flat(part.scripts.below) if isinstance(item, Letter)}
    below = {letter for letter in below if _goes_through(letter, said, letters)}
    both = above | below
    objectives, counts = _objectives(said, both)
    if not both or not (_EXAMPLE.search(text) or "mean" in objectives):
        return None
    slots = {
        part.name: place
        for part in named
        for place, item in enumerate(flat(part.scripts.below))
        if isinstance(item, Letter) and item.name in below
    }
    pairs = [
        place
        for part in named
        for items in [list(flat(part.scripts.below))]
        for place, item in enumerate(items)
        if len(items) == 2 and isinstance(item, Letter) and item.name in below
    ]
    rows = pairs[0] == 0 if pairs else _in_rows(text) is not False
    letters = replace(letters, examples=frozenset(above))
    names = {
        _name(part, letters)
        for part in named
        if part.name in slots or above.intersection(map(counted, flat(part.scripts.above)))
    }
    return Examples(
        slots,
        frozenset(above),
        names=frozenset(names - {""}),
        letters=frozenset(both),
        counts=frozenset(counts),
        rows=rows,
        objectives=objectives,
    )


def _goes_through(letter: str, said: list[Statement], letters: Lettering) -> bool:
    """Whether every equation with the letter below a name has it on both sides, or sums over it to make the
    loss, and every name that has it always has it, at one place.
    """
    slots: dict[str, set[tuple[int, str]]] = {}
    has_loss = False
    for statement in said:
        parts = list(walk(parts_of(statement)))
        has = [part for part in parts if isinstance(part, Letter) and letter in _below(part)]
        for part in parts:
            if isinstance(part, Letter):
                names = _below(part) or [""]
                for place, name in enumerate(names):
                    slots.setdefault(part.name, set()).add((place, name))
                if any(isinstance(i, Terms) and _mentions(i, letter) for i in flat(part.scripts.below)):
                    return False
        if not has:
            continue
        sums = [p for p in parts if isinstance(p, Big) and letter in bound(list(p.below))]
        is_left = isinstance(statement.left, Letter) and letter in _below(statement.left)
        if is_left and sums:
            return False
        if not is_left:
            if not _is_loss(statement, frozenset({letter})):
                return False
            has_loss = True
    carrying = {name: places for name, places in slots.items() if any(n == letter for _, n in places)}
    for places in carrying.values():
        at = {place for place, name in places if name == letter}
        if len(at) != 1 or any(name != letter for place, name in places if place in at):
            return False
        if ("" in {name for _, name in places}) or not at:
            return False
    return has_loss and any(name in carrying for name in _READ)


def _goes_through_above(letter: str, said: list[Statement]) -> bool:
    """The same for a letter in brackets above: no name of a model's own has it, as names of layers do."""
    has_loss = False
    for statement in said:
        parts = list(walk(parts_of(statement)))
        has = [p for p in parts if isinstance(p, Letter) and letter in map(counted, flat(p.scripts.above))]
        if any(part.name[:1] in "WUVwb" for part in has):
            return False
        sums = [p for p in parts if isinstance(p, Big) and letter in bound(list(p.below))]
        has_loss = has_loss or bool(has and sums)
        if has and sums and not _is_loss(statement, frozenset({letter})):
            return False
    return has_loss


def _below(letter: Letter) -> list[str]:
    return [item.name if isinstance(item, Letter) else "" for item in flat(letter.scripts.below)]


def _mentions(node: Written, letter: str) -> bool:
    return any(isinstance(part, Letter) and part.name == letter for part in walk([node]))


# Matrices with an example in each row or column.


def _above(everything: list[Written]) -> frozenset[str]:
    """Letters in brackets above the names of what examples have: z^{(i)}, where no weight has them."""
    letters = [part for part in everything if isinstance(part, Letter)]
    found = {(name, p.name) for p in letters for item in flat(p.scripts.above) if (name := counted(item))}
    weights = {letter for letter, name in found if name[:1] in "WUVwb"}
    return frozenset({letter for letter, _ in found} - weights)


def _is_short(part: Written) -> bool:
    """A short name for a derivative, such as dZ."""
    return isinstance(part, Differential) and bool(part.signs[0]) and not part.signs[1]


def _stacked(said: list[Statement], letters: Lettering, text: str) -> Examples | None:
    in_rows = _in_rows(text)
    named = [part for s in said for part in walk(parts_of(s)) if isinstance(part, Letter)]
    root = any(part.name == "X" and part.scripts.below == () for part in named)
    if in_rows is None or not root:
        return None
    stacks = {"X"}
    upright = False
    losses = [s for s in said if _is_loss(s, frozenset())]
    for statement in said:
        name = _name(statement.left, letters)
        parts = list(walk([link.right for link in statement.links]))
        used = {_name(part, letters) for part in parts if isinstance(part, Letter)}
        if name and statement not in losses and used & stacks:
            stacks.add(name)
            upright = upright or any(map(_is_upright, parts))
    slots: dict[str, int] = {}
    found: set[str] = set()
    for statement in losses:
        parts = list(walk([link.right for link in statement.links]))
        sums = [part for part in parts if isinstance(part, Big) and part.below]
        first = next((bound(list(big.below)) for big in sums), [])[:1]
        for part in parts:
            if isinstance(part, Letter):
                if part.name in _COMPARED:
                    stacks.add(_name(part, letters))
                places = [k for k, name in enumerate(_below(part)) if name in first]
                if places and part.name[:1].isupper() | (len(_below(part)) == 1):
                    slots[part.name] = places[0]
                    found.update(first)
    objectives, counts = _objectives(said, found)
    return Examples(
        slots,
        stacks=frozenset(stacks),
        names=frozenset(stacks),
        letters=frozenset(found),
        counts=frozenset(counts),
        rows=in_rows,
        upright=upright and in_rows,
        objectives=objectives,
    )


def _is_upright(node: Written) -> bool:
    """A product of X and a vector, or the column of ones: X w + b 1."""
    match node:
        case Chain((Letter(name="X"), Letter(name=name, scripts=Scripts((), (), 0)), *_), _):
            return name[:1].islower()
        case Letter(name="1"):
            return bool(node.face)
    return False


def _in_rows(text: str) -> bool | None:
    """Whether examples are rows, as the text says; None where it does not say."""
    for patterns in (_OF_X, _NEAR_X, _NEAR_EXAMPLES):
        rows, columns = (pattern.search(text) is not None for pattern in patterns)
        if rows != columns:
            return rows
    return None


# The objective.


def _is_loss(statement: Statement, letters: frozenset[str]) -> bool:
    """Whether a statement says what a loss is."""
    left = statement.left.function if isinstance(statement.left, Call) else statement.left
    if not isinstance(left, Letter) or is_claim(left) or any(_below(left)):
        return False
    if left.name in USUAL_LOSSES or left.name.rstrip("0123456789") in USUAL_LOSSES:
        return True
    sums = [p for p in walk(parts_of(statement)) if isinstance(p, Big)]
    return bool(left.face == "calligraphic" and sums) or any(
        letters.intersection(bound(list(p.below))) for p in sums
    )


def _objectives(said: list[Statement], letters: set[str]) -> tuple[tuple[str, ...], set[str]]:
    """How J is made of the losses of all examples, and the names of their number."""
    counts: set[str] = set()
    divided = summed = False
    for statement in said:
        if not _is_loss(statement, frozenset(letters)):
            continue
        for part in walk([link.right for link in statement.links]):
            match part:
                case Big(below=below, above=above):
                    summed = summed or not below or bool(letters.intersection(bound(list(below))))
                    if letters.intersection(bound(list(below))):
                        counts |= {item.name for item in above if isinstance(item, Letter)}
                case Fraction(bottom=bottom):
                    names = {f.name for f in _factors(bottom) if isinstance(f, Letter)} & _COUNTS
                    divided = divided or bool(names)
                    counts |= names
    return (("mean",) if divided else ("sum",) if summed else ("sum", "mean")), counts or set("N")


def _undivided(node: Fraction | Chain, counts: frozenset[str]) -> Written:
    """A formula that is not divided by the number of examples."""
    match node:
        case Fraction(top=top, bottom=bottom):
            factors = _factors(bottom)
            rest = [f for f in factors if not (isinstance(f, Letter) and f.name in counts)]
            if len(rest) == len(factors):
                return node
            if not rest:
                return top
            return replace(node, bottom=_chain(rest, ("",) * (len(rest) - 1), bottom))
        case Chain(factors=factors, signs=signs) if Numeral(1.0, node.span) in factors and "/" not in signs:
            rest = [f for f in factors if f != Numeral(1.0, f.span)]
            if rest and all(sign in ("", "·") for sign in signs):
                return _chain(rest, ("",) * (len(rest) - 1), node)
    return node


def _factors(node: Written) -> list[Written]:
    return list(node.factors) if isinstance(node, Chain) else [node]


def _chain(factors: list[Written], signs: tuple[str, ...], old: Written) -> Written:
    return factors[0] if len(factors) == 1 else Chain(tuple(factors), signs, old.span)


def _name(part: Written | None, letters: Lettering) -> str:
    if not isinstance(part, Letter):
        return ""
    try:
        return letters.resolve(part).name
    except Unclear:
        return ""


def with_capitals(quantities: dict[str, Quantity]) -> dict[str, Quantity]:
    """X for the matrix of all x, where nothing else is called so."""
    found = {
        capital: quantity
        for name, quantity in quantities.items()
        if len(quantity.symbol.shape) == 2 and BATCH in quantity.symbol.shape
        if (capital := name[:1].upper() + name[1:]) not in quantities
    }
    return quantities | found
