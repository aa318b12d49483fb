"""Letters that a document uses in two faces: the loss 𝓒 beside the matrix C."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bptt.checking.names import walk
from bptt.checking.written import Letter, Statement, Written, rewritten

CALLIGRAPHIC = "calligraphic"
# What is calligraphic beside a letter of the same name is a loss, and gets a loss's name.
NAMES = ("loss", "Loss", "SCE")


def told_apart(statements: Sequence[Statement]) -> list[Statement]:
    """The statements with a name of its own for each calligraphic letter that also stands in another face."""
    faces: dict[str, set[bool]] = {}
    for statement in statements:
        parts = [statement.left, *(link.right for link in statement.links)]
        for part in walk([p for p in parts if p is not None]):
            if isinstance(part, Letter):
                faces.setdefault(part.name, set()).add(part.face == CALLIGRAPHIC)
    names = dict(zip((name for name, both in faces.items() if len(both) > 1), NAMES, strict=False))

    def change(node: Written) -> Written:
        if isinstance(node, Letter) and node.face == CALLIGRAPHIC and node.name in names:
            return replace(node, name=names[node.name])
        return node

    if not names:
        return list(statements)
    return [rewritten(statement, change) for statement in statements]
