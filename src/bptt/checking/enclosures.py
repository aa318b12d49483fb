"""What stands between two marks: brackets, bars and tables."""

from __future__ import annotations

from bptt.checking.conditions import is_otherwise
from bptt.checking.scripts import ScriptReader
from bptt.checking.written import (
    At,
    Bracketed,
    Cases,
    Letter,
    Listed,
    Relation,
    Scripts,
    Table,
    Unread,
    Written,
)
from bptt.source import Span

_EMPTY = "this cell is empty"
_CASES = frozenset(["cases", "dcases", "rcases"])


class EnclosureReader(ScriptReader):
    """Reads brackets, bars and tables."""

    def _brackets(self) -> Written:
        start = self.position
        end = self._closing()
        if end is None:
            self._next()
            return self.unread(start, "this bracket is never closed")
        kind = self._next().text
        inner = self._unscripted(end)
        self.position = end + 1
        if inner is None:
            place = self.found[start].span
            inner = Listed((), Span(place.end, place.end, place.source))
        scripts = self.scripts()
        return Bracketed(inner, self._span(start), scripts, kind)

    def _bars(self) -> Written | None:
        """`|x|`, `‖x‖`, and `\\left. … \\right|_{…}`."""
        start = self.position
        end = self._closing()
        if end is None:
            if self.kind() == "|":
                return None
            self._next()
            return self.factor()
        mark = self._next()
        inner = self._unscripted(end) or self._missing("nothing stands between these bars")
        self.position = end
        closing = self.found[end].kind
        if mark.kind == "null" and closing == "|":
            return self._at_bar(start, inner)
        self._next()
        if mark.kind == "null":
            scripts = self.scripts()
            return Bracketed(inner, self._span(start), scripts, self.found[end].text)
        scripts = self.scripts()
        return Bracketed(inner, self._span(start), scripts, mark.text)

    def _at_bar(self, start: int, inner: Written) -> At:
        self._next()
        where: list[Written] = []
        above: list[Written] = []
        while self.kind() in ("_", "^"):
            mark = self._next()
            items, _ = self._script(mark)
            (where if mark.kind == "_" else above).extend(items)
        return At(inner, tuple(where), self._span(start), Scripts(above=tuple(above)))

    def _is_bar_pair(self) -> bool:
        return self.position in self.partner

    def _table(self) -> Written:
        """A matrix, or cases where its name says so and each row has a value and perhaps a condition."""
        start = self.position
        end = self._closing()
        if end is None:
            self._next()
            return self.unread(start, "this table is never closed")
        kind = self._next().text
        rows: list[list[Written]] = [[]]
        while self.position < end:
            stop = self._end_of_cell(end, splits=kind in _CASES and not rows[-1])
            rows[-1].append(self._cell(stop, parts=kind in _CASES and bool(rows[-1])))
            self.position = stop
            if stop < end and self.kind() in ("&", "break") and self._next().kind == "break":
                rows.append([])
        self.position = end + 1
        kept = tuple(tuple(row) for row in rows if any(not _is_empty(cell) for cell in row))
        scripts = self.scripts()
        if kind in _CASES and (cases := _as_cases(kept)):
            return Cases(cases, self._span(start), scripts)
        return Table(kept, kind, self._span(start), scripts)

    def _end_of_cell(self, end: int, splits: bool) -> int:
        """The mark behind the cell that begins here; words and wide spaces end the first cell of a case."""
        stop = self.position
        has_begun = False
        while stop < end and self.found[stop].kind not in ("&", "break"):
            if splits and has_begun and self.found[stop].kind in ("text", "wide"):
                following = stop
                while following < end and self.found[following].kind == "wide":
                    following += 1
                if following < end and self.found[following].kind not in ("&", "break"):
                    return stop
            has_begun = has_begun or self.found[stop].kind not in ("text", "wide")
            stop = max(stop, self.partner.get(stop, stop)) + 1
        return min(stop, end)

    def _cell(self, end: int, parts: bool = False) -> Written:
        """A cell; of prose before a condition (`if i = k`) the condition counts. With `parts`, what words
        part (`i = k and z > 0`) is a list."""
        start = self.position
        while self.position < end and self.kind() in ("text", "wide"):
            self._next()
        if self.position == end:
            if start == end:
                return self._missing(_EMPTY)
            words = [mark.text for mark in self.found[start:end] if mark.kind == "text"]
            if not words:
                return self._missing(_EMPTY)
            return Letter(words[0], self._span(start), face="upright")
        while end > self.position and self.found[end - 1].kind in (",", ".", ";", "wide", "text"):
            end -= 1
        items: list[Written] = []
        first = self.position
        while self.position < end:
            stop = self._end_of_cell(end, splits=parts)
            if (inner := self._unscripted(stop)) is not None:
                items += inner.items if parts and isinstance(inner, Listed) else (inner,)
            while self.position < end and self.kind() in ("text", "wide"):
                self._next()
        if len(items) > 1:
            return Listed(tuple(items), self._span(first))
        return items[0] if items else self._missing(_EMPTY)


def _as_cases(rows: tuple[tuple[Written, ...], ...]) -> tuple[tuple[Written, Written | None], ...]:
    """The values with their conditions; none where the rows are equations, or no row has a condition."""
    found: list[tuple[Written, Written | None]] = []
    for value, *others in rows:
        said = [cell for cell in others if not _is_empty(cell)]
        conditions = [cell for cell in said if not _is_words(cell)]
        if isinstance(value, Relation) or len(conditions) > 1:
            return ()
        words = [cell for cell in said if isinstance(cell, Letter) and _is_words(cell)]
        if conditions or any(is_otherwise(word.name) for word in words):
            found.append((value, conditions[0] if conditions else None))
        else:
            found.append((value, words[0] if words else None))
    unconditional = [condition is None for _, condition in found]
    return tuple(found) if found and not all(unconditional) and not any(unconditional[:-1]) else ()


def _is_words(node: Written) -> bool:
    return isinstance(node, Letter) and node.face == "upright" and len(node.name) > 1


def _is_empty(node: Written) -> bool:
    return isinstance(node, Unread) and node.reason == _EMPTY
