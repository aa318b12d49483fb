"""The model that a document speaks of, from the equations it states.

An equation is a statement whose left side is a name and whose right side can be said in the equation
language. A document may go from one model to the next (problem 1, problem 2): from where a name is defined
anew, its new meaning holds. The model itself is understood by `lowering`, like that of any file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bptt.checking.names import EQUALS, Lettering, Resolved, Unclear, walk
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
from bptt.errors import EquationError
from bptt.ir.model import Model
from bptt.lowering import lower
from bptt.source import Source, Span
from bptt.syntax import tree
from bptt.syntax.spelling import canonical_function
from bptt.syntax.tree import Document, Equation, Expression

# What a model reads is given, and never defined.
TOKENS = frozenset({"x", "y"})
ELEMENTWISE = frozenset({"sigmoid", "tanh", "relu", "softplus", "exp", "log"})
PRODUCTS = {"": tree.JUXTAPOSED, "·": tree.JUXTAPOSED, "×": tree.JUXTAPOSED, "@": "@", "∘": "*", "*": "*"}


@dataclass(frozen=True)
class Stated:
    """An equation of a document: the statement's number, and the equation in the language of models."""

    number: int
    equation: Equation


class Elements:
    """Equations that are written element by element, θ_k = Σ_j h_j U_jk + b_k, as equations of vectors."""

    def __init__(self, lettering: Lettering) -> None:
        self.lettering = lettering

    def vector(self, node: Written, index: str) -> Expression:
        """The vector whose element at `index` is written. Unclear for anything but the usual forms."""
        match node:
            case Numeral(number, span):
                return tree.Number(number, span)
            case Letter() if self._indices(node) in ((index,), ()):
                return self._name(node)
            case Bracketed(inner=inner) if node.scripts == Scripts():
                return self.vector(inner, index)
            case Terms(terms, signs, span):
                return added([self.vector(term, index) for term in terms], signs, span)
            case Call(function, (argument,), span) if not function.scripts.primes:
                name = canonical_function(function.name)
                if name in ELEMENTWISE:
                    return tree.Call(name, (self.vector(argument, index),), span, function.span)
            case Fraction(Letter(name="e", scripts=Scripts((), (power,))), bottom, span):
                # e^{s_i} over Σ_j e^{s_j}, or over a letter that stands for this sum.
                if isinstance(bottom, Letter) or (isinstance(bottom, Big) and bottom.sign == "Σ"):
                    return tree.Call("softmax", (self.vector(power, index),), span, span)
            case Big(body=body, below=(Letter(name=over),)) if node.sign == "Σ":
                return self._contraction(body, over, index)
            case Chain((Letter() as first, Letter() as second), ("" | "·",)) if self._summed(
                first, second, index
            ):
                # Einstein's convention: A_ij x_j.
                return self._contraction(node, self._summed(first, second, index), index)
            case Chain(factors, signs, span) if all(sign in ("", "·", "∘", "*") for sign in signs):
                result = self.vector(factors[0], index)
                for factor in factors[1:]:
                    result = tree.Binary("*", result, self.vector(factor, index), span, span)
                return result
        raise Unclear("an element that has no usual form")

    def _indices(self, letter: Letter) -> tuple[str, ...]:
        return tuple(i.letter for i in self.lettering.resolve(letter).indices)

    def _name(self, letter: Letter) -> Expression:
        found = self.lettering.resolve(letter)
        return tree.Name(found.name, _lag(found), span=letter.span)

    def _summed(self, first: Letter, second: Letter, index: str) -> str:
        """The index that stands in both factors of a product and not on the left side; "" for none."""
        both = set(self._indices(first)) & set(self._indices(second)) - {index}
        return both.pop() if len(both) == 1 else ""

    def _contraction(self, body: Written, over: str, index: str) -> Expression:
        """Σ_j v_j M_jk is v M, and Σ_j M_kj v_j is M v."""
        factors = body.factors if isinstance(body, Chain) else ()
        letters = [f for f in factors if isinstance(f, Letter)]
        if len(letters) != 2 or len(factors) != 2:
            raise Unclear("a sum of anything but products of two")
        vector, table = sorted(letters, key=lambda f: len(self._indices(f)))
        if self._indices(vector) != (over,) or set(self._indices(table)) != {over, index}:
            raise Unclear("a sum over indices that do not meet")
        pair = [self._name(vector), self._name(table)]
        if self._indices(table) == (index, over):
            pair.reverse()
        return tree.Binary(tree.JUXTAPOSED, pair[0], pair[1], body.span, body.span)


