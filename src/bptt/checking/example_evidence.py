"""Evidence that a document speaks of many examples at once.

A letter counts them if what the model reads has it, and it goes through every equation from the right side to
the left; matrices hold them if words say that rows or columns are examples. Where a document speaks of one
example, and says somewhere that there are more, it is left as it is.
"""

from __future__ import annotations

import re
from dataclasses import replace

from bptt.checking.examples import Examples, below, bound, factors_of, is_loss, subject
from bptt.checking.names import EQUALS, TRANSPOSES, Lettering, Unclear, counted, flat, walk
from bptt.checking.survey import USUAL_LOSSES, differentiates, is_claim, parts_of
from bptt.checking.vocabulary import LOSSES
from bptt.checking.written import (
    Big,
    Bracketed,
    Call,
    Chain,
    Differential,
    Fraction,
    Letter,
    Reading,
    Scripts,
    Statement,
    Terms,
    Written,
)

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


# $n$ examples, a batch of size $n$.
_COUNTED = re.compile(
    rf"\$\s*([A-Za-z])\s*\$\s*(?:\w+\s+)?(?:{_EXAMPLE.pattern})|\bsize\s*\$\s*([A-Za-z])\s*\$"
)
# Rows, and columns, of X (also in the other order); and those that are examples.
_OF_X = tuple(
    re.compile(rf"(?:{word})\s*(?:of|von|de|en|in|into)?\s*{_X}", re.IGNORECASE) for word in (_ROW, _COLUMN)
)
_NEAR_X = tuple(_near(word, _X, 14) for word in (_ROW, _COLUMN))
_NEAR_EXAMPLES = tuple(_near(word, _EXAMPLE.pattern, 30) for word in (_ROW, _COLUMN))
_DESIGN = re.compile(r"design matrix|Designmatrix|Datenmatrix|data matrix|matrice des données", re.IGNORECASE)
# The names of what a model reads, and those that examples are counted up to.
_READ = frozenset({"x", "X"})
_COUNTS = frozenset({"N", "m", "M", "B", "n"})
# What it is compared with.
_COMPARED = frozenset({"y", "Y", "t", "T", "d", "D", "q", "Q"})


def examples_of(reading: Reading, letters: Lettering) -> Examples | None:
    """What the document says of examples; None where it speaks of one, or of no such thing."""
    statements = reading.statements
    said = [
        s
        for s in statements
        if subject(s) is not None
        and s.links
        and s.links[0].sign in EQUALS
        and not is_claim(s.left)
        and not any(differentiates(link.right) for link in s.links)
    ]
    text = reading.source.text
    found = _stacked(said, letters, text) or _lettered(said, letters, text)
    if found is None or not _is_of_one_each(said, found, letters):
        return None
    totals = {_name(subject(s), letters) for s in said if _totals(s, found)} - {""}
    found = replace(found, totals=frozenset(totals))
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
    return replace(found, vectors=(found.vectors | small) - found.stacks - {""})


def _is_transpose(item: Written) -> bool:
    return isinstance(item, Letter) and item.name in TRANSPOSES


def _is_of_one_each(said: list[Statement], found: Examples, letters: Lettering) -> bool:
    """Whether no example depends on others (as by a mean of all, or X Xᵀ), and the loss is a plain sum of
    what each of them has, or their mean.
    """
    totals = {_name(subject(s), letters) for s in said if _totals(s, found)}
    for statement in said:
        rights = [link.right for link in statement.links]
        if is_loss(statement, found.letters):
            if not all(_is_additive(right, found) for right in rights):
                return False
            continue
        for part in walk(rights):
            if isinstance(part, Letter) and _name(part, letters) in totals - {""}:
                return False
            if isinstance(part, Chain) and found.stacks and _multiplies(part, found):
                return False
    return True


def _totals(statement: Statement, found: Examples) -> bool:
    """Whether a statement says what is summed over all examples."""
    sums = (p for p in walk([link.right for link in statement.links]) if isinstance(p, Big))
    return any(found.letters.intersection(bound(list(p.below))) for p in sums)


