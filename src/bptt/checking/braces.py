"""Braces: which belong together, which were never closed, and which group nothing for the eye."""

from __future__ import annotations

from collections.abc import Sequence

from bptt.checking import notation as table
from bptt.checking.lexer import Token

_IN_ONE_ROW = frozenset(["_", "^", "}", *table.FACES, *table.ARGUMENTS, *table.SYNONYMS]) - {r"\substack"}


def partners(tokens: Sequence[Token]) -> dict[int, int]:
    """Each opening brace with its closing one; those that have none are left out.

    The brace of an argument that is still open where a row ends was never closed, except where the command is
    made for rows: formulas that came through a conversion lose their braces.
    """
    found: dict[int, int] = {}
    stack: list[int] = []  # positions of opening braces; -1 for the beginning of an environment
    for position, token in enumerate(tokens):
        if token.kind == "break":
            while stack and stack[-1] > 0 and tokens[stack[-1] - 1].text in _IN_ONE_ROW:
                stack.pop()
        elif token.text == r"\begin":
            stack.append(-1)
        elif token.text == r"\end" and -1 in stack:
            while stack.pop() >= 0:
                pass
        elif token.kind == "symbol" and token.text == "{":
            stack.append(position)
        elif token.kind == "symbol" and token.text == "}" and stack and stack[-1] >= 0:
            found[stack.pop()] = position
    return found


def without_bare_braces(found: list[Token]) -> list[Token]:
    """Without the braces that group nothing for the eye: `{h}^T` is `h^T`, `\\frac{a}{b}` stays."""
    kept: list[Token] = []
    needed = 0
    stack: list[tuple[int, bool]] = []
    for mark in found:
        match mark.kind:
            case "{":
                is_argument = needed > 0
                stack.append((max(0, needed - 1), is_argument))
                needed = 0
                if is_argument:
                    kept.append(mark)
                continue
            case "}":
                needed, is_argument = stack.pop() if stack else (0, False)
                if is_argument:
                    kept.append(mark)
                continue
            case "_" | "^":
                needed = 1
            case "command":
                needed = max(0, needed - 1) + table.ARGUMENTS.get(mark.text, 0)
            case _:
                needed = max(0, needed - 1)
        kept.append(mark)
    return kept
