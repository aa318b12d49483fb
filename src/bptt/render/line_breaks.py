"""Long formulas on several lines: broken before signs, within brackets where it has to be."""

from __future__ import annotations

from bptt.render.marks import (
    Brackets,
    Call,
    Fence,
    Line,
    Mark,
    Script,
    Sign,
    Under,
    is_tall,
    width,
)

# A line may begin with these.
_BREAKABLE = (Sign("+"), Sign("−"), Sign("∘"))
# What stands on a further line is moved to the right by so much, in em.
_INDENT = 2.0


def broken(mark: Mark, limit: float) -> list[Mark]:
    """The mark on lines of at most `limit` em where it can be; each line but the first begins with a sign."""
    if width(mark) <= limit:
        return [mark]
    lines: list[list[Mark]] = []
    room = limit
    for piece in _pieces(mark, limit - _INDENT):
        wide = sum(map(width, piece))
        if not lines or (wide > room and piece[0] in _BREAKABLE):
            room = limit - (_INDENT if lines else 0)
            lines.append([])
        lines[-1] += piece
        room -= wide
    return [line[0] if len(line) == 1 else Line(tuple(line)) for line in lines]


def _pieces(mark: Mark, limit: float) -> list[list[Mark]]:
    """What stays on one line each; all but the first begin with a sign."""
    if width(mark) <= limit:
        return [[mark]]
    match mark:
        case Line(items):
            pieces: list[list[Mark]] = [[]]
            for place, item in enumerate(items):
                if item in _BREAKABLE and place:
                    pieces.append([item])
                    continue
                first, *rest = _pieces(item, limit)
                pieces[-1] += first
                pieces += rest
            return pieces
        case Brackets(body, left, right):
            return _enclosed(
                [Fence(left, is_tall(body))], _pieces(body, limit), [Fence(right, is_tall(body))]
            )
        case Call(function, Brackets() as argument):
            return _enclosed([function], _pieces(argument, limit), [])
        case Script(Brackets(body, left, right), below, above):
            closing = Script(Fence(right, is_tall(body)), below, above)
            return _enclosed([Fence(left, is_tall(body))], _pieces(body, limit), [closing])
        case Under(body):
            # Across lines there is nothing that a shape could stand under.
            return _pieces(body, limit)
        case _:
            return [[mark]]


def _enclosed(before: list[Mark], pieces: list[list[Mark]], after: list[Mark]) -> list[list[Mark]]:
    pieces[0] = [*before, *pieces[0]]
    pieces[-1] = [*pieces[-1], *after]
    return pieces
