"""Derivatives in every spelling: fractions, ∂J/∂U at a slash, operators, ∇, and those that lost a ∂."""

from __future__ import annotations

from dataclasses import replace

from bptt.checking import notation as table
from bptt.checking.cursor import BEGINS, MAX_DEPTH, TOO_DEEP
from bptt.checking.enclosures import EnclosureReader
from bptt.checking.scripts import TRANSPOSES
from bptt.checking.written import (
    Chain,
    Differential,
    Fraction,
    Letter,
    Listed,
    Nabla,
    Numeral,
    Terms,
    Written,
)

HIGHER_ORDER = "derivatives of this order are not read"
_PARTIALS = {r"\partial": "∂", "delta": "δ", "d": "d"}


class DerivativeReader(EnclosureReader):
    """Reads fractions, and derivatives however they are written."""

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
            return self._second_derivative(start, inner, self._inside(middle, end), end)
        numerator = self._of_differential(*inner, above)
        denominator = self._of_differential(*self._inside(middle, end), below)
        self.position = end
        if denominator is None:
            return self.unread(start, HIGHER_ORDER)
        above += "⁺" if immediate else ""
        return self._differential(start, numerator, denominator, (above, below))

    def _second_derivative(
        self, start: int, top: tuple[int, int], bottom: tuple[int, int], end: int
    ) -> Written:
        """`∂²f/∂x∂y` as ∂/∂x of ∂f/∂y."""
        rest = self._argument_end(top[0] + 2)
        order = self.found[slice(*self._inside(top[0] + 2, rest))]
        bounds = [at for at in range(*bottom) if self.found[at].text == self.found[bottom[0]].text]
        if [mark.text for mark in order] != ["2"] or len(bounds) > 2 or not bounds:
            self.position = end
            return self.unread(start, HIGHER_ORDER)
        self.position = rest
        function = self._within(top[1], self.given)
        bottoms = []
        for first, last in zip(bounds, [*bounds[1:], bottom[1]], strict=True):
            self.position = first + 1
            bottoms.append(_without_exponent(self._within(last, self.given)))
        self.position = end
        outer, inner = bottoms[0], bottoms[-1]
        if outer is None or inner is None:
            return self.unread(start, HIGHER_ORDER)
        signs = (self.found[top[0]].text, self.found[bottom[0]].text)
        named = (_PARTIALS.get(signs[0], ""), _PARTIALS.get(signs[1], ""))
        first_order = Differential(function, inner, named, self._span(start))
        if function is None:
            self.position = end
            operand = self._operand()
            first_order = replace(first_order, operand=operand, span=self._span(start))
        scripts = self.scripts()
        return Differential(first_order, outer, named, self._span(start), None, scripts)

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

    def _body(self) -> Written:
        if self.kind() == "operator" and self.text() not in ("+", "±") and self.kind(1) in BEGINS:
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

    def _signed(self) -> Written:
        mark = self._next()
        start = self.position - 1
        factor = self.factor() or self._missing(f"nothing follows this {mark.text}")
        return Terms((factor,), (mark.text,), self._span(start))

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
        below = scripts.below
        by: Written | None = below[0] if below else None
        if len(below) > 1:
            by = Listed(below, self._span(start))
        if not scripts.above:
            return Nabla(by, self._differentiated(), self._span(start))
        if by is None or [_order(item) for item in scripts.above] != [2]:
            return self.unread(start, HIGHER_ORDER)
        inner = Nabla(by, self._differentiated(), self._span(start))
        return Nabla(by, inner, self._span(start))

    def _differentiated(self) -> Written | None:
        """What ∇ or ∂_x stands before: one factor, and the bracket behind a letter: `J(θ)`."""
        self._skip_layout()
        if self.kind() == "operator" or not self._can_begin():
            return None
        start = self.position
        operand = self.factor()
        closing = self._closing() if self.kind() == "(" and self.text() == "(" else None
        if isinstance(operand, Letter) and closing is not None and self._touches():
            argument = self.factor() or self._missing("nothing stands here")
            return Chain((operand, argument), ("",), self._span(start))
        return operand

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
        return self.factor()

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


def _order(node: Written) -> float:
    return node.value if isinstance(node, Numeral) else 0


def _without_exponent(bottom: Written | None) -> Written | None:
    """`x` of ∂x² and of ∂xᵀ: what stands above belongs to the derivative."""
    if not isinstance(bottom, Letter):
        return bottom
    above = bottom.scripts.above
    kept = tuple(
        item
        for item in above
        if _order(item) != 2 and not (isinstance(item, Letter) and item.name in TRANSPOSES)
    )
    return replace(bottom, scripts=replace(bottom.scripts, above=kept))
