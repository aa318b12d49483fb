"""Which brackets, bars and tables of a formula belong together; what is left alone is damage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from bptt.checking.lexer import Token
from bptt.checking.notation import TABLES

# What a factor can end with: a bar behind it closes something, or stands for "at" or "given".
_ENDS = frozenset(["letter", "number", ")", "}", "'", "end", "text", "!"])
# By the closing mark: what it can close, and what is stronger, so that it closes nothing beyond it.
_OPENED_BY = {")": ("(", "null"), "}": ("{",), "end": ("begin",), "end null": ("(", "null", "|")}
_BARRIERS: dict[str, tuple[str, ...]] = {
    ")": ("begin", "{"), "}": ("begin",), "end": (), "end null": ("begin", "{")
}  # fmt: skip
# What an equation is aligned at, and what cannot begin or end one.
_JOINTS = frozenset(["relation", "operator", "break", "begin", "end", "implies", "&", ","])
_REACH = 40  # how many brackets that were never closed are looked through for a partner


def flattened(found: Sequence[Token]) -> list[Token]:
    """The marks without environments that only set rows, and without what has lost its other end.

    Tables keep their "begin", "end", "&" and "break"; outside of them "&" is gone and "break" divides rows.
    """
    found = _one_sided_cases(_angles(_accumulated(found)))
    partner = _environments(found)
    kept: list[Token] = []
    tables = 0
    aligned: set[int] = set()
    for place, mark in enumerate(found):
        if mark.kind in ("begin", "end"):
            if place not in partner or place in aligned:
                continue
            if mark.kind == "begin":
                if mark.text not in TABLES or _sets_rows(found, place, partner[place]):
                    aligned |= {place, partner[place]}
                    continue
                tables += 1
            else:
                tables -= 1
        elif mark.kind == "&" and not tables:
            if _divides(found, place, kept):
                kept.append(replace(mark, kind="wide"))
            continue
        kept.append(mark)
    return kept


def _divides(found: Sequence[Token], place: int, row: Sequence[Token]) -> bool:
    """Whether an & stands between two equations of a row, and not where one is aligned."""
    after = found[place + 1].kind if place + 1 < len(found) else "break"
    if after in _JOINTS or not row or row[-1].kind in _JOINTS:
        return False
    for mark in reversed(row):
        if mark.kind in ("break", "begin", "wide"):
            return False
        if mark.kind == "relation":
            return True
    return False


def _accumulated(found: Sequence[Token]) -> Sequence[Token]:
    """`+` and `=` side by side as the sign `+=`: something is added up, and nothing is said to be equal."""
    kept: list[Token] = []
    for mark in found:
        if mark.text == "=" and kept and kept[-1].text == "+" and not mark.spaced:
            plus = kept.pop()
            kept.append(Token("relation", "+=", plus.span.to(mark.span), plus.spaced))
        else:
            kept.append(mark)
    return kept


def _angles(found: Sequence[Token]) -> Sequence[Token]:
    """A script `<t>` as one in angle brackets."""
    result = list(found)
    for place, mark in enumerate(found):
        if mark.kind == "relation" and mark.text == "<" and place > 1 and found[place - 1].kind == "{":
            if found[place - 2].kind not in ("_", "^"):
                continue
            ahead = range(place + 1, min(len(found), place + 8))
            end = next((at for at in ahead if found[at].kind in ("relation", "}")), place)
            if found[end].text == ">":
                result[place] = replace(mark, kind="(", text="⟨")
                result[end] = replace(found[end], kind=")", text="⟨")
    return result


def _one_sided_cases(found: Sequence[Token]) -> Sequence[Token]:
    """`\\left\\{ … & … \\\\ … \\right.` as the environment `cases` that it stands for."""
    if not any(mark.kind == "end null" for mark in found):
        return found
    result = list(found)
    stack: list[int] = []
    for place, mark in enumerate(found):
        if mark.kind in ("(", "null"):
            stack.append(place)
        elif mark.kind == ")" and stack:
            stack.pop()
        elif mark.kind == "end null" and stack:
            start = stack.pop()
            own = found[start + 1].kind == "begin" and found[place - 1].kind == "end"
            rows = own or any(one.kind == "&" for one in found[start:place])
            if found[start].face != "left" or not rows:
                continue
            end, last = _end_within(found, start, place), result[place]
            if end < place:  # the surrounding environment was closed too early
                result[end], result[place] = replace(last, kind="end", text="cases"), result[end]
            elif own:
                result[start + 1] = replace(found[start + 1], kind="wide")
                result[place - 1] = replace(found[place - 1], kind="wide")
            result[start] = replace(found[start], kind="begin", text="cases", face="")
            if end == place:
                result[place] = replace(last, kind="end", text="cases")
    return result


def _end_within(found: Sequence[Token], start: int, end: int) -> int:
    """The first end of an environment between the two marks that did not begin there; else `end`."""
    depth = 0
    for place in range(start + 1, end):
        depth += (found[place].kind == "begin") - (found[place].kind == "end")
        if depth < 0:
            return place
    return end


def _environments(found: Sequence[Token]) -> dict[int, int]:
    """Beginnings with their ends and the reverse; an end takes the innermost beginning of its name."""
    partner: dict[int, int] = {}
    stack: list[int] = []
    for place, mark in enumerate(found):
        if mark.kind == "begin":
            stack.append(place)
        elif mark.kind == "end" and any(found[start].text == mark.text for start in stack[-_REACH:]):
            while found[stack[-1]].text != mark.text:
                stack.pop()
            start = stack.pop()
            partner[start], partner[place] = place, start
    return partner


def _sets_rows(found: Sequence[Token], start: int, end: int) -> bool:
    """Whether an array only sets equations in columns: it has a relation at an edge of a cell."""
    if found[start].text not in ("array", "tabular") or (start and found[start - 1].kind in ("(", "|")):
        return False
    inside = found[start + 1 : end]
    return any({"relation", "&"} == {one.kind, other.kind} for one, other in pairwise(inside))


def paired(found: Sequence[Token]) -> dict[int, int]:
    """Opening marks with their closing ones, and the reverse: brackets, braces, tables and bars."""
    return _Pairs(found).partner


class _Pairs:
    def __init__(self, found: Sequence[Token]) -> None:
        self.found = found
        self.partner: dict[int, int] = {}
        self.stack: list[int] = []
        self.bars: list[int | None] = [None]  # of each level, the bar that is open
        self._split: list[tuple[int, int]] = []
        for place, mark in enumerate(found):
            match mark.kind:
                case "(" | "{" | "begin" | "null":
                    self._push(place)
                case ")" | "}" | "end" | "end null":
                    self._close(place)
                case "|":
                    self._bar(place)
                case "break" | "&":
                    self.bars[-1] = None
                case "relation":
                    if not any(found[start].kind != "null" for start in self.stack):
                        self.bars[-1] = None
        self._join_split()

    def _push(self, place: int) -> None:
        self.stack.append(place)
        self.bars.append(None)

    def _pair(self, start: int, end: int) -> None:
        self.partner[start], self.partner[end] = end, start

    def _close(self, place: int) -> None:
        """Pair the closing mark with the innermost one that fits, but not across a stronger one."""
        closing = self.found[place]
        for depth in range(len(self.stack) - 1, max(-1, len(self.stack) - _REACH), -1):
            start = self.stack[depth]
            opening = self.found[start]
            fits = opening.kind in _OPENED_BY[closing.kind]
            if fits and (closing.kind != ")" or opening.kind == "null" or opening.text == closing.text):
                del self.stack[depth:]
                del self.bars[depth + 1 :]
                self._pair(start, place)
                return
            if opening.kind in _BARRIERS[closing.kind]:
                return

    def _bar(self, place: int) -> None:
        mark = self.found[place]
        following = self.found[place + 1].kind if place + 1 < len(self.found) else ""
        before = self.found[place - 1].kind if place else ""
        if mark.face == "left":
            self._push(place)
            return
        if mark.face == "right":
            for depth in range(len(self.stack) - 1, max(-1, len(self.stack) - _REACH), -1):
                start = self.stack[depth]
                if self.found[start].kind in ("null", "|") or self.found[start].text == mark.text:
                    del self.stack[depth:]
                    del self.bars[depth + 1 :]
                    if self.found[start].kind != "null" or not self._has_separator(start, place):
                        self._pair(start, place)
                    return
                if self.found[start].kind in ("{", "begin"):
                    break
            return
        opened = self.bars[-1]
        if opened is not None and self.found[opened].text == mark.text and before != "operator":
            self._pair(opened, place)
            self.bars[-1] = None
        elif following == "_" and mark.text == "|":
            return
        elif (
            (before not in _ENDS and before != "word")
            or (before == "word" and following in ("letter", "word", "number"))
            or mark.text == "‖"
            or not any(self.found[start].kind == "(" for start in self.stack)
        ):
            self.bars[-1] = place

    def _has_separator(self, start: int, end: int) -> bool:
        """Whether `\\left. … \\right|` was set around several formulas: then its bar is that of the last."""
        depth = 0
        for mark in self.found[start + 1 : end]:
            depth += (mark.kind in ("(", "{", "begin")) - (mark.kind in (")", "}", "end"))
            if depth == 0 and mark.kind in ("wide", "relation", "break", "text", "implies", ","):
                return True
        return False

    def _join_split(self) -> None:
        """Brackets that go over several rows as `\\left( … \\right. \\\\ \\left. … \\right)`."""
        starts = [
            place
            for place, mark in enumerate(self.found)
            if mark.kind == "(" and self.found[self.partner.get(place, place)].kind == "end null"
        ]
        ends = [
            place
            for place, mark in enumerate(self.found)
            if mark.kind == ")" and self.found[self.partner.get(place, place)].kind == "null"
        ]
        for start in starts:
            end = next((end for end in ends if end > start and end in self.partner), None)
            if end is not None and self.found[start].text == self.found[end].text:
                ends.remove(end)
                for null in (self.partner[start], self.partner[end]):
                    self.partner.pop(null, None)
                self._pair(start, end)