def _is_additive(node: Written, found: Examples) -> bool:
    """Whether sums over the examples are terms, at most with factors in front."""
    match node:
        case Terms(terms=parts):
            return all(_is_additive(part, found) for part in parts)
        case Chain(factors=parts, signs=signs) if all(sign in ("", "·") for sign in signs):
            several = sum(_holds_sum(part, found) for part in parts) > 1
            return not several and all(_is_additive(part, found) for part in parts)
        case Bracketed(inner=inner, scripts=Scripts((), (), 0)):
            return _is_additive(inner, found)
        case Fraction(top=top, bottom=bottom):
            return _is_additive(top, found) and not _holds_sum(bottom, found)
        case Big(below=items) if found.letters.intersection(bound(list(items))):
            return True
    return not _holds_sum(node, found)


def _holds_sum(node: Written, found: Examples) -> bool:
    return any(
        isinstance(part, Big) and bool(found.letters.intersection(bound(list(part.below))))
        for part in walk([node])
    )


def _multiplies(node: Chain, found: Examples) -> bool:
    """Whether two matrices of examples are multiplied, not element by element."""
    held = [
        any(isinstance(part, Letter) and part.name in found.bases for part in walk([factor]))
        for factor in node.factors
    ]
    pairs = zip(held, held[1:], node.signs, strict=False)
    return any(one and other and sign not in ("∘", "*", "/") for one, other, sign in pairs)


# A letter that counts examples.


def _lettered(said: list[Statement], letters: Lettering, text: str) -> Examples | None:
    named = [part for s in said for part in walk(parts_of(s)) if isinstance(part, Letter)]
    read = [part for part in named if part.name in _READ]
    above = {counted(item) for part in read for item in flat(part.scripts.above)} - {""}
    above = {letter for letter in above if _goes_through_above(letter, said)}
    letters_below = {
        item.name for part in read for item in flat(part.scripts.below) if isinstance(item, Letter)
    }
    letters_below = {letter for letter in letters_below if _goes_through(letter, said, letters)}
    both = above | letters_below
    objectives, counts = _objectives(said, both)
    if not both or not (_EXAMPLE.search(text) or "mean" in objectives):
        return None
    slots = {
        part.name: place
        for part in named
        for place, item in enumerate(flat(part.scripts.below))
        if isinstance(item, Letter) and item.name in letters_below
    }
    pairs = [
        place
        for part in named
        for items in [list(flat(part.scripts.below))]
        for place, item in enumerate(items)
        if len(items) == 2 and isinstance(item, Letter) and item.name in letters_below
    ]
    in_rows = pairs[0] == 0 if pairs else _in_rows(text)
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
        rows=in_rows is not False,
        told=in_rows is not None,
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
        has = [part for part in parts if isinstance(part, Letter) and letter in below(part)]
        for part in parts:
            if isinstance(part, Letter) and part.name not in USUAL_LOSSES:
                names = below(part) or [""]
                for place, name in enumerate(names):
                    slots.setdefault(part.name, set()).add((place, name))
                if any(isinstance(i, Terms) and _mentions(i, letter) for i in flat(part.scripts.below)):
                    return False
        if not has:
            continue
        sums = [p for p in parts if isinstance(p, Big) and letter in bound(list(p.below))]
        left = subject(statement)
        is_left = left is not None and letter in below(left)
        if is_left and sums:
            return False
        if not is_left:
            if not is_loss(statement, frozenset({letter})):
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
        if has and sums and not is_loss(statement, frozenset({letter})):
            return False
    return has_loss


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
    one = any(part.name == "x" and part.scripts.below == part.scripts.above == () for part in named)
    if in_rows is None or not root or one:
        return None
    stacks = {"X"}
    upright = False
    losses = [s for s in said if is_loss(s, frozenset())]
    for statement in said:
        name = _name(subject(statement), letters)
        parts = list(walk([link.right for link in statement.links]))
        used = {_name(part, letters) for part in parts if isinstance(part, Letter)}
        if name and statement not in losses and used & stacks:
            stacks.add(name)
            upright = upright or any(map(_is_upright, parts))
    everything = [part for s in said for part in walk(parts_of(s))]
    vectors = {name for part in everything if (name := _beside_x(part))}
    upright = upright or bool(vectors)
    in_loss = [p for s in losses for p in walk([link.right for link in s.links]) if isinstance(p, Letter)]

    def place(part: Letter) -> int:
        return 0 if in_rows or len(below(part)) == 1 else 1

    held = [part for part in in_loss if _name(part, letters) in stacks and len(below(part)) in (1, 2)]
    found = {below(part)[place(part)] for part in held} - {""}
    compared = [part for part in in_loss if part.name in _COMPARED]
    compared = [p for p in compared if not below(p) or below(p)[min(place(p), len(below(p)) - 1)] in found]
    stacks |= {_name(part, letters) for part in compared}
    slots = {part.name: place(part) for part in (*held, *compared) if below(part)}
    objectives, counts = _objectives(said, found)
    return Examples(
        slots,
        stacks=frozenset(stacks),
        bases=frozenset({part.name for part in named if _name(part, letters) in stacks}),
        names=frozenset(stacks),
        letters=frozenset(found),
        counts=frozenset(counts),
        rows=in_rows,
        upright=upright and in_rows,
        vectors=frozenset(vectors),
        objectives=objectives,
    )


