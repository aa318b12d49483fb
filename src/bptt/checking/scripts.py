"""What hangs on a letter: indices, exponents and primes, and the arguments of commands."""

from __future__ import annotations

from dataclasses import replace

from bptt.checking import notation as table
from bptt.checking.cursor import Cursor
from bptt.checking.lexer import Token
from bptt.checking.written import Bracketed, Chain, Letter, Listed, Scripts, Written

TRANSPOSES = frozenset(["T", "top"])
_NO_SCRIPTS = Scripts()


class ScriptReader(Cursor):
    """Reads scripts and arguments."""

    def scripts(self) -> Scripts:
        """All scripts that follow, in any order."""
        below: list[Written] = []
        above: list[Written] = []
        primes = 0
        while True:
            match self.kind():
                case "_" | "^" as kind:
                    items, strokes = self._script(self._next())
                    (below if kind == "_" else above).extend(items)
                    primes += strokes
                case "'":
                    self._next()
                    primes += 1
                case "." if self.text(1) == "T" and self.kind(1) == "letter" and self._touches_next():
                    self._next()
                    mark = self._next()
                    above.append(Letter("T", mark.span, face="upright"))
                case _:
                    break
        return Scripts(tuple(below), tuple(above), primes) if below or above or primes else _NO_SCRIPTS

    def _touches_next(self) -> bool:
        return not self.found[self.position + 1].spaced and not self.found[self.position].spaced

    def _script(self, mark: Token) -> tuple[list[Written], int]:
        """The formulas of one script, and the number of primes in it."""
        if self.position >= self.limit:
            return [self._missing(f"nothing follows this {mark.kind}")], 0
        end = self._argument_end(self.position)
        if self.kind() == "(" and (closing := self._closing()) is not None:
            # `h^(t)` is meant as `h^{(t)}`, though TeX would raise the bracket only.
            end = closing + 1
        start, stop = self._inside(self.position, end)
        self.position = start
        primes = 0
        while self.position < stop and self.found[self.position].kind == "'":
            self.position += 1
            primes += 1
        scripted, self._scripted = self._scripted, True
        inner = self._within(stop, self.given)
        self._scripted = scripted
        self.position = end
        if inner is None:
            return ([] if primes else [self._missing("this script is empty")]), primes
        items = inner.items if isinstance(inner, Listed) else (inner,)
        return [part for item in items for part in _script_parts(item)], primes

    def _argument_end(self, place: int) -> int:
        """The mark behind the argument that begins at `place`: a group, a mark, or a command with its own."""
        needed = 1
        while needed and place < self.limit:
            mark = self.found[place]
            end = self.partner.get(place)
            needed -= 1
            if mark.kind == "{" and end is not None and end < self.limit:
                place = end
            elif mark.kind == "command":
                needed += table.ARGUMENTS.get(mark.text, 0)
            place += 1
        return place

    def _argument(self) -> Written:
        """An argument of a command, or what stands for it."""
        if self.position >= self.limit:
            return self._missing("an argument is missing here")
        end = self._argument_end(self.position)
        return self._between(self.position, end)

    def _between(self, start: int, end: int) -> Written:
        """The formula of an argument, from its brace if it has one."""
        start, stop = self._inside(start, end)
        self.position = start
        scripted, self._scripted = self._scripted, False
        inner = self._within(stop, self.given)
        self._scripted = scripted
        self.position = end
        return inner or self._missing("nothing stands here")

    def _inside(self, start: int, end: int) -> tuple[int, int]:
        if start < end and self.found[start].kind == "{" and self.partner.get(start) == end - 1:
            return start + 1, end - 1
        return start, end

    def _unscripted(self, end: int) -> Written | None:
        scripted, self._scripted = self._scripted, False
        inner = self._within(end, self.given)
        self._scripted = scripted
        return inner


def joined(first: Scripts, second: Scripts) -> Scripts:
    return Scripts(first.below + second.below, first.above + second.above, first.primes + second.primes)


def _script_parts(item: Written) -> tuple[Written, ...]:
    """`(t)T`, `(t)^T` and `T(t)` as the two scripts that they are."""
    if isinstance(item, Bracketed) and item.scripts.above and all(map(_is_transpose, item.scripts.above)):
        return (replace(item, scripts=replace(item.scripts, above=())), *item.scripts.above)
    if isinstance(item, Chain) and not any(item.signs) and len(item.factors) == 2:
        first, second = item.factors
        if (isinstance(first, Bracketed) and _is_transpose(second)) or (
            _is_transpose(first) and isinstance(second, Bracketed)
        ):
            return first, second
    return (item,)


def _is_transpose(node: Written) -> bool:
    return isinstance(node, Letter) and node.name in TRANSPOSES and node.scripts == _NO_SCRIPTS
