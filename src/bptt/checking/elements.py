"""Equations that are written element by element, θ_k = Σ_j h_j U_jk + b_k, as equations of vectors.

Every part of such an equation is an array with a letter for each of its axes. Under a sum the two factors
that share its letter meet in a product; what stands beside them with the same letters is multiplied element
by element. A letter that names the true class is left alone until the end, where the target picks its
element.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from bptt.checking.contractions import Axes, Element, dotted, multiplied, over, product, summed
from bptt.checking.families import COLUMNS, NO_FAMILIES, Families
from bptt.checking.names import Lettering, Resolved, Unclear, index_name, is_exponent
from bptt.checking.products import HADAMARD
from bptt.checking.vocabulary import is_arbitrary
from bptt.checking.written import (
    Big,
    Braced,
    Bracketed,
    Call,
    Chain,
    Fraction,
    Letter,
    Listed,
    Numeral,
    Relation,
    Scripts,
    Terms,
    Written,
)
from bptt.source import Span
from bptt.syntax import tree
from bptt.syntax.spelling import canonical_function
from bptt.syntax.tree import Expression

ELEMENTWISE = frozenset({"sigmoid", "tanh", "relu", "softplus", "exp", "log", "sqrt"})
SIDE_BY_SIDE = frozenset({"", "·", "∘", "*", "×"})


class Elements:
    """`labels` gives the letters that name the true class, each with the name of the target that picks it;
    `whole` says what a part without indices is. `layout` is how vectors have to lie ("" where products may
    show it).
    """

    def __init__(
        self,
        lettering: Lettering,
        whole: Callable[[Written], Expression],
        labels: dict[str, str],
        layout: str = "",
        families: Families = NO_FAMILIES,
    ) -> None:
        self.lettering, self.whole, self.labels, self.layout = lettering, whole, labels, layout
        self.families = families

    def vector(self, node: Written, index: str) -> Expression:
        """The vector whose element at `index` is written; Unclear for anything but the usual forms."""
        found = self._labelled(self._summed(node, (index,)), node.span)
        if found.axes not in ((index,), ()) or found.stands:
            raise Unclear("an element that has no usual form")
        return found.value

    def number(self, node: Written) -> Expression:
        """The number that is written with sums over indices."""
        found = self._labelled(self._summed(node, ()), node.span)
        if found.axes:
            raise Unclear(f"what {found.axes[0]} runs over")
        return found.value

    def _labelled(self, found: Element, span: Span) -> Element:
        """With the element of the true class picked by the target."""
        for axis in found.axes:
            if axis in self.labels:
                target = tree.Name(self.labels[axis], span=span)
                found = over(axis, [Element(target, (axis,)), found], self.layout, span)
        return found

    def _summed(self, node: Written, outside: Axes) -> Element:
        """With the sums that Einstein's convention leaves out."""
        match node:
            case Terms(terms, signs, span):
                return summed([self._summed(term, outside) for term in terms], signs, span)
            case Chain(factors, signs, span) if all(sign in SIDE_BY_SIDE for sign in signs):
                parts = self._factors(factors, signs, span)
                counts = Counter(axis for part in parts for axis in part.axes)
                twice = [a for a, n in counts.items() if n > 1 and a not in outside and a not in self.labels]
                for axis in twice:
                    parts = [over(axis, parts, self.layout, span)]
                return multiplied(parts, span)
            case Bracketed(inner=inner, scripts=Scripts((), (), 0)) | Braced(inner=inner):
                return self._summed(inner, outside)
        return self.element(node)

    def element(self, node: Written) -> Element:
        match node:
            case Numeral(number, span):
                return Element(tree.Number(number, span))
            case Letter():
                return self._letter(node)
            case Bracketed(inner=inner, kind=kind) if kind in "([{" and node.scripts == Scripts():
                return self.element(inner)
            case Bracketed(inner=inner, scripts=Scripts((), (Numeral(power),), 0), span=span):
                found = self.element(inner)
                exponent = tree.Number(power, span)
                return Element(tree.Binary("**", found.value, exponent, span, span), found.axes)
            case Braced(inner=inner):
                return self.element(inner)
            case Terms(terms, signs, span):
                return summed([self.element(term) for term in terms], signs, span)
            case Chain(factors, signs, span) if all(sign in SIDE_BY_SIDE for sign in signs):
                return multiplied(self._factors(factors, signs, span), span)
            case Fraction(top, bottom, span):
                return self._quotient(self.element(top), self.element(bottom), span)
            case Chain((top, bottom), ("/",), span):
                return self._quotient(self.element(top), self.element(bottom), span)
            case Call(function, (argument,), span) if not function.scripts.primes:
                return self._call(function, argument, node)
            case Big(sign="Σ"):
                return self._sum(node)
        raise Unclear("an element that has no usual form")

    def _letter(self, node: Letter) -> Element:
        match node:
            case Letter(name="e", scripts=Scripts((), (power,), 0)) if is_exponent(power):
                inner = self.element(power)
                return Element(tree.Call("exp", (inner.value,), node.span, node.span), inner.axes)
        found = self.lettering.resolve(node)
        axes = tuple(i.letter for i in found.indices)
        if found.primes or found.token is not None or len(axes) > 2:
            raise Unclear("an element that has no usual form")
        if not axes:
            return Element(self.whole(node))
        if found.name in self.families.known:
            return self._counted(found, node.span)
        value: Expression = tree.Name(found.name, lag_of(found), span=node.span)
        if found.power is not None:
            value = tree.Binary("**", value, tree.Number(found.power, node.span), node.span, node.span)
        return Element(value, axes[::-1] if found.turned else axes)

    def _counted(self, found: Resolved, span: Span) -> Element:
        """A vector for each place of a letter."""
        family = self.families.of(found)
        if family is None or found.time is not None or found.power is not None:
            raise Unclear("an element that has no usual form")
        value: Expression = tree.Name(family.table, span=span)
        if family.along == COLUMNS:
            value = tree.Transpose(value, span)
        stands = self.families.layout
        if found.turned:
            stands = "column" if stands == "row" else "row"
        return Element(value, (found.indices[0].letter,), stands)

    def _factors(self, factors: tuple[Written, ...], signs: tuple[str, ...], span: Span) -> list[Element]:
        parts = [self.element(factor) for factor in factors]
        if not any(part.axes for part in parts) and HADAMARD.isdisjoint(signs):
            return [product(parts, span)]
        return dotted(parts, signs, self.families.layout, span) if self.families.known else parts

    def _call(self, function: Letter, argument: Written, node: Call) -> Element:
        name = canonical_function(function.name)
        if name == "softmax" and len(node.scripts.below) == 1 and isinstance(node.scripts.below[0], Letter):
            # softmax(z)_k
            value = tree.Call("softmax", (self.whole(argument),), node.span, function.span)
            return Element(value, (node.scripts.below[0].name,))
        known = name in ELEMENTWISE or is_arbitrary(name)
        if not known or node.scripts != Scripts() or function.scripts.below:
            raise Unclear(f"the function {function.name}")
        inner = self.element(argument)
        if inner.stands:
            raise Unclear(f"{function.name} of vectors that are counted")
        value = tree.Call(name, (inner.value,), node.span, function.span)
        match function.scripts.above:
            case ():
                return Element(value, inner.axes)
            case (Numeral(power),):
                exponent = tree.Number(power, node.span)
                return Element(tree.Binary("**", value, exponent, node.span, node.span), inner.axes)
        raise Unclear(f"what stands above {function.name}")

    def _sum(self, node: Big) -> Element:
        axes = [axis for item in node.below for axis in _letters(item)]
        if not axes:
            raise Unclear("what the sum runs over")
        body = node.body
        factors = body.factors if isinstance(body, Chain) else (body,)
        signs = body.signs if isinstance(body, Chain) else ()
        if not all(sign in SIDE_BY_SIDE for sign in signs):
            factors, signs = (body,), ()
        parts = self._factors(factors, signs, node.span)
        for axis in axes:
            if not any(axis in part.axes for part in parts):
                raise Unclear(f"what {axis} runs over")
            parts = [over(axis, parts, self.layout, node.span)]
        return multiplied(parts, node.span)

    def _quotient(self, top: Element, bottom: Element, span: Span) -> Element:
        if bottom.axes not in ((), top.axes) or bottom.stands:
            raise Unclear("a quotient of arrays of two kinds")
        match top.value, bottom.value:
            case (
                tree.Call(function="exp", arguments=(a,)),
                tree.Call(function="sum", arguments=(tree.Call(function="exp", arguments=(b,)),)),
            ) if a == b:
                return Element(tree.Call("softmax", (a,), span, span), top.axes)
        value = tree.Binary("/", top.value, bottom.value, span, span)
        return Element(value, top.axes, top.stands)


def lag_of(found: Resolved) -> int:
    """How many steps before t."""
    return -found.time.offset if found.time is not None and found.time.letter == "t" else 0


def _letters(item: Written) -> list[str]:
    match item:
        case Letter():
            return [index_name(item)]
        case Listed(items):
            return [letter for one in items for letter in _letters(one)]
        case Chain(factors, _):
            return [letter for one in factors for letter in _letters(one)]
        case Relation((first, *_), ("=" | "∈", *_)):
            return _letters(first)
    raise Unclear("what the sum runs over")
