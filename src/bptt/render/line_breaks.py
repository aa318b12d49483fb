"""Long formulas on several lines: broken before signs, within brackets where it has to be."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bptt.render.marks import (
    Brackets,
    Call,
    Fence,
    Known,
    Line,
    Mark,
    Matrix,
    Script,
    Sign,
    Space,
    Stack,
    Under,
    is_tall,
    width,
)

# A line may begin with these.
_BREAKABLE = (Sign("+"), Sign("−"), Sign("∘"))
# What stands on a further line is moved to the right by so much, in em.
_INDENT = 2.0


@dataclass(frozen=True)
class _Piece:
    """What stays on one line. `lead` is written before it where it begins one, as it has to with `starts`."""

    marks: tuple[Mark, ...]
    lead: Sign | None = None
    starts: bool = False


def broken(mark: Mark, limit: float) -> list[Mark]:
    """The mark on lines of at most `limit` em where it can be; each line but the first begins with a sign."""
    if width(mark) <= limit:
        return [mark]
    lines: list[list[Mark]] = []
    room = limit
    for piece in _pieces(mark, limit - _INDENT):
        wide = sum(map(width, piece.marks))
        can_start = piece.lead is not None or piece.marks[0] in _BREAKABLE
        if not lines or (can_start and (piece.starts or wide > room)):
            room = limit - (_INDENT if lines else 0)
            if lines and lines[-1][-1] == Space():
                lines[-1].pop()
            lines.append([piece.lead] if piece.lead and lines else [])
        lines[-1] += piece.marks
        room -= wide
    return [line[0] if len(line) == 1 else Line(tuple(line)) for line in lines]


def height(mark: Mark) -> int:
    """The lines that it takes, as far as matrices and broken formulas make more than one of it."""
    match mark:
        case Stack(lines):
            return sum(map(height, lines))
        case Matrix(rows):
            return sum(max(map(height, row)) for row in rows)
        case Line(items):
            return max(map(height, items))
        case Brackets(body) | Under(body) | Known(body=body):
            return height(body)
        case _:
            return 1


def _pieces(mark: Mark, limit: float) -> list[_Piece]:
    if width(mark) <= limit:
        return [_Piece((mark,))]
    match mark:
        case Line(items) if any(item in _BREAKABLE for item in items[1:]):
            return _terms(items, limit)
        case Line(items):
            return _factors(items, limit)
        case Brackets(body, left, right):
            opening, closing = Fence(left, is_tall(body)), Fence(right, is_tall(body))
            return _enclosed(opening, _pieces(body, limit), closing)
        case Call(function, Brackets() as argument):
            return _enclosed(function, _pieces(argument, limit))
        case Script(Brackets(body, left, right), below, above):
            opening, closing = Fence(left, is_tall(body)), Fence(right, is_tall(body))
            return _enclosed(opening, _pieces(body, limit), Script(closing, below, above))
        case Matrix(rows):
            return [_Piece((_narrow(rows, limit),))]
        case Under(body):
            # Across lines there is nothing that a shape could stand under.
            return _pieces(body, limit)
        case _:
            return [_Piece((mark,))]


def _terms(items: tuple[Mark, ...], limit: float) -> list[_Piece]:
    """Each sign with what is behind it. A term that is broken begins on a line and leaves none begun."""
    places = [place for place, item in enumerate(items) if place and item in _BREAKABLE]
    pieces: list[_Piece] = []
    was_broken = False
    for start, end in zip([0, *places], [*places, len(items)], strict=True):
        first, *rest = _factors(items[start:end], limit)
        is_term = items[start] != Sign("∘")
        pieces += [replace(first, starts=is_term and (was_broken or bool(rest))), *rest]
        was_broken = bool(rest)
    return pieces


def _factors(items: tuple[Mark, ...], limit: float) -> list[_Piece]:
    """Factors side by side; where brackets follow each other a line may begin with a dot."""
    if sum(map(width, items)) <= limit:
        return [_Piece(items)]
    pieces: list[_Piece] = []
    before: Mark | None = None
    for item in items:
        first, *rest = _pieces(item, limit)
        if before is not None and _is_closed(before) and _is_closed(item):
            first = replace(first, lead=Sign("·"))
        elif pieces:
            last = pieces.pop()
            first = replace(last, marks=(*last.marks, *first.marks))
        pieces += [first, *rest]
        before = before if isinstance(item, Space) else item
    return pieces


def _is_closed(mark: Mark) -> bool:
    return isinstance(mark, Brackets | Call) or (isinstance(mark, Script) and isinstance(mark.base, Brackets))


def _enclosed(before: Mark, pieces: list[_Piece], after: Mark | None = None) -> list[_Piece]:
    pieces = [replace(pieces[0], marks=(before, *pieces[0].marks)), *pieces[1:]]
    if after is not None:
        pieces[-1] = replace(pieces[-1], marks=(*pieces[-1].marks, after))
    return pieces


def _narrow(rows: tuple[tuple[Mark, ...], ...], limit: float) -> Mark:
    """The matrix with wide cells on several lines: its wide columns share what the others leave."""
    widths = [max(map(width, column)) + 1 for column in zip(*rows, strict=True)]
    wide = [have for have in widths if have > limit / len(widths)]
    share = (limit - sum(widths) + sum(wide)) / len(wide)
    return Matrix(tuple(tuple(_stacked(cell, share - 1) for cell in row) for row in rows))


def _stacked(cell: Mark, limit: float) -> Mark:
    lines = broken(cell, limit)
    return cell if len(lines) == 1 else Stack(tuple(lines))
