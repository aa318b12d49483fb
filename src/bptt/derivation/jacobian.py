"""The Jacobian of one step: what a derivative by the new state is multiplied with to get to the old one.

Every equation passes its cotangent back by a linear map. Written as a matrix (diag(f′) for an elementwise
function, Wᵀ for a product) and multiplied along every path, these maps give the matrix ∂h/∂h[t-1], in the
orientation in which it is used: on the right of a row, on the left of a column.
"""

from __future__ import annotations

from bptt.autodiff.reverse import reverse
from bptt.derivation.board import Value
from bptt.derivation.derive import Deriver
from bptt.derivation.matrix_form import Unwritable, add, hadamard, negate, product, transpose
from bptt.formula.tree import Derivative, Diag, Formula, Identity, Neg, Number, Ones, Product, Quotient, Zeros
from bptt.ir import build
from bptt.ir.expr import Expr
from bptt.ir.model import State
from bptt.ir.ops import Op
from bptt.ir.traversal import topological


class StepJacobian:
    def __init__(self, derive: Deriver) -> None:
        self.derive, self.board = derive, derive.board
        self.row = self.board.layout == "row"

    def between(self, new: State, old: State) -> Formula:
        """∂new/∂old over one step, every path of the step followed. Unwritable where it is no matrix.

        A path that leads through the new value of another state goes on with that one's Jacobian, by name.
        """
        if len(new.shape) != 1 or len(old.shape) != 1:
            raise Unwritable("the derivative of a matrix or a number that is carried")
        if self.board.batch:
            raise Unwritable("one Jacobian for every example of a batch")
        carry = build.carry(old.name, old.shape)
        value = self.board.values.get(new.variable)
        if new.lag > 1 or value is None:
            n = new.shape[0]
            m = old.shape[0]
            return Identity(n) if self._is_carried_on(new, old) else Zeros((n, m) if self.row else (m, n))
        return self._through(value, carry)

    def _is_carried_on(self, new: State, old: State) -> bool:
        return old.variable == new.variable and old.lag == new.lag - 1

    def _through(self, top: Value, carry: Expr) -> Formula:
        """Σ over the paths from `top` down to the carry of the products of the maps along them."""
        n, m = top.leaf.shape[0], carry.shape[0]
        before = self.board.symbol(carry)
        if before is None:
            # It is only handed on, to be read when it is older.
            return Zeros((n, m) if self.row else (m, n))
        maps: dict[str, Formula] = {top.name: Identity(n)}
        total: list[Formula] = []
        carried = {s.variable for s in self.board.model.states}
        for value in reversed(self.derive.values):
            outer = maps.get(value.name)
            if outer is None:
                continue
            if value is not top and value.name in carried and len(value.leaf.shape) == 1:
                total.append(self.compose(outer, Derivative(value.symbol, before)))
                continue
            for leaf in sorted(self.derive.leaves(value), key=lambda e: str(e.attr)):
                inner = next((v for v in self.derive.values if v.leaf is leaf), None)
                if inner is None and leaf is not carry:
                    continue
                if inner is not None and carry not in self.derive.below_values([inner]):
                    continue
                passed = reverse({value.definition: [value.cotangent]}, [leaf])[leaf]
                if build.is_zero(passed):
                    continue
                step = self.compose(outer, self.linear(passed, value.cotangent))
                if inner is None:
                    total.append(step)
                else:
                    known = maps.get(inner.name)
                    maps[inner.name] = step if known is None else add_maps([known, step])
        return add_maps(total) if total else Zeros((n, m) if self.row else (m, n))

    def compose(self, first: Formula, then: Formula) -> Formula:
        """The map `first` followed by `then`."""
        if isinstance(first, Identity):
            return then
        if isinstance(then, Identity):
            return first
        match then:
            case Product((number, Identity())):
                return product([number, first])
        left, right = (first, then) if self.row else (then, first)
        match factors_of(left), factors_of(right):
            case (*before, Diag(a)), (Diag(b), *after):
                # Element by element the order does not count: that of the path, in either layout.
                return product([*before, Diag(hadamard([a, b] if self.row else [b, a])), *after])
        return product([left, right])

    def linear(self, e: Expr, g: Expr) -> Formula:
        """The matrix M of a linear expression: e = g M with rows, e = M g with columns."""
        write = self.derive.matrix
        if e is g:
            return Identity(g.shape[0]) if g.shape else Number(1.0)
        match e.op:
            case Op.NEG:
                return negate(self.linear(e.args[0], g))
            case Op.ADD:
                return add_maps([self._spread(a, g, e) for a in e.args])
            case Op.MUL:
                a, b = e.args if g in topological([e.args[0]]) else e.args[::-1]
                inner = self.linear(a, g)
                if a.shape and b.shape:
                    return self.compose(inner, Diag(write(b)))
                if not b.shape:
                    return product([write(b), inner])
                return self.compose(inner, write(b))
            case Op.DIV if g not in topological([e.args[1]]):
                a, b = e.args
                inverse = Quotient(Number(1.0), write(b))
                inner = self._spread(a, g, e)
                return self.compose(inner, Diag(inverse)) if b.shape else product([inverse, inner])
            case Op.CONTRACT:
                return self._contract(e, g)
            case Op.SUM:
                return self._total(e, g)
            case Op.BROADCAST:
                return self.compose(self.linear(e.args[0], g), Ones(e.shape))
        raise Unwritable(f"the Jacobian of {e.op.name.lower()}")

    def _spread(self, a: Expr, g: Expr, whole: Expr) -> Formula:
        """The map to an operand of an elementwise operation; a number is put in every place."""
        inner = self.linear(a, g)
        return inner if a.shape or not whole.shape else self.compose(inner, Ones(whole.shape))

    def _contract(self, e: Expr, g: Expr) -> Formula:
        a, b = e.args
        write = self.derive.matrix
        if g in topological([b]):
            if len(b.shape) != 1:
                raise Unwritable("the Jacobian of a matrix")
            a, b = b, a
        inner = self.linear(a, g)
        if len(b.shape) == 1:
            return self.compose(inner, transpose(write(b)))
        if len(a.shape) != 1:
            raise Unwritable("the Jacobian of a matrix")
        axis = e.attr[1]
        turned = axis == 1 if self.row else axis == 0
        return self.compose(inner, transpose(write(b)) if turned else write(b))

    def _total(self, e: Expr, g: Expr) -> Formula:
        (a,) = e.args
        write = self.derive.matrix
        if a.op is Op.MUL and all(len(f.shape) == 1 for f in a.args):
            varying, other = a.args if g in topological([a.args[0]]) else a.args[::-1]
            return self.compose(self.linear(varying, g), transpose(write(other)))
        return self.compose(self.linear(a, g), transpose(Ones(a.shape)))


def factors_of(formula: Formula) -> tuple[Formula, ...]:
    return formula.factors if isinstance(formula, Product) else (formula,)


def add_maps(maps: list[Formula]) -> Formula:
    """The sum of matrices; diagonal ones are added up under one diag."""
    diagonals: list[Formula] = []
    others: list[Formula] = []
    for each in maps:
        match each:
            case Diag(a):
                diagonals.append(a)
            case Neg(Diag(a)):
                diagonals.append(negate(a))
            case _:
                others.append(each)
    if len(diagonals) > 1:
        return add([Diag(add(diagonals)), *others])
    return add(maps)
