"""One factor of a product: a letter, a number, a function with its argument, a sum, a command's doing."""

from __future__ import annotations

from dataclasses import replace

from bptt.checking import notation as table
from bptt.checking.cursor import MAX_DEPTH, TOO_DEEP
from bptt.checking.derivatives import DerivativeReader
from bptt.checking.scripts import joined
from bptt.checking.written import (
    Big,
    Braced,
    Bracketed,
    Call,
    Chain,
    Letter,
    Listed,
    Numeral,
    Relation,
    Scripts,
    Terms,
    Written,
)

_SHIFTS: tuple[list[str], ...] = ([], ["operator", "number"])  # behind the letter of a time
_OBJECTIVES = frozenset(["J", "L", "E", "C", "ell"])
_IN_NAMES = frozenset(["letter", "word", "_", "^", "{", "}", ",", ";", "'", "number", "command"])
_LONGEST_NUMBER = 15  # characters


class FactorReader(DerivativeReader):
    """Reads factors."""

    def factor(self) -> Written | None:
        """One factor with its scripts and bars; None where none begins here."""
        start = self.position
        if not self._can_begin():
            return None
        if self._depth > 2 * MAX_DEPTH:
            return self._too_deep(start)
        self._depth += 1
        node = self._atom()
        bars = 0
        while node is not None and self.kind() == "|" and self.kind(1) == "_" and not self._is_bar_pair():
            bars += 1
            node = self._at_bar(start, node) if bars <= MAX_DEPTH else self._too_deep(start)
        self._depth -= 1
        return node

    def _too_deep(self, start: int) -> Written:
        self.position = self.limit
        return self.unread(start, TOO_DEEP)

    def _atom(self) -> Written | None:
        start = self.position
        match self.kind():
            case "letter" if self.text() == "d" and self._slash() is not None:
                return self._partial()
            case "letter" | "word":
                mark = self._next()
                scripts = self._with_time(self.scripts())
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

    def _with_time(self, scripts: Scripts) -> Scripts:
        """The scripts with a time in square brackets that stands behind them, `h[t-1]`, and what follows."""
        end = self._closing() if self.kind() == "(" and self.text() == "[" and self._touches() else None
        if end is None:
            return scripts
        inside = self.found[self.position + 1 : end]
        if inside[:1] and inside[0].text in ("t", "tau", "T") and [m.kind for m in inside[1:]] in _SHIFTS:
            start = self.position
            self._next()
            time = self._unscripted(end) or self._missing("nothing stands here")
            self.position = end + 1
            index = Bracketed(time, self._span(start), kind="[")
            return joined(joined(scripts, Scripts(above=(index,))), self.scripts())
        return scripts

    def _number(self) -> Written:
        start = self.position
        mark = self._next()
        if len(mark.text) > _LONGEST_NUMBER:
            return self.unread(start, "this number is too long")
        scripts = self.scripts()
        named = bool(mark.face) and mark.face != "upright"
        if self.kind() == "(" and mark.text == "1" and self._has_relation():
            function = Letter("1", self._span(start), scripts, mark.face)
            return self._call(start, function)
        if named or (mark.text == "1" and any(map(_relates, scripts.below))):
            return Letter(mark.text, self._span(start), scripts, mark.face)
        return Numeral(float(mark.text), self._span(start), scripts)

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
                or (name in _OBJECTIVES and round_one and self._touches() and self._holds_names())
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

    def _holds_names(self) -> bool:
        """Whether the bracket here holds letters only: the parameters of an objective, `J(\\theta)`."""
        end = self._closing()
        assert end is not None, "only asked before brackets that are closed"
        inside = self.found[self.position + 1 : end]
        return bool(inside) and all(mark.kind in _IN_NAMES for mark in inside)

    def _is_factor(self, letter: Letter) -> bool:
        """Whether a letter that may be a function is one of a product: `g(1 - g)`, the gate `f_t (…)`,
        the probability `p_i (a + b)`."""
        end = self._closing()
        assert end is not None, "only asked before brackets that are closed"
        scripts = (*letter.scripts.below, *letter.scripts.above)
        if letter.name in ("f", "g", "p", "P") and any(map(_tells_time, scripts)):
            return letter.name in ("f", "g")
        inside = self.found[self.position + 1 : min(end, self.position + 40)]
        signs = {mark.text for mark in inside if mark.kind == "operator"}
        if letter.name == "p" and letter.scripts.below and signs & {"+", "-"}:
            return True
        return "-" in signs and any(mark.kind == "letter" and mark.text == letter.name for mark in inside)

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

    def _big(self) -> Written:
        start = self.position
        sign = self._next().text
        scripts = self.scripts()
        return Big(sign, scripts.below, scripts.above, self._body(), self._span(start))

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
            bare = not _several(inner) and scripts == Scripts()
            return inner if bare else Bracketed(inner, self._span(start), scripts)
        return Braced(inner, label, self._span(start), scripts)

    def _stacked(self) -> Written:
        """`\\underset{i}{\\max}`: what is set below or above is a script."""
        start = self.position
        over = self._next().text == r"\overset"
        mark = self._argument()
        items = mark.items if isinstance(mark, Listed) else (mark,)
        scripts = Scripts(above=items) if over else Scripts(below=items)
        first, end = self._inside(self.position, self._argument_end(self.position))
        if end - first == 1 and end <= self.limit and self.found[first].kind == "big":
            self.position = self._argument_end(self.position)
            scripts = joined(scripts, self.scripts())
            sign = self.found[first].text
            return Big(sign, scripts.below, scripts.above, self._body(), self._span(start))
        base = self._argument()
        if isinstance(base, Letter):
            letter = replace(base, scripts=joined(joined(base.scripts, scripts), self.scripts()))
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
        scripts = joined(inner.scripts, self.scripts())
        letter = Letter(inner.name + accent, self._span(start), scripts, inner.face)
        return self._after_letter(start, letter, len(inner.name) > 1 and inner.face == "upright")


def _several(node: Written) -> bool:
    return isinstance(node, Chain | Terms | Relation | Listed)


def _tells_time(script: Written) -> bool:
    """`(t)`, `⟨t⟩`, `t-1`; in square brackets stands a layer."""
    if isinstance(script, Bracketed):
        return script.kind != "["
    return isinstance(script, Terms) or (isinstance(script, Letter) and script.name == "t")


def _relates(node: Written) -> bool:
    """Whether it is a condition, perhaps in brackets: below a 1 it makes an indicator."""
    return isinstance(node.inner if isinstance(node, Bracketed) else node, Relation)
