"""Tables with formulas in 80 columns: what is too long for its column goes on in the next line."""

from __future__ import annotations

from collections.abc import Sequence

WIDTH = 80
GAP = 2
NARROWEST = 12


def table(rows: Sequence[Sequence[str]], flexible: Sequence[int], right: Sequence[int]) -> list[str]:
    """The rows as lines, columns aligned; `flexible` columns hold formulas and may be wrapped, the columns
    `right` are aligned to the right.
    """
    columns = range(max(map(len, rows)))
    cells = [[*row, *[""] * (len(columns) - len(row))] for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in columns]
    room = WIDTH - GAP * (len(widths) - 1) - sum(widths[c] for c in columns if c not in flexible)
    for column, width in zip(flexible, _shared([widths[c] for c in flexible], room), strict=True):
        widths[column] = width
    lines = []
    for row in cells:
        wrapped = [wrap_formula(row[c], widths[c]) if c in flexible else [row[c]] for c in columns]
        for number in range(max(map(len, wrapped))):
            texts = [w[number] if number < len(w) else "" for w in wrapped]
            line = (" " * GAP).join(
                f"{text:>{widths[c]}}" if c in right else f"{text:<{widths[c]}}"
                for c, text in enumerate(texts)
            )
            lines.append(line.rstrip())
    return lines


def _shared(wanted: list[int], room: int) -> list[int]:
    """The room for the flexible columns: those that want less than their share leave the rest to others."""
    given = [0] * len(wanted)
    left = sorted(range(len(wanted)), key=wanted.__getitem__)
    while left:
        column = left.pop(0)
        given[column] = max(min(wanted[column], room // (len(left) + 1)), min(wanted[column], NARROWEST))
        room -= given[column]
    return given


def wrap_formula(text: str, width: int) -> list[str]:
    """The text in lines of this width, broken before a sign; inside a term only where it is longer itself.
    Its indentation is that of every line.
    """
    indent = " " * (len(text) - len(text.lstrip()))
    if indent:
        return [indent + line for line in wrap_formula(text.lstrip(), width - len(indent))]
    pieces: list[str] = []
    for word in text.split(" "):
        if pieces and pieces[-1] in ("+", "-", ">", "<"):
            pieces[-1] += " " + word
        else:
            pieces.append(word)
    lines = [""]
    for piece in pieces:
        joined = f"{lines[-1]} {piece}" if lines[-1] else piece
        if len(joined) <= width:
            lines[-1] = joined
            continue
        if lines[-1]:
            lines.append("")
        while len(piece) > width:
            cut = piece.rfind("·", 0, width) + 1 or width
            lines[-1] = piece[:cut]
            lines.append("")
            piece = piece[cut:]
        lines[-1] = piece
    return lines
