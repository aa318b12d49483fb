"""The equations that a document states, in the language of models.

An equation is a statement whose left side is a name and whose right side can be said in that language.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import takewhile

from bptt.checking.contractions import added
from bptt.checking.elements import Elements, lag_of
from bptt.checking.families import NO_FAMILIES, Families
from bptt.checking.names import EQUALS, Lettering, Resolved, Unclear, is_exponent, walk
from bptt.checking.vocabulary import LOSSES, is_arbitrary
from bptt.checking.written import (
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
    Scripts,
    Statement,
    Terms,
    Written,
)
from bptt.source import Span
from bptt.syntax import tree
from bptt.syntax.spelling import canonical_function
from bptt.syntax.tree import Equation, Expression

PRODUCTS = {"": tree.JUXTAPOSED, "·": tree.JUXTAPOSED, "×": tree.JUXTAPOSED, "@": "@", "∘": "*", "*": "*"}


@dataclass(frozen=True)
class Stated:
    """An equation of a document: the statement's number, and the equation in the language of models."""

    number: int
    equation: Equation


class Sayable:
    """Written formulas to expressions of the equation language. `losses` are the names of objectives,
    `labels` the letters of the true class, each with the name of its target, `defined` the names that stand
    on a left side somewhere. `layout` forces what is written element by element into rows or columns.
    """

    def __init__(
        self,
        lettering: Lettering,
        losses: frozenset[str] = frozenset(),
        labels: Mapping[str, str] | None = None,
        layout: str = "",
        defined: frozenset[str] = frozenset(),
        families: Families = NO_FAMILIES,
    ) -> None:
        self.lettering, self.losses, self.layout, self.defined = lettering, losses, layout, defined
        self.labels, self.families = dict(labels or {}), families

    def equations(self, number: int, statement: Statement) -> Iterator[Stated]:
        """The equations that a statement makes: p = a = σ(z) says it of both names."""
        one = self.equation(number, statement)
        links = statement.links
        names = list(takewhile(lambda link: link.sign in EQUALS and isinstance(link.right, Letter), links))
        if one is not None or not names or len(names) == len(links):
            yield from () if one is None else (one,)
            return
        for left in (statement.left, *(link.right for link in names)):
            stated = self.equation(number, replace(statement, left=left, links=links[len(names) :]))
            if stated is not None:
                yield stated

    def equation(self, number: int, statement: Statement) -> Stated | None:
        """The equation that a statement makes, if it makes one."""
        left = statement.left
        if isinstance(left, Call) and left.function.name in self.losses:
            # J(θ) = …
            left = left.function
        match left:
            case Chain((Letter(name=loss) as letter, Bracketed()), ("",)) if loss in self.losses:
                left = letter
        if not isinstance(left, Letter) or not statement.links or statement.links[0].sign not in EQUALS:
            return None
        try:
            name = self.lettering.resolve(left)
        except Unclear:
            return None
        plain = not (name.turned or name.primes or name.power is not None) and len(name.indices) <= 1
        is_now = name.time is None or (name.time.letter == "t" and not name.time.offset)
        if not plain or not is_now:
            return None
        rights = [link.right for link in statement.links]
        if any(isinstance(part, Differential | Nabla) for part in walk(rights)):
            return None
        if name.token is not None:
            return self._look_up(number, statement, name)
        said: list[Expression] = []
        for link in statement.links:
            try:
                if name.indices:
                    said.append(self._element(link.right, name.indices[0].letter))
                else:
                    said.append(self._number_or_whole(link.right, name.name))
            except Unclear:
                continue
        if not said or isinstance(said[0], tree.Number):
            return None
        if isinstance(said[0], tree.Name) and not self._is_another_name(name, rights[0]):
            return None
        said = [e for e in said if not _is_made_of(e, name.name)]
        if not said:
            # L = L_1 + L_2 is a sum over steps.
            return None
        # σ(x W + b) = σ(z): the shortest is made of names that are defined on their own. Of a loss it is the
        # first that says what it is.
        value = said[0] if name.name in self.losses else min(said, key=_length)
        target = tree.Name(name.name, span=left.span)
        return Stated(number, Equation(target, value, statement.span))

    def _number_or_whole(self, right: Written, name: str) -> Expression:
        """A loss that is written with elements (-log p_c, -y_k log p_k) is a number."""
        if name in self.losses and self._has_elements(right):
            with suppress(Unclear):
                return self._elements(self.labels).number(right)
        return self.expression(right)

    def _has_elements(self, node: Written) -> bool:
        for letter in walk([node]):
            if isinstance(letter, Letter):
                with suppress(Unclear):
                    if self.lettering.resolve(letter).indices:
                        return True
        return False

    def _is_another_name(self, name: Resolved, right: Written) -> bool:
        """Whether two vectors are equal of which one has a number: a¹ = x, ŷ = a³."""
        if not isinstance(right, Letter) or name.name in self.losses:
            return False
        other = self.lettering.resolve(right)
        is_plain = name.time is None and other.time is None and not other.turned and other.token is None
        return is_plain and (name.name[-1:].isdigit() or other.name[-1:].isdigit()) and name.name[0].islower()

    def _elements(self, labels: dict[str, str]) -> Elements:
        layout = self.layout or self.families.layout
        return Elements(self.lettering, self.expression, labels, layout, self.families)

    def _element(self, node: Written, index: str) -> Expression:
        labels = {letter: target for letter, target in self.labels.items() if letter != index}
        return self._elements(labels).vector(node, index)

    def _look_up(self, number: int, statement: Statement, table: Resolved) -> Stated | None:
        """`L_{x^{(t)}} = e^{(t)}`: e is what the token picks from L."""
        right = statement.links[0].right
        if table.token is None or not isinstance(right, Letter):
            return None
        try:
            value = self.lettering.resolve(right)
        except Unclear:
            return None
        span = statement.span
        token = tree.Name(table.token.name, span=span)
        picked = tree.Binary(tree.JUXTAPOSED, token, tree.Name(table.name, span=span), span, span)
        return Stated(number, Equation(tree.Name(value.name, span=right.span), picked, span))

    def expression(self, node: Written) -> Expression:
        """Unclear for anything that the equation language cannot say: indices, sums, derivatives."""
        match node:
            case Numeral(number, span) if not node.scripts.above and not node.scripts.below:
                return tree.Number(number, span)
            case Letter(name="e", scripts=Scripts((), (power,), 0)) if is_exponent(power):
                return tree.Call("exp", (self.expression(power),), node.span, node.span)
            case Letter():
                return self._name(node)
            case Braced(inner=inner):
                return self.expression(inner)
            case Bracketed(inner=Listed(items), kind="[") if len(items) > 1:
                return tree.Concatenation(tuple(map(self.expression, items)), node.span)
            case Bracketed(inner, span, Scripts(_, (Numeral(2.0),), 0), "‖"):
                square = tree.Binary("**", self.expression(inner), tree.Number(2.0, span), span, span)
                return tree.Call("sum", (square,), span, span)
            case Bracketed(inner=inner, span=span) if node.kind in "([{":
                return self._scripted(self.expression(inner), node, span)
            case Chain(factors) if any(map(self._is_counted, factors)):
                return self._elements(self.labels).number(node)
            case Chain(factors, signs, span):
                return self._product(factors, signs, span)
            case Terms(terms, signs, span):
                return added([self.expression(term) for term in terms], signs, span)
            case Fraction(top, bottom, span) if not node.scripts.above:
                return tree.Binary("/", self.expression(top), self.expression(bottom), span, span)
            case Big(sign="Σ", below=(), above=(), body=body, span=span):
                return tree.Call("sum", (self.expression(body),), span, span)
            case Big(sign="Σ"):
                return self._elements(self.labels).number(node)
            case Call(function, (target, output), span) if function.name in LOSSES:
                if self._is_made(target) and not self._is_made(output):
                    target, output = output, target
                logs = tree.Call("log", (self.expression(output),), span, span)
                product = tree.Binary("*", self.expression(target), logs, span, span)
                return tree.Negate(tree.Call("sum", (product,), span, span), span)
            case Call(function, (argument,)) if not function.scripts.primes and not node.scripts.below:
                return self._call(function, argument, node)
        raise Unclear("what the equation language cannot say")

    def _is_counted(self, node: Written) -> bool:
        """Whether it is one of many vectors."""
        if not isinstance(node, Letter) or not self.families.known:
            return False
        found = self.lettering.resolve(node)
        return bool(found.indices) and found.name in self.families.known

    def _is_made(self, node: Written) -> bool:
        """Whether it is what a model puts out: softmax(θ), or a name that is defined."""
        if isinstance(node, Letter):
            return self.lettering.resolve(node).name in self.defined
        return isinstance(node, Call)

    def _call(self, function: Letter, argument: Written, node: Call) -> Expression:
        name = canonical_function(function.name)
        if name not in tree.FUNCTIONS and not is_arbitrary(name):
            raise Unclear(f"the function {function.name}")
        if function.scripts.below:
            raise Unclear(f"what stands at {function.name}")
        value: Expression = tree.Call(name, (self.expression(argument),), node.span, function.span)
        for item in (*function.scripts.above, *node.scripts.above):
            match item:
                case Numeral(power):
                    exponent = tree.Number(power, item.span)
                    value = tree.Binary("**", value, exponent, node.span, item.span)
                case Letter(name="T" | "top" | "intercal") if item not in function.scripts.above:
                    value = tree.Transpose(value, node.span)
                case _:
                    raise Unclear(f"what stands at {function.name}")
        return value

    def _name(self, letter: Letter) -> Expression:
        found = self.lettering.resolve(letter)
        if any(index.letter in self.labels for index in found.indices):
            # The part of the true class.
            return self._elements(self.labels).number(letter)
        if found.indices or found.primes or not found.name.replace("_", "").isalnum():
            raise Unclear("elements")
        name: Expression = tree.Name(found.name, lag_of(found), span=letter.span)
        if found.token is not None:
            token = tree.Name(found.token.name, lag_of(found.token), span=letter.span)
            name = tree.Binary(tree.JUXTAPOSED, token, name, letter.span, letter.span)
        if found.turned:
            name = tree.Transpose(name, letter.span)
        if found.power is not None:
            power = tree.Number(found.power, letter.span)
            name = tree.Binary("**", name, power, letter.span, letter.span)
        return name

    def _scripted(self, value: Expression, node: Bracketed, span: Span) -> Expression:
        if node.scripts.below or node.scripts.primes:
            raise Unclear("an element of a bracket")
        for item in node.scripts.above:
            match item:
                case Letter(name=name) if name in ("T", "top", "intercal"):
                    value = tree.Transpose(value, span)
                case Numeral(number):
                    value = tree.Binary("**", value, tree.Number(number, item.span), span, item.span)
                case _:
                    raise Unclear("what stands above a bracket")
        return value

    def _product(self, factors: tuple[Written, ...], signs: tuple[str, ...], span: Span) -> Expression:
        result = self.expression(factors[0])
        for factor, sign in zip(factors[1:], signs, strict=True):
            value = self.expression(factor)
            if sign == "/":
                result = tree.Binary("/", result, value, span, factor.span)
            elif sign in PRODUCTS:
                result = tree.Binary(PRODUCTS[sign], result, value, span, factor.span)
            else:
                raise Unclear(f"the sign {sign}")
        return result


def _is_made_of(e: Expression, name: str) -> bool:
    """Whether a name stands in an expression, at the same step."""
    if isinstance(e, tree.Name):
        return e.id == name and e.lag == 0
    return any(_is_made_of(part, name) for part in tree.children(e))


def _length(e: Expression) -> int:
    return 1 + sum(map(_length, tree.children(e)))
