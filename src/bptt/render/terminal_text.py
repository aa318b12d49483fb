"""Text in a terminal: words and formulas on lines of a given width."""

from __future__ import annotations

from bptt.render.boxes import width
from bptt.render.page import Text
from bptt.render.unicode import show

_UNBROKEN = "\u00a0"


def plain(text: Text) -> str:
    """The text on one line."""
    return " ".join(_words(text)).replace(_UNBROKEN, " ")


def wrapped(text: Text, columns: int) -> list[str]:
    """The text in lines. A formula is not broken, unless it alone is wider than a line."""
    lines: list[str] = []
    line = ""
    for word in _words(text):
        for part in word.split(_UNBROKEN) if width(word) > columns else [word]:
            joined = f"{line} {part}" if line else part
            if line and width(joined) > columns:
                lines.append(line)
                line = part
            else:
                line = joined
    return [one.replace(_UNBROKEN, " ") for one in [*lines, line]]


def _words(text: Text) -> list[str]:
    """What stands between the spaces of the text; a formula is one word with the signs that touch it."""
    parts = [
        " ".join(part.split("\n")) if isinstance(part, str) else show(part).replace(" ", _UNBROKEN)
        for part in text
    ]
    return [word for word in "".join(parts).split(" ") if word]
