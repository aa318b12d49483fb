"""Marks to the tree of what was written: from conditions and lists down to products of factors."""

from __future__ import annotations

from bptt.checking.cursor import BEGINS
from bptt.checking.factors import FactorReader
from bptt.checking.lexer import Token
from bptt.checking.written import Chain, Letter, Listed, Relation, Terms, Written


class Parser(FactorReader):
    """Reads formulas, by recursive descent within brackets that are known beforehand."""

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

    def chain(self) -> Written | None:
        """Factors side by side or with ∘, ·, ×, … between them."""
        start = self.position
        factors: list[Written] = []
        signs: list[str] = []
        self._depth += 1
        while True:
            sign = ""
            if factors and self.kind() == "." and self.kind(1) in BEGINS:
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
                if self._is_additive() and self.kind(1) in BEGINS:
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
