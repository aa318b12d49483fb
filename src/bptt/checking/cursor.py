"""A place among the marks of a formula, and the rules that keep its reader within bounds.

Whatever cannot be read becomes an Unread at its place, and reading goes on behind it: every production takes
at least one mark or says that there is nothing for it, and none leaves the brackets it began in.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from itertools import pairwise

from bptt.checking import notation as table
from bptt.checking.lexer import Token
from bptt.checking.written import Chain, Unread, Written
from bptt.source import Span

MAX_DEPTH = 24
TOO_DEEP = "this is nested too deeply"
_LONGEST_UNREAD = 120
# What a factor can begin with.
BEGINS = frozenset(["letter", "word", "number", "(", "begin", "big", "command", "null", "unread", "|"])


class Cursor(ABC):
    """Reads from `position` up to `limit`; `partner` pairs the brackets among the marks."""

    def __init__(self, found: Sequence[Token], partner: dict[int, int]) -> None:
        self.found = found
        self.partner = partner
        self.position = 0
        self.limit = len(found)
        self._depth = 0
        self._scripted = False
        # Marks that came out of an author's own command all have the place of its use.
        self._in_order = all(one.span.end <= other.span.start for one, other in pairwise(found))

    @abstractmethod
    def given(self) -> Written | None:
        """All up to `limit`, with whatever signs stand in it."""

    @abstractmethod
    def chain(self) -> Written | None:
        """Factors up to the next + or −; None where none begins here."""

    @abstractmethod
    def factor(self) -> Written | None:
        """One factor with its scripts and bars; None where none begins here."""

    def kind(self, ahead: int = 0) -> str:
        place = self.position + ahead
        return self.found[place].kind if place < self.limit else ""

    def text(self, ahead: int = 0) -> str:
        place = self.position + ahead
        return self.found[place].text if place < self.limit else ""

    def _next(self) -> Token:
        self.position += 1
        return self.found[self.position - 1]

    def _closing(self) -> int | None:
        """The closing partner of the mark at `position`, if it is an opening one with its end in sight."""
        end = self.partner.get(self.position)
        return end if end is not None and self.position < end < self.limit else None

    def _can_begin(self) -> bool:
        return self.kind() in BEGINS

    def _touches(self) -> bool:
        return not self.found[self.position].spaced

    def _is_additive(self) -> bool:
        return self.kind() == "operator" and self.text() in table.ADDITIVE

    def _skip_layout(self) -> None:
        """Go over brackets of no width and, within brackets, wide spaces and row breaks."""
        within = self.limit < len(self.found)
        while (
            (within and self.kind() in ("wide", "break"))
            or self.kind() == "end null"
            or (self.kind() == "null" and self._closing() is None)
        ):
            self.position += 1

    def _span(self, start: int) -> Span:
        """From mark `start` to the one just read."""
        last = max(start + 1, self.position)
        source = self.found[start].span.source
        if self._in_order:
            return Span(self.found[start].span.start, self.found[last - 1].span.end, source)
        parts = self.found[start:last]
        return Span(min(part.span.start for part in parts), max(part.span.end for part in parts), source)

    def unread(self, start: int, reason: str) -> Unread:
        """The marks from `start` to the one just read, as they stand."""
        span = self._span(start)
        return Unread(span.text[:_LONGEST_UNREAD], reason, span)

    def _missing(self, reason: str) -> Unread:
        """An Unread of no extent, at the end of the mark just read."""
        near = self.found[max(0, min(self.position, len(self.found)) - 1)].span
        return Unread("", reason, Span(near.end, near.end, near.source))

    def _within(self, end: int, production: Callable[[], Written | None]) -> Written | None:
        """What `production` reads of all marks up to `end`; what it leaves over is read after it."""
        if self.position >= end:
            self.position = end
            return None
        limit, self.limit = self.limit, end
        self._depth += 1
        start = self.position
        if self._depth > MAX_DEPTH:
            self.position = end
            result: Written | None = self.unread(start, TOO_DEEP)
        else:
            parts: list[Written] = []
            while self.position < end:
                before = self.position
                if (part := production()) is not None:
                    parts.append(part)
                if self.position < end and self.position == before:
                    parts.append(self._stray())
            parts = [part for part in parts if not (isinstance(part, Unread) and part.reason == "layout")]
            result = parts[0] if parts else None
            if len(parts) > 1:
                result = Chain(tuple(parts), ("",) * (len(parts) - 1), self._span(start))
        self._depth -= 1
        self.limit = limit
        return result

    def _stray(self) -> Unread:
        start = self.position
        mark = self._next()
        match mark.kind:
            case "text":
                return self.unread(start, "prose in a formula")
            case ")" | "}":
                return self.unread(start, "this bracket closes nothing")
            case "(" | "{":
                return self.unread(start, "this bracket is never closed")
            case "wide" | "break" | "null" | "end null" | "." | "," | ";":
                return self.unread(start, "layout")
        return self.unread(start, "this sign has no meaning here")
