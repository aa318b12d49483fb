"""The rows of a formula as they were meant: breaks that part none, words and conditions in brackets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bptt.checking.brackets import paired
from bptt.checking.conditions import ORDERS
from bptt.checking.lexer import Token
from bptt.checking.notation import ADDITIVE

_ROW_ENDS = ("break", "wide", "text", ",", ".", ";", "end")
_GOES_ON = ("operator", "letter", "word", "number", "(", "big", "command", "null", "begin", "|", "unread")


def without_asides(found: list[Token]) -> list[Token]:
    """Brackets that hold words only, `(by the chain rule)`, as the prose that they are, and those around a
    condition that stands apart, `= 0 (i ≠ j)`, left out."""
    kept: list[Token] = []
    partner = paired(found)
    apart: set[int] = set()
    place = 0
    while place < len(found):
        mark = found[place]
        if mark.kind == "(" and place + 2 < len(found):
            inside = found[place + 1]
            if inside.kind == "text" and found[place + 2].kind == ")":
                span = mark.span.to(found[place + 2].span)
                kept.append(Token("text", inside.text, span, mark.spaced))
                place += 3
                continue
            end = partner.get(place, 0)
            if end > place and _is_condition(found, place, end):
                apart |= {place, end}
        if place in apart:
            mark = replace(mark, kind="wide")
        kept.append(mark)
        place += 1
    return kept


def _is_condition(found: list[Token], start: int, end: int) -> bool:
    """Whether a bracket at the end of a row holds a relation, behind a number or a wide space; where the
    relation is no equality, some space will do.
    """
    before = found[start - 1] if start else found[start]
    if found[start].text != "(" or (before.kind, before.text) == ("number", "1"):
        return False
    if end + 1 < len(found) and found[end + 1].kind not in _ROW_ENDS:
        return False
    signs = [mark.text for mark in _outermost(found, start, end) if mark.kind == "relation"]
    if before.kind in ("number", "wide"):
        return bool(signs)
    apart = found[start].spaced and before.kind in ("letter", "}", ")", "'") and before.text not in ("1", "I")
    return apart and bool(signs) and ORDERS.issuperset(signs)


def _outermost(found: list[Token], start: int, end: int) -> Iterator[Token]:
    """The marks in a bracket that stand in no other bracket in it."""
    depth = 0
    for mark in found[start + 1 : end]:
        depth -= mark.kind == ")"
        if depth == 0:
            yield mark
        depth += mark.kind == "("


def joined_rows(found: list[Token]) -> list[Token]:
    """The marks without the row breaks that only part a formula, and the punctuation before them.

    A row goes on with the one before it if that ends with an operator or a relation, or if it begins with
    one; but a minus begins a formula of its own where a relation follows in the row.
    """
    kept: list[Token] = []
    before: Token | None = None  # the last mark of the row before
    following: Token | None = None  # the first mark of what comes next, from behind
    firsts: list[Token | None] = []
    for mark in reversed(found):
        firsts.append(following)
        if mark.kind not in ("wide", "break"):
            following = mark
    joined = False
    for place, (mark, first) in enumerate(zip(found, reversed(firsts), strict=True)):
        if joined and mark.kind == "wide":
            continue
        joined = False
        if mark.kind == "break":
            if first is None or before is None:
                continue
            if _goes_on(before, first, found, place):
                while kept[-1].kind in ("wide", "text"):
                    kept.pop()
                joined = True
                continue
        elif mark.kind not in ("wide", "text"):
            before = mark
        kept.append(mark)
    return kept


def _goes_on(before: Token, first: Token, found: list[Token], place: int) -> bool:
    """Whether a row that begins with `first` goes on with the one that ends with `before`."""
    if first.kind not in _GOES_ON:
        return False
    if before.kind in ("operator", "relation"):
        return True
    return first.kind == "operator" and (first.text not in ADDITIVE or not _has_left_side(found, place + 1))


def _has_left_side(found: list[Token], place: int) -> bool:
    """Whether a relation stands in the row that begins at `place`, outside of brackets."""
    depth = 0
    for mark in found[place : place + 200]:
        if mark.kind == "wide":
            continue
        depth += (mark.kind in ("(", "{", "begin")) - (mark.kind in (")", "}", "end"))
        if depth == 0 and mark.kind == "break":
            return False
        if depth == 0 and mark.kind == "relation":
            return True
    return False
