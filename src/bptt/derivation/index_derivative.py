"""The derivative of an element by an element, with every sum and every Kronecker delta in sight.

∂/∂U_ij Σ_l h_l U_lk is Σ_l h_l 𝟙[l=i] 𝟙[k=j]: a factor that is differentiated by itself leaves Kronecker
deltas, one for each of its axes. A delta whose index is summed picks one term of the sum, and both are gone:
h_i 𝟙[k=j]. These two steps are all of the index calculus, and they are kept apart here so that they can be
shown apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from bptt.autodiff.rules import RULES
from bptt.derivation.index_form import IndexForm, Indices, contracted, letters_of, plus, rename, times
from bptt.derivation.matrix_form import FUNCTION_NAMES, negate
from bptt.formula.tree import (
    Add,
    Apply,
    Formula,
    Index,
    Kronecker,
    Neg,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    transform,
)
from bptt.ir import build
from bptt.ir.dims import Dim
from bptt.ir.expr import Expr
from bptt.ir.ops import Op
from bptt.ir.traversal import topological


@dataclass(frozen=True)
class Term:
    """A product: numbers, Kronecker deltas, and the sums in front of them all."""

    factors: tuple[Formula, ...] = ()
    deltas: tuple[Kronecker, ...] = ()
    sums: tuple[tuple[str, Dim], ...] = ()

    def times(self, *factors: Formula) -> Term:
        return replace(self, factors=(*factors, *self.factors))

    def within(self, letter: str, size: Dim) -> Term:
        return replace(self, sums=((letter, size), *self.sums))

    def formula(self) -> Formula:
        body = times([*self.factors, *self.deltas])
        minus = isinstance(body, Neg)
        if isinstance(body, Neg):
            body = body.operand
        for letter, size in reversed(self.sums):
            body = Sum(letter, body, size)
        return negate(body) if minus else body


def total(terms: Iterable[Term]) -> Formula:
    return plus([term.formula() for term in terms])


class IndexDerivative:
    """∂ element / ∂ element of a leaf. `rules` collects the operations whose rules were used, in order."""

    def __init__(self, form: IndexForm) -> None:
        self.form = form
        self.rules: dict[str, None] = {}

    def __call__(self, e: Expr, at: Indices, leaf: Expr, by: Indices, taken: Indices = ()) -> list[Term]:
        """The terms of ∂e_at/∂leaf_by before any sum has collapsed; none where `e` does not hold the leaf."""
        if e is leaf:
            return [Term(deltas=tuple(Kronecker(i, j) for i, j in zip(at, by, strict=True)))]
        if leaf not in topological([e]):
            return []
        if e.op is not Op.ADD:
            self.rules[RULES[e.op].name] = None
        used = (*at, *by, *taken)

        def d(a: Expr, indices: Indices | None = None, extra: Indices = ()) -> list[Term]:
            return self(a, (at if a.shape else ()) if indices is None else indices, leaf, by, (*used, *extra))

        def element(a: Expr, indices: Indices | None = None, extra: Indices = ()) -> Formula:
            place = (at if a.shape else ()) if indices is None else indices
            return self.form(a, place, (*used, *extra))

        match e.op:
            case Op.ADD:
                return [term for a in e.args for term in d(a)]
            case Op.NEG:
                return [term.times(Neg(Number(1.0))) for term in d(e.args[0])]
            case Op.MUL | Op.OUTER:
                a, b = e.args
                places = (at[:1], at[1:]) if e.op is Op.OUTER else (None, None)
                return [term.times(element(b, places[1])) for term in d(a, places[0])] + [
                    term.times(element(a, places[0])) for term in d(b, places[1])
                ]
            case Op.DIV:
                a, b = e.args
                below = element(b)
                over = [term.times(Quotient(Number(1.0), below)) for term in d(a)]
                square = Quotient(element(a), Power(below, 2.0))
                return over + [term.times(Neg(square)) for term in d(b)]
            case Op.POW:
                p = e.attr
                outer = times([Number(p), power(element(e.args[0]), p - 1.0)])
                return [term.times(outer) for term in d(e.args[0])]
            case Op.CONTRACT:
                letter = self.form.letter(used)
                inner = Index(letter)
                left, right = contracted(e, at, inner)
                a, b = e.args
                size = a.shape[e.attr[0]]
                terms = [t.times(element(b, right, (inner,))) for t in d(a, left, (inner,))]
                terms += [t.times(element(a, left, (inner,))) for t in d(b, right, (inner,))]
                return [term.within(letter, size) for term in terms]
            case Op.TRANSPOSE:
                return d(e.args[0], at[::-1])
            case Op.SUM:
                return self._over(e.args[0], used, lambda indices: d(e.args[0], indices, indices))
            case Op.BROADCAST:
                return d(e.args[0], ())
            case Op.CONCAT:
                return self._concatenation(e, at, d)
            case Op.SLICE:
                axis, start, _ = e.attr
                moved = tuple(Index(i.letter, i.offset + start) if n == axis else i for n, i in enumerate(at))
                return d(e.args[0], moved)
            case Op.SOFTMAX | Op.LOG_SOFTMAX | Op.LOGSUMEXP | Op.CROSS_ENTROPY:
                return self._of_vectors(e, at, used, d, element)
            case op if op in FUNCTION_NAMES:
                a = e.args[0]
                prime = Apply(FUNCTION_NAMES[op], element(a), prime=True)
                return [term.times(prime) for term in d(a)]
        raise ValueError(f"no index derivative of {e.op.name}")

    def _over(self, e: Expr, taken: Indices, terms: Callable[[Indices], list[Term]]) -> list[Term]:
        letters = [self.form.letter(taken, number) for number in range(len(e.shape))]
        found = terms(tuple(map(Index, letters)))
        for letter, size in reversed(list(zip(letters, e.shape, strict=True))):
            found = [term.within(letter, size) for term in found]
        return found

    def _concatenation(self, e: Expr, at: Indices, d: Callable[..., list[Term]]) -> list[Term]:
        """Each item where it stands: the index counts from its beginning."""
        terms: list[Term] = []
        start = Dim()
        for a in e.args:
            moved = tuple(
                Index(i.letter, i.offset - start) if axis == e.attr else i for axis, i in enumerate(at)
            )
            terms += d(a, moved)
            start = start + a.shape[e.attr]
        return terms

    def _of_vectors(
        self,
        e: Expr,
        at: Indices,
        used: Indices,
        d: Callable[..., list[Term]],
        element: Callable[..., Formula],
    ) -> list[Term]:
        a = e.args[0]
        softmax = build.apply(Op.SOFTMAX, a)

        def weighted(sign: float) -> list[Term]:
            def at_index(k: Indices) -> list[Term]:
                factor = element(softmax, k, k)
                return [t.times(factor if sign > 0 else negate(factor)) for t in d(a, k, k)]

            return self._over(a, used, at_index)

        match e.op:
            case Op.LOGSUMEXP:
                return weighted(1.0)
            case Op.LOG_SOFTMAX:
                return d(a) + weighted(-1.0)
            case Op.SOFTMAX:
                y = element(softmax, at)
                return [term.times(y) for term in d(a) + weighted(-1.0)]
            case _:
                target = e.args[1]
                log_p = build.apply(Op.LOG_SOFTMAX, a)

                def error(k: Indices) -> list[Term]:
                    difference = plus([element(softmax, k, k), negate(element(target, k, k))])
                    return [t.times(difference) for t in d(a, k, k)]

                def by_target(k: Indices) -> list[Term]:
                    return [t.times(negate(element(log_p, k, k))) for t in d(target, k, k)]

                return self._over(a, used, error) + self._over(target, used, by_target)


def power(base: Formula, exponent: float) -> Formula:
    if exponent == 0.0:
        return Number(1.0)
    return base if exponent == 1.0 else Power(base, exponent)


def collapse(terms: Iterable[Term]) -> list[Term]:
    """Every sum that a Kronecker delta reduces to one term is that term; a delta of one index is 1."""
    return [_collapsed(term) for term in terms]


def _collapsed(term: Term) -> Term:
    summed = dict(term.sums)
    for delta in term.deltas:
        if delta.left == delta.right:
            rest = tuple(d for d in term.deltas if d is not delta)
            return _collapsed(replace(term, deltas=rest))
        for inner, other in ((delta.left, delta.right), (delta.right, delta.left)):
            if inner.letter in summed and inner.letter != other.letter:
                to = Index(other.letter, other.offset - inner.offset)
                rest = tuple(d for d in term.deltas if d is not delta)
                deltas = tuple(rename(d, inner.letter, to) for d in rest)
                return _collapsed(
                    Term(
                        tuple(rename(f, inner.letter, to) for f in term.factors),
                        tuple(d for d in deltas if isinstance(d, Kronecker)),
                        tuple(s for s in term.sums if s[0] != inner.letter),
                    )
                )
    return term


def collapsed_letters(before: Iterable[Term], after: Iterable[Term]) -> dict[str, list[Index]]:
    """The letters whose sums went away, each with what took its place (not the same in all terms, maybe)."""
    gone: dict[str, list[Index]] = {}
    for old, new in zip(before, after, strict=True):
        left = {letter for letter, _ in new.sums}
        for letter, _ in old.sums:
            partner = _partner(letter, old)
            if letter not in left and partner is not None and partner not in gone.setdefault(letter, []):
                gone[letter].append(partner)
    return gone


def _partner(letter: str, term: Term) -> Index | None:
    for delta in term.deltas:
        for inner, other in ((delta.left, delta.right), (delta.right, delta.left)):
            if inner.letter == letter:
                return Index(other.letter, other.offset - inner.offset)
    return None


def through_values(formula: Formula, names: dict[Formula, Formula]) -> Formula:
    """σ′(a) as h (1 - h), where h = σ(a) has a name, and the other derivatives that their own values give."""

    def change(part: Formula) -> Formula:
        if not isinstance(part, Apply) or not part.prime:
            return part
        value = names.get(Apply(part.function, part.argument), Apply(part.function, part.argument))
        one = Number(1.0)
        match part.function:
            case "sigmoid":
                return Product((value, Add((one, Neg(value)))))
            case "tanh":
                return Add((one, Neg(Power(value, 2.0))))
            case "relu":
                return Apply("step", part.argument)
            case "softplus":
                return Apply("sigmoid", part.argument)
            case "exp":
                return value
            case "log":
                return Quotient(one, part.argument)
            case "sqrt":
                return Quotient(one, times([Number(2.0), value]))
            case _:
                return part

    return flatten(transform(formula, change))


def flatten(formula: Formula) -> Formula:
    """Products within products in line, and a factor 1 / b under a fraction."""

    def change(part: Formula) -> Formula:
        if isinstance(part, Product):
            inverse = [f for f in part.factors if isinstance(f, Quotient) and f.top == Number(1.0)]
            if len(inverse) == 1 and len(part.factors) > 1:
                rest = [f for f in part.factors if f is not inverse[0]]
                deltas = [f for f in rest if isinstance(f, Kronecker)]
                over = Quotient(times([f for f in rest if not isinstance(f, Kronecker)]), inverse[0].bottom)
                return times([over, *deltas])
        if isinstance(part, Product) and any(isinstance(f, Product | Neg) for f in part.factors):
            return times(list(part.factors))
        return part

    return transform(formula, change)


def holds_letter(formula: Formula, letter: str) -> bool:
    return letter in letters_of(formula)