def added(values: list[Expression], signs: tuple[str, ...], span: Span) -> Expression:
    """Terms with their signs."""
    result: Expression | None = None
    for value, sign in zip(values, signs, strict=True):
        if sign not in ("+", "-"):
            raise Unclear(f"the sign {sign}")
        if result is not None:
            result = tree.Binary(sign, result, value, span, value.span)
        else:
            result = value if sign == "+" else tree.Negate(value, value.span)
    assert result is not None
    return result


class Sayable:
    """Written formulas to expressions of the equation language."""

    def __init__(self, lettering: Lettering) -> None:
        self.lettering = lettering
        self.elements = Elements(lettering)

    def equation(self, number: int, statement: Statement) -> Stated | None:
        """The equation that a statement makes, if it makes one."""
        left = statement.left
        if not isinstance(left, Letter) or not statement.links or statement.links[0].sign not in EQUALS:
            return None
        try:
            name = self.lettering.resolve(left)
        except Unclear:
            return None
        plain = not (name.turned or name.primes or name.power is not None) and len(name.indices) <= 1
        is_now = name.time is None or (name.time.letter == "t" and not name.time.offset)
        if not plain or not is_now or name.name in TOKENS:
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
                    said.append(self.elements.vector(link.right, name.indices[0].letter))
                else:
                    said.append(self.expression(link.right))
            except Unclear:
                continue
        if not said or isinstance(said[0], tree.Number | tree.Name):
            return None
        # σ(x W + b) = σ(z): the shortest is made of names that are defined on their own.
        value = min(said, key=_length)
        target = tree.Name(name.name, span=left.span)
        return Stated(number, Equation(target, value, statement.span))

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
            case Letter():
                return self._name(node)
            case Braced(inner=inner):
                return self.expression(inner)
            case Bracketed(inner=Listed(items), kind="[") if len(items) > 1:
                return tree.Concatenation(tuple(map(self.expression, items)), node.span)
            case Bracketed(inner=inner, span=span) if node.kind in "([{":
                return self._scripted(self.expression(inner), node, span)
            case Chain(factors, signs, span):
                return self._product(factors, signs, span)
            case Terms(terms, signs, span):
                return added([self.expression(term) for term in terms], signs, span)
            case Fraction(top, bottom, span) if not node.scripts.above:
                return tree.Binary("/", self.expression(top), self.expression(bottom), span, span)
            case Call(function, (argument,), span) if not function.scripts.primes:
                name = canonical_function(function.name)
                if name not in tree.FUNCTIONS:
                    raise Unclear(f"the function {function.name}")
                return tree.Call(name, (self.expression(argument),), span, function.span)
        raise Unclear("what the equation language cannot say")

    def _name(self, letter: Letter) -> Expression:
        found = self.lettering.resolve(letter)
        if found.indices or found.primes or not found.name.replace("_", "").isalnum():
            raise Unclear("elements")
        name: Expression = tree.Name(found.name, _lag(found), span=letter.span)
        if found.token is not None:
            token = tree.Name(found.token.name, _lag(found.token), span=letter.span)
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


def _lag(found: Resolved) -> int:
    return -found.time.offset if found.time is not None and found.time.letter == "t" else 0


def _length(e: Expression) -> int:
    return 1 + sum(map(_length, tree.children(e)))


