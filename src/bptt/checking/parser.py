"""Marks to the tree of what was written, by recursive descent within brackets that are known beforehand.

Whatever cannot be read becomes an Unread at its place, and reading goes on behind it: every production takes
at least one mark or says that there is nothing for it, and none leaves the brackets it began in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from bptt.checking import notation as table
from bptt.checking.lexer import Token
from bptt.checking.written import (
    At,
    Big,
    Braced,
    Bracketed,
    Call,
    Chain,
    Differential,
    Fraction,
    Letter,
    Listed,
    Nabla,
    Numeral,
    Relation,
    Scripts,
    Table,
    Terms,
    Unread,
    Written,
)
from bptt.source import Span

MAX_DEPTH = 24
TOO_DEEP = "this is nested too deeply"
HIGHER_ORDER = "derivatives of higher order are not read"
_EMPTY = "this cell is empty"
_LONGEST_UNREAD = 120

_BEGINS = frozenset(["letter", "word", "number", "(", "begin", "big", "command", "null", "unread", "|"])
_TRANSPOSES = frozenset(["T", "top"])
_PARTIALS = {r"\partial": "∂", "delta": "δ", "d": "d"}


class Parser:
    """Reads from `position` up to `limit`; `partner` pairs the brackets among the marks."""

    def __init__(self, found: Sequence[Token], partner: dict[int, int]) -> None:
        self.found = found
        self.partner = partner
        self.position = 0
        self.limit = len(found)
        self._depth = 0
        self._scripted = False

    # --- marks

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

    def _span(self, start: int) -> Span:
        """From mark `start` to the one just read."""
        source = self.found[start].span.source
        parts = self.found[start : max(start + 1, self.position)]
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

    # --- from the loosest binding to the tightest

    def given(self) -> Written | None:
        """Lists with `|` between them: `y | x, h`."""
        start = self.position
        left = self.listed()
        if left is None or self.kind() != "|" or self.kind(1) == "_":
            return left
        sides = [left]
        while self.kind() == "|" and self.kind(1) != "_":
            self._next()
            sides.append(self.listed() or self._missing("nothing follows this bar"))
        return Relation(tuple(sides), ("|",) * (len(sides) - 1), self._span(start))

    def listed(self) -> Written | None:
        """Relations with commas between them, or one."""
        start = self.position
        items: list[Written] = []
        commas = 0
        while True:
            item = self.relation()
            if item is not None:
                items.append(item)
            if self.kind() not in (",", ";"):
                break
            self._next()
            commas += 1
        if commas and len(items) > 1:
            return Listed(tuple(items), self._span(start))
        return items[0] if items else None

    def relation(self) -> Written | None:
        """Terms with relations between them; the first sign may stand before all of them (`< t`)."""
        start = self.position
        sides: list[Written] = []
        signs: list[str] = []
        self._skip_stops()
        first = self.terms()
        if first is not None:
            sides.append(first)
        while self.kind() in ("relation", ":", "implies"):
            sign = self._next().text
            signs.append(sign)
            self._skip_stops()
            sides.append(self.terms() or self._missing(f"nothing follows this {sign}"))
        if not signs:
            return first
        return Relation(tuple(sides), tuple(signs), self._span(start))

    def _skip_stops(self) -> None:
        self._skip_layout()
        while self.kind() == ".":
            self.position += 1
            self._skip_layout()

    def terms(self) -> Written | None:
        """Chains with + and − between them."""
        start = self.position
        terms: list[Written] = []
        signs: list[str] = []
        sign = ""
        while True:
            self._skip_layout()
            if self._is_additive():
                mark = self._next()
                if sign:  # a second sign, as in `a + -b`
                    term = self.terms_of_sign(mark)
                    terms.append(term)
                    signs.append(sign)
                    sign = ""
                    continue
                sign = mark.text
                continue
            if terms and not sign:
                break
            chain = self.chain()
            if chain is None:
                if not sign:
                    break
                mark = self.found[self.position - 1]
                if self._scripted and not terms:
                    return Letter(sign, mark.span)
                chain = self._missing(f"nothing follows this {sign}")
            terms.append(chain)
            signs.append(sign or "+")
            sign = ""
        if not terms:
            return None
        if len(terms) == 1 and signs == ["+"]:
            return terms[0]
        return Terms(tuple(terms), tuple(signs), self._span(start))

    def terms_of_sign(self, mark: Token) -> Written:
        """A chain with a sign of its own."""
        start = self.position - 1
        chain = self.chain() or self._missing(f"nothing follows this {mark.text}")
        return Terms((chain,), (mark.text,), self._span(start))

    def _is_additive(self) -> bool:
        return self.kind() == "operator" and self.text() in table.ADDITIVE

    def chain(self) -> Written | None:
        """Factors side by side or with ∘, ·, ×, … between them."""
        start = self.position
        factors: list[Written] = []
        signs: list[str] = []
        self._depth += 1
        while True:
            sign = ""
            if factors and self.kind() == "." and self.kind(1) in _BEGINS:
                self._next()  # a dot between factors
                sign = "·"
            elif self.kind() == "operator" and not self._is_additive():
                at = self.position
                sign = self._next().text
                if not factors:
                    if self._scripted and not self._can_begin():
                        factors.append(Letter(sign, self.found[at].span))
                        continue
                    factors.append(self.unread(at, "nothing stands before this sign"))
            self._skip_layout()
            at = self.position
            factor = self.factor()
            if factor is None and sign:
                if self._is_additive() and self.kind(1) in _BEGINS:
                    factor = self._signed()
                elif self._scripted:
                    factor = Letter(sign, self.found[at - 1].span)
                    sign = ""
                else:
                    factor = self._missing(f"nothing follows this {sign}")
            if factor is None:
                break
            if factors:
                signs.append(sign)
            factors.append(factor)
        self._depth -= 1
        if len(factors) < 2:
            return factors[0] if factors else None
        return Chain(tuple(factors), tuple(signs), self._span(start))

    def _signed(self) -> Written:
        mark = self._next()
        start = self.position - 1
        factor = self.factor() or self._missing(f"nothing follows this {mark.text}")
        return Terms((factor,), (mark.text,), self._span(start))

    def _skip_layout(self) -> None:
        """Go over brackets of no width and, within brackets, wide spaces and row breaks."""
        within = self.limit < len(self.found)
        while (
            (within and self.kind() in ("wide", "break"))
            or self.kind() == "end null"
            or (self.kind() == "null" and self._closing() is None)
        ):
            self.position += 1

    def _can_begin(self) -> bool:
        return self.kind() in _BEGINS

    # --- factors

    def factor(self) -> Written | None:
        """One factor with its scripts and bars; None where none begins here."""
        start = self.position
        if not self._can_begin():
            return None
        if self._depth > 2 * MAX_DEPTH:
            self.position = self.limit
            return self.unread(start, TOO_DEEP)
        self._depth += 1
        node = self._atom()
        while node is not None and self.kind() == "|" and self.kind(1) == "_" and not self._is_bar_pair():
            node = self._at_bar(start, node)
        self._depth -= 1
        return node

    def _is_bar_pair(self) -> bool:
        return self.position in self.partner

    def _at_bar(self, start: int, inner: Written) -> At:
        self._next()
        where: list[Written] = []
        above: list[Written] = []
        while self.kind() in ("_", "^"):
            mark = self._next()
            items, _ = self._script(mark)
            (where if mark.kind == "_" else above).extend(items)
        return At(inner, tuple(where), self._span(start), Scripts(above=tuple(above)))

    def _atom(self) -> Written | None:
        start = self.position
        match self.kind():
            case "letter" if self.text() == "d" and self._slash() is not None:
                return self._partial()
            case "letter" | "word":
                mark = self._next()
                scripts = self.scripts()
                letter = Letter(mark.text, self._span(start), scripts, mark.face)
                return self._after_letter(start, letter, mark.kind == "word")
            case "number":
                return self._number()
            case "(":
                return self._brackets()
            case "null" | "|":
                return self._bars()
            case "begin":
                return self._table()
            case "big":
                return self._big()
            case "command":
                return self._command()
            case "unread":
                reason = self._next().text
                return self.unread(start, reason)
        return None

    def _number(self) -> Written:
        start = self.position
        mark = self._next()
        scripts = self.scripts()
        named = bool(mark.face) and mark.face != "upright"
        if self.kind() == "(" and mark.text == "1" and self._has_relation():
            function = Letter("1", self._span(start), scripts, mark.face)
            return self._call(start, function)
        if named:
            return Letter(mark.text, self._span(start), scripts, mark.face)
        return Numeral(float(mark.text), self._span(start), scripts)

    def _has_relation(self) -> bool:
        """Whether the bracket here holds a condition or a list: `(i = k)`, `(y | x)`, `(y, z)`."""
        end = self._closing()
        if end is None:
            return False
        place = self.position + 1
        is_round = self.text() == "("
        while place < end:
            if (
                self.found[place].kind == "relation"
                or (self.found[place].kind == "," and is_round)
                or (
                    self.found[place].kind == "|"
                    and place not in self.partner
                    and self.found[place + 1].kind != "_"
                )
            ):
                return True
            place = max(place, self.partner.get(place, place)) + 1
        return False

    def _after_letter(self, start: int, letter: Letter, is_word: bool) -> Written:
        """The letter, or its application to what follows it."""
        name, applied = letter.name, letter.name in table.FUNCTIONS
        if self.kind() == "(" and self._closing() is not None:
            round_one = self.text() == "("
            if (
                (is_word and (round_one or applied))
                or (name in table.FUNCTION_LETTERS and round_one and not self._is_factor(letter))
                or (letter.face == "calligraphic" and round_one)
                or (letter.face == "blackboard" and name == "E")
                or self._has_relation()
            ):
                return self._call(start, letter)
        if name == "Sigma" and self._is_sum(letter):
            body = self._body()
            return Big("Σ", letter.scripts.below, letter.scripts.above, body, self._span(start))
        if is_word and applied and (self._can_begin() or self.kind() == "wide"):
            while self.kind() == "wide" and self.limit < len(self.found):
                self._next()
            argument = self.factor()
            if argument is not None:
                return Call(letter, (argument,), self._span(start))
        return letter

    def _is_factor(self, letter: Letter) -> bool:
        """Whether a letter that may be a function is one of a product: `g(1 - g)`, the gate `f_t (…)`."""
        end = self._closing()
        assert end is not None, "only asked before brackets that are closed"
        if letter.name in ("f", "g", "p", "P") and any(
            isinstance(script, Bracketed | Terms) or (isinstance(script, Letter) and script.name == "t")
            for script in (*letter.scripts.below, *letter.scripts.above)
        ):
            return letter.name in ("f", "g")
        inside = self.found[self.position + 1 : min(end, self.position + 40)]
        return any(mark.kind == "letter" and mark.text == letter.name for mark in inside) and any(
            mark.kind == "operator" and mark.text == "-" for mark in inside
        )

    def _is_sum(self, letter: Letter) -> bool:
        """Whether a capital sigma is the sign of a sum: with an index below, and something behind it."""
        if len(letter.scripts.below) == 0 or letter.face == "bold" or not self._can_begin():
            return False
        return all(
            isinstance(item, Relation) or (isinstance(item, Letter) and item.name[0].islower())
            for item in letter.scripts.below
        )

    def _call(self, start: int, function: Letter) -> Call:
        end = self._closing()
        assert end is not None, "only called before brackets that are closed"
        self._next()
        inner = self._unscripted(end)
        self.position = end + 1
        arguments = inner.items if isinstance(inner, Listed) else () if inner is None else (inner,)
        scripts = self.scripts()
        return Call(function, arguments, self._span(start), scripts)

    def _unscripted(self, end: int) -> Written | None:
        scripted, self._scripted = self._scripted, False
        inner = self._within(end, self.given)
        self._scripted = scripted
        return inner

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

    def _big(self) -> Written:
        start = self.position
        sign = self._next().text
        scripts = self.scripts()
        return Big(sign, scripts.below, scripts.above, self._body(), self._span(start))

    def _body(self) -> Written:
        if self.kind() == "operator" and self.text() not in ("+", "±") and self.kind(1) in _BEGINS:
            if self._is_additive():
                return self._signed()
            self._next()  # `\\sum_i \\cdot x`: a slip
        self._depth += 1
        too_deep = self._depth > 2 * MAX_DEPTH
        start = self.position
        if too_deep and self.position < self.limit:
            self.position = self.limit
            body: Written | None = self.unread(start, TOO_DEEP)
        else:
            self._skip_layout()
            body = self.chain()
        self._depth -= 1
        return body or self._missing("nothing follows this sign")

    # --- commands

    def _command(self) -> Written | None:
        start = self.position
        text = self.text()
        match text:
            case r"\frac":
                self._next()
                return self._fraction(start)
            case r"\pdv" | r"\dv":
                self._next()
                return self._package_derivative(start, "∂" if text == r"\pdv" else "d")
            case r"\nabla":
                return self._nabla()
            case r"\partial":
                return self._partial()
            case r"\overbrace" | r"\underbrace" | r"\overbracket" | r"\underbracket":
                return self._braced()
            case r"\overset" | r"\underset":
                return self._stacked()
            case r"\sqrt" | r"\root" | r"\binom":
                self._next()
                arguments = [self._argument() for _ in range(table.ARGUMENTS[text])]
                name = Letter(text[1:].replace("root", "sqrt"), self.found[start].span)
                if text == r"\root":
                    index = arguments.pop(0)
                    name = replace(name, scripts=Scripts(above=(index,)), span=name.span.to(index.span))
                scripts = self.scripts()
                return Call(name, tuple(arguments), self._span(start), scripts)
            case r"\substack":
                self._next()
                inner = self._argument()
                return inner
        if text in table.ACCENTS:
            return self._accented()
        self._next()
        return self.unread(start, "this command is not known")

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

    def _fraction(self, start: int) -> Written:
        if self._is_negative_partial():
            return self._negative_fraction(start)
        top = self.position
        middle = self._argument_end(top)
        end = self._argument_end(middle)
        if top >= self.limit or middle >= self.limit:
            self.position = min(end, self.limit)
            return self.unread(start, "this fraction lacks a part")
        above, below = self._partial_sign(top, middle), self._partial_sign(middle, end)
        if not self._is_derivative(above, below, (top, middle), (middle, end)):
            over = self._between(top, middle)
            under = self._between(middle, end)
            scripts = self.scripts()
            return Fraction(over, under, self._span(start), scripts)
        immediate = self._immediate_end(top, middle)
        inner = (immediate - 1, self._inside(top, middle)[1]) if immediate else self._inside(top, middle)
        if not immediate and above and inner[0] + 1 < inner[1] and self.found[inner[0] + 1].kind == "^":
            self.position = end
            return self.unread(start, HIGHER_ORDER)
        numerator = self._of_differential(*inner, above)
        denominator = self._of_differential(*self._inside(middle, end), below)
        self.position = end
        if denominator is None:
            return self.unread(start, HIGHER_ORDER)
        above += "⁺" if immediate else ""
        return self._differential(start, numerator, denominator, (above, below))

    def _is_negative_partial(self) -> bool:
        """Whether the fraction begins with −∂, which is the negative of a derivative."""
        inner = self._inside(self.position, self._argument_end(self.position))
        place = inner[0]
        return (
            place + 2 < inner[1]
            and self.found[place].text == "-"
            and self.found[place + 1].text == r"\partial"
            and self.found[place + 2].kind in ("letter", "word")
        )

    def _negative_fraction(self, start: int) -> Written:
        top = self.position
        middle = self._argument_end(top)
        end = self._argument_end(middle)
        inner = self._inside(top, middle)
        above = self._of_differential(inner[0] + 1, inner[1], "∂")
        self.position = end
        below = self._partial_sign(middle, end)
        under = self._of_differential(*self._inside(middle, end), below)
        self.position = end
        if under is None or middle >= self.limit:
            return self.unread(start, "this fraction lacks a part")
        scripts = self.scripts()
        node = Differential(above, under, ("∂", below), self._span(start), None, scripts)
        return Terms((node,), ("-",), self._span(start))

    def _differential(
        self, start: int, top: Written | None, bottom: Written, signs: tuple[str, str]
    ) -> Written:
        scripts = self.scripts()
        node = Differential(top, bottom, signs, self._span(start), None, scripts)
        if top is None:
            node = replace(node, operand=self._operand(), span=self._span(start))
        return node

    def _operand(self) -> Written | None:
        """What an operator acts on: the bracket or call behind it, else all factors up to the next + or −."""
        self._skip_layout()
        if self.kind() == "(" or (self.kind() == "word" and self.text() in table.FUNCTIONS):
            return self.factor()
        if self.kind() == "letter" and self.text() in table.FUNCTION_LETTERS:
            return self.factor()
        return self._body() if self._can_begin() else None

    def _partial_sign(self, start: int, end: int) -> str:
        """The letter that stands for ∂ at the beginning of this part of a fraction, or ""."""
        start, end = self._inside(start, end)
        if start >= end:
            return ""
        mark = self.found[start]
        sign = _PARTIALS.get(mark.text, "") if mark.kind in ("letter", "command", "word") else ""
        following = self.found[start + 1].kind if start + 1 < end else ""
        if following == "_" or (following == "^" and sign != "∂" and not self._squared(start + 1, end)):
            return ""
        if sign == "d" and following not in ("letter", "word", "command", "^", "(", ""):
            return ""
        return sign

    def _squared(self, start: int, end: int) -> bool:
        return start + 1 < end and self.found[start + 1].kind == "number"

    def _is_derivative(self, above: str, below: str, top: tuple[int, int], bottom: tuple[int, int]) -> bool:
        alone = self._inside(*bottom)
        if below and alone[1] - alone[0] < 2:  # by nothing
            return False
        if above and below:
            return True
        if above == "∂" or below == "∂":
            return True
        first = self._inside(*top)
        if below == "δ" and not above:
            return self.found[alone[0] + 1].kind == "letter"
        if above == "δ" and not below:
            return (
                first[1] - first[0] > 1
                and self.found[first[0] + 1].kind == "letter"
                and self.found[alone[0]].kind == "letter"
                and alone[0] < alone[1]
            )
        return False

    def _of_differential(self, start: int, end: int, sign: str) -> Written | None:
        """What stands behind the ∂ of a part of a fraction."""
        self.position = start + 1 if sign else start
        if self.position < end and self.found[self.position].kind == "^":
            return None
        scripted, self._scripted = self._scripted, False
        inner = self._within(end, self.given) if self.position < end else None
        self._scripted = scripted
        return inner

    def _immediate_end(self, start: int, end: int) -> int:
        """The mark behind ∂⁺, the derivative with all else held fixed, if a part begins with it; else 0."""
        start, end = self._inside(start, end)
        if start + 2 < end and self.found[start + 1].kind == "^":
            stop = self._argument_end(start + 2)
            inside = self._inside(start + 2, stop)
            if inside[1] - inside[0] == 1 and self.found[inside[0]].text == "+":
                return stop
        return 0

    def _package_derivative(self, start: int, sign: str) -> Written:
        """`\\pdv{f}{x}`, and `\\pdv{x}` as an operator."""
        first = self._argument()
        if self.kind() == "{":
            return self._differential(start, first, self._argument(), (sign, sign))
        return self._differential(start, None, first, (sign, sign))

    def _nabla(self) -> Written:
        start = self.position
        self._next()
        scripts = self.scripts()
        if scripts.above:
            return self.unread(start, HIGHER_ORDER)
        below = scripts.below
        by: Written | None = below[0] if below else None
        if len(below) > 1:
            by = Listed(below, self._span(start))
        return Nabla(by, self._differentiated(), self._span(start))

    def _differentiated(self) -> Written | None:
        """What ∇ or ∂_x stands before: one factor, and the bracket behind a letter: `J(θ)`."""
        self._skip_layout()
        if self.kind() == "operator" or not self._can_begin():
            return None
        start = self.position
        operand = self.factor()
        closing = self._closing() if self.kind() == "(" and self.text() == "(" else None
        if isinstance(operand, Letter) and closing is not None and self._touches():
            argument = self._brackets()
            return Chain((operand, argument), ("",), self._span(start))
        return operand

    def _touches(self) -> bool:
        return not self.found[self.position].spaced

    def _partial(self) -> Written:
        """∂ outside of a fraction: `∂J/∂U`, `∂/∂U`, `∂_x f`, or a differential."""
        start = self.position
        slash = self._slash()
        above = _PARTIALS[self._next().text]
        if slash is not None:
            limit = self.limit
            top = self._within(slash, self.chain)
            self.limit = limit
            self.position = slash + 1
            sign = _PARTIALS[self._next().text]
            bottom = self._simple_factor() or self._missing("nothing follows this ∂")
            return self._differential(start, top, bottom, (above, sign))
        if self.kind() == "_":
            scripts = self.scripts()
            if scripts.above:
                return self.unread(start, HIGHER_ORDER)
            by = scripts.below[0] if len(scripts.below) == 1 else Listed(scripts.below, self._span(start))
            operand = self._differentiated()
            return Differential(None, by, ("∂", "∂"), self._span(start), operand)
        scripts = self.scripts()
        return Letter("∂", self._span(start), scripts)

    def _simple_factor(self) -> Written | None:
        """A letter with its scripts, or what stands in brackets, but no application."""
        if self.kind() in ("letter", "word"):
            start = self.position
            mark = self._next()
            scripts = self.scripts()
            return Letter(mark.text, self._span(start), scripts, mark.face)
        return self._atom() if self._can_begin() else None

    def _slash(self) -> int | None:
        """The slash of an inline derivative that begins here: ∂, something simple, /, ∂ and a letter."""
        place = self.position + 1
        things = 0
        while place < self.limit and place - self.position < 60:
            mark = self.found[place]
            if mark.kind == "operator" and mark.text == "/":
                return place if self._is_partial_of(place + 1) and (things or self.text() != "d") else None
            if mark.kind in ("letter", "word", "number"):
                things += 1
                if things > 3 and mark.kind != "number":
                    return None
            elif mark.kind not in ("_", "^", "'", "(", "{", "command"):
                return None
            if mark.kind in ("_", "^"):
                place = self._argument_end(place + 1)
            else:
                place = max(place, self.partner.get(place, place)) + 1
        return None

    def _is_partial_of(self, place: int) -> bool:
        """Whether a ∂ with a letter behind it stands there; d has to touch what it belongs to."""
        if place + 1 >= self.limit or self.found[place].text not in _PARTIALS:
            return False
        following = self.found[place + 1]
        if self.found[place].text == "d" and following.spaced and self.found[place].face != "upright":
            return False
        return following.kind in ("letter", "word", "command", "(")

    def _braced(self) -> Written:
        start = self.position
        mark = "^" if self._next().text.startswith(r"\over") else "_"
        inner = self._argument()
        label: Written | None = None
        if self.kind() == mark:
            items, _ = self._script(self._next())
            label = items[0] if len(items) == 1 else Listed(tuple(items), self._span(start))
        scripts = self.scripts()
        if label is None:
            return Bracketed(inner, self._span(start), scripts, "") if _several(inner) else inner
        return Braced(inner, label, self._span(start), scripts)

    def _stacked(self) -> Written:
        """`\\underset{i}{\\max}`: what is set below or above is a script."""
        start = self.position
        over = self._next().text == r"\overset"
        mark = self._argument()
        base = self._argument()
        items = mark.items if isinstance(mark, Listed) else (mark,)
        scripts = Scripts(above=items) if over else Scripts(below=items)
        if isinstance(base, Letter):
            letter = replace(base, scripts=_joined(_joined(base.scripts, scripts), self.scripts()))
            letter = replace(letter, span=self._span(start))
            return self._after_letter(start, letter, letter.face == "upright")
        return base

    def _accented(self) -> Written:
        start = self.position
        accent = table.ACCENTS[self._next().text]
        inner = self._argument()
        if not isinstance(inner, Letter | Numeral):
            self.scripts()
            return self.unread(start, "an accent over more than a letter is not read")
        if isinstance(inner, Numeral):
            inner = Letter(f"{inner.value:g}", inner.span, inner.scripts)
        scripts = _joined(inner.scripts, self.scripts())
        letter = Letter(inner.name + accent, self._span(start), scripts, inner.face)
        return self._after_letter(start, letter, len(inner.name) > 1 and inner.face == "upright")

    # --- scripts

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


_NO_SCRIPTS = Scripts()


def _is_empty(node: Written) -> bool:
    return isinstance(node, Unread) and node.reason == _EMPTY


def _several(node: Written) -> bool:
    return isinstance(node, Chain | Terms | Relation | Listed)


def _joined(first: Scripts, second: Scripts) -> Scripts:
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
    return isinstance(node, Letter) and node.name in _TRANSPOSES and node.scripts == _NO_SCRIPTS
