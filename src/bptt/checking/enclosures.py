"""What stands between two marks: brackets, bars and tables."""

from __future__ import annotations

from bptt.checking.scripts import ScriptReader
from bptt.checking.written import At, Bracketed, Letter, Listed, Scripts, Table, Unread, Written
from bptt.source import Span

_EMPTY = "this cell is empty"


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
        start = self.position
        end = self._closing()
        if end is None:
            self._next()
            return self.unread(start, "this table is never closed")
        kind = self._next().text
        rows: list[list[Written]] = [[]]
        while self.position < end:
            stop = self.position
            while stop < end and self.found[stop].kind not in ("&", "break"):
                stop = max(stop, self.partner.get(stop, stop)) + 1
            stop = min(stop, end)
            rows[-1].append(self._cell(stop))
            self.position = stop
            if stop < end and self._next().kind == "break":
                rows.append([])
        self.position = end + 1
        kept = tuple(tuple(row) for row in rows if any(not _is_empty(cell) for cell in row))
        scripts = self.scripts()
        return Table(kept, kind, self._span(start), scripts)

    def _cell(self, end: int) -> Written:
        """A cell; of prose before a condition (`if i = k`) the condition counts."""
        start = self.position
        while self.position < end and self.kind() in ("text", "wide"):
            self._next()
        if self.position == end:
            if start == end:
                return self._missing(_EMPTY)
            words = [mark for mark in self.found[start:end] if mark.kind == "text"]
            return Letter(words[0].text if words else "", self._span(start), face="upright")
        while end > self.position and self.found[end - 1].kind in (",", ".", ";", "wide", "text"):
            end -= 1
        inner = self._unscripted(end)
        return inner or self._missing(_EMPTY)


def _is_empty(node: Written) -> bool:
    return isinstance(node, Unread) and node.reason == _EMPTY