def _is_upright(node: Written) -> bool:
    """The column of ones: X W + 1 bᵀ."""
    return isinstance(node, Letter) and node.name == "1" and bool(node.face)


def _beside_x(node: Written) -> str:
    """The vector w of a product X w; "" for anything else."""
    match node:
        case Chain((Letter(name="X"), Letter(name=name, scripts=Scripts((), (), 0)), *_), _):
            return name if name[:1].islower() else ""
    return ""


def _in_rows(text: str) -> bool | None:
    """Whether examples are rows, as the text says; None where it does not say."""
    said = {letter for found in _COUNTED.findall(text) for letter in found if letter}
    letter = f"[{''.join(sorted({'N', 'm', 'M', 'B'} | said))}]"
    # X is N × D, or D × N.
    sizes = (rf"\b{letter}\s*\\times", rf"\\times\s*\{{?{letter}\b")
    size_of_x = tuple(re.compile(rf"{_X}[^.\n]{{0,30}}?{size}") for size in sizes)
    for patterns in (size_of_x, _OF_X, _NEAR_X, _NEAR_EXAMPLES):
        rows, columns = (pattern.search(text) is not None for pattern in patterns)
        if rows != columns:
            return rows
    return True if _DESIGN.search(text) else None


# The objective.


def _objectives(said: list[Statement], letters: set[str]) -> tuple[tuple[str, ...], set[str]]:
    """How J is made of the losses of all examples, and the names of their number."""
    counts: set[str] = set()
    divided = unsaid = False
    for statement in said:
        if not is_loss(statement, frozenset(letters)):
            continue
        for part in walk([link.right for link in statement.links]):
            match part:
                case Big(below=below, above=above) if letters.intersection(bound(list(below))):
                    counts |= {item.name for item in above if isinstance(item, Letter)}
                case Fraction(bottom=bottom):
                    names = {f.name for f in factors_of(bottom) if isinstance(f, Letter)} & _COUNTS
                    divided = divided or bool(names)
                    counts |= names
                case Call(function=function, arguments=(_, _)):
                    unsaid = unsaid or function.name in LOSSES
    objectives = ("mean",) if divided else ("sum", "mean") if unsaid and not letters else ("sum",)
    return objectives, counts or {"N"}


def _name(part: Written | None, letters: Lettering) -> str:
    if not isinstance(part, Letter):
        return ""
    try:
        return letters.resolve(part).name
    except Unclear:
        return ""
