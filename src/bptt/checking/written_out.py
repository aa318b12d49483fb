"""Elements of gradients with every intermediate derivative put in, as an author writes them in one line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bptt.checking.judge import letters
from bptt.checking.pool import parts_of, renamed
from bptt.derivation.board import Board
from bptt.derivation.steps import Derivation
from bptt.formula.tree import Derivative, Formula, Indexed, Sum, Symbol, transform

# Parts of a formula; what is longer helps nobody.
LONGEST = 120


@dataclass(frozen=True)
class _Known:
    """The element of a gradient, and the letters of its place."""

    letters: tuple[str, ...]
    element: Formula


def written_out(board: Board, gradients: Sequence[Derivation]) -> Formula | None:
    """The element of the last gradient, with those before it put in; None where that gets too long."""
    errors = {value.symbol: value.error for value in board.values.values() if value.error is not None}
    # By what they are taken by, and by the letter that stands for them.
    by_symbol: dict[Formula, _Known] = {}
    by_error: dict[Formula, _Known] = {}
    result: Formula | None = None
    for gradient in gradients:
        result = _PutIn(by_symbol, by_error, board.letters).into(gradient.index.result)
        if result is None or sum(1 for _ in parts_of(result)) > LONGEST:
            return None
        known = _Known(tuple(letters(gradient.index.left)), result)
        by_symbol[gradient.symbol] = known
        if gradient.symbol in errors:
            by_error[errors[gradient.symbol]] = known
    return result


class _PutIn:
    def __init__(
        self, by_symbol: Mapping[Formula, _Known], by_error: Mapping[Formula, _Known], letters: Sequence[str]
    ) -> None:
        self.by_symbol, self.by_error, self.letters = by_symbol, by_error, letters
        self.failed = False

    def into(self, formula: Formula) -> Formula | None:
        """The formula with what is known in its place, in letters that stand nowhere else in it."""
        here = set(_letters_of(formula))
        fresh = (letter for letter in self.letters if letter not in here)
        result = transform(formula, lambda part: self._put(part, fresh))
        return None if self.failed else result

    def _put(self, part: Formula, fresh: Iterator[str]) -> Formula:
        match part:
            case Derivative(top=Symbol(name="J"), bottom=Indexed(base=base, indices=indices)):
                known = self.by_symbol.get(base)
            case Indexed(base=base, indices=indices):
                known = self.by_error.get(base)
            case _:
                return part
        if known is None:
            return part
        element = _with_letters(known.element, fresh)
        places = dict(zip(known.letters, (index.letter for index in indices), strict=True))
        result = None if element is None else renamed(element, places)
        self.failed = self.failed or result is None
        return part if result is None else result


def in_letters_of(left: Formula, own: Formula, result: Formula, board: Board) -> Formula | None:
    """A result about `own` in the letters of `left`; what is summed over gets other letters. None where the
    two have not as many letters, or there are no more.
    """
    ours, theirs = list(letters(own)), list(letters(left))
    if len(ours) != len(theirs):
        return None
    taken = {*theirs, *_letters_of(result)}
    renaming = dict(zip(ours, theirs, strict=True))
    plain = renamed(result, renaming)
    if plain is not None:
        return plain
    fresh = _with_letters(result, (letter for letter in board.letters if letter not in taken))
    return None if fresh is None else renamed(fresh, renaming)


def _with_letters(formula: Formula, fresh: Iterator[str]) -> Formula | None:
    """The formula with letters of its own under its sums; None where there are no more letters."""
    failed = False

    def rename(part: Formula) -> Formula:
        nonlocal failed
        if not isinstance(part, Sum) or part.over_times:
            return part
        letter = next(fresh, None)
        body = None if letter is None else renamed(part.body, {part.letter: letter})
        if letter is None or body is None:
            failed = True
            return part
        return Sum(letter, body, part.size)

    result = transform(formula, rename)
    return None if failed else result


def _letters_of(formula: Formula) -> Iterator[str]:
    for part in parts_of(formula):
        match part:
            case Indexed(indices=indices):
                yield from (index.letter for index in indices)
            case Sum(letter=letter):
                yield letter