# From equations to models.


def epochs(
    equations: Sequence[Stated], sections: Sequence[int], claims: Sequence[int]
) -> list[tuple[int, dict[str, Equation]]]:
    """The equations that hold from a statement on: (its number, equations by name), first to last.

    `sections` gives the section of each statement, `claims` the numbers of those that claim something. A new
    epoch begins where a name is defined anew, at the beginning of its section if that is a later one than
    that of the old definition; what is redefined before anything is claimed belongs to the same epoch.
    """
    starts = [0]
    known: dict[str, Stated] = {}
    for stated in equations:
        name = stated.equation.target.id
        old = known.get(name)
        if old is not None and not _says_the_same(stated.equation, old.equation, known):
            start = stated.number
            if sections[old.number] != sections[stated.number]:
                start = sections.index(sections[stated.number])
            if start > starts[-1] and any(starts[-1] <= c < start for c in claims):
                starts.append(start)
        elif old is not None:
            continue
        known[name] = stated
    found = []
    for start, end in zip(starts, [*starts[1:], len(sections)], strict=True):
        holds: dict[str, Equation] = {}
        for stated in equations:
            if stated.number < end:
                old_equation = holds.get(stated.equation.target.id)
                names = {n: Stated(0, e) for n, e in holds.items()}
                if old_equation is None or not _says_the_same(stated.equation, old_equation, names):
                    holds[stated.equation.target.id] = stated.equation
        found.append((start, holds))
    return found


def _says_the_same(new: Equation, old: Equation, known: Mapping[str, Stated]) -> bool:
    """Whether both are equal once every name in them is replaced by what it stands for."""
    return _spelt(new.value, known) == _spelt(old.value, known)


def _spelt(e: Expression, known: Mapping[str, Stated], depth: int = 8) -> Expression:
    match e:
        case tree.Name(id=name, lag=0) if name in known and depth:
            return _spelt(known[name].equation.value, known, depth - 1)
        case tree.Binary(left=left, right=right):
            return replace(e, left=_spelt(left, known, depth), right=_spelt(right, known, depth))
        case tree.Call(arguments=arguments):
            return replace(e, arguments=tuple(_spelt(a, known, depth) for a in arguments))
        case tree.Negate(operand=operand) | tree.Transpose(operand=operand):
            return replace(e, operand=_spelt(operand, known, depth))
        case _:
            return e


def understand(equations: dict[str, Equation], source: Source, layout: str | None = None) -> Model:
    """The model that the equations make. EquationError where they make none."""
    named = _with_names(equations)
    try:
        return lower(Document(tuple(named.values()), source))
    except EquationError as first:
        # An equation that belongs to another part of the document must not spoil the model.
        for name in list(named):
            rest = {n: e for n, e in named.items() if n != name}
            try:
                return lower(Document(tuple(rest.values()), source))
            except EquationError:
                continue
        raise first


def _with_names(equations: dict[str, Equation]) -> dict[str, Equation]:
    """The equations with the names of quantities in the place of what they are defined as."""
    values = {
        name: equation.value
        for name, equation in equations.items()
        if isinstance(equation.value, tree.Binary)
    }

    def put_names(e: Expression, own: str) -> Expression:
        for name, value in values.items():
            if name != own and e == value:
                return tree.Name(name, span=e.span)
        match e:
            case tree.Binary(left=left, right=right):
                return replace(e, left=put_names(left, own), right=put_names(right, own))
            case tree.Call(arguments=arguments):
                return replace(e, arguments=tuple(put_names(a, own) for a in arguments))
            case tree.Negate(operand=operand) | tree.Transpose(operand=operand):
                return replace(e, operand=put_names(operand, own))
            case tree.Concatenation(items=items):
                return replace(e, items=tuple(put_names(a, own) for a in items))
            case _:
                return e

    return {name: replace(e, value=put_names(e.value, name)) for name, e in equations.items()}
