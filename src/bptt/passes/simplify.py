"""Equal and cheaper: rules for the contractions that gradients and concatenations bring with them."""

from __future__ import annotations

from collections import Counter

from bptt.ir import build
from bptt.ir.dims import Dim
from bptt.ir.expr import Expr, make
from bptt.ir.ops import Op
from bptt.ir.program import Program
from bptt.passes.rewriting import RewriteRule, rewrite_program


def simplify(program: Program) -> Program:
    return rewrite_program(program, SIMPLIFY)


def look_up_tokens(program: Program) -> Program:
    """Products with one-hot vectors become look-ups, and outer products with them become scattered rows."""
    return rewrite_program(program, LOOK_UP)


def _sum_of_products(e: Expr) -> Expr | None:
    (a,) = e.args
    if a.op is Op.MUL and all(len(f.shape) == 1 for f in a.args):
        return build.contract(a.args[0], a.args[1], (0, 0))
    return None


def _equal_terms(e: Expr) -> Expr | None:
    """a + a is 2 a."""
    counts = Counter(e.args)
    if len(counts) == len(e.args):
        return None
    return build.add(*(build.mul(build.const(n), a) if n > 1 else a for a, n in counts.items()))


def _product_with_concatenation(e: Expr) -> Expr | None:
    """[a, b] M = a M_1 + b M_2, each with its rows of M: the parts may be computed at different times."""
    v, table = e.args
    _, j = e.attr
    if v.op is not Op.CONCAT or len(v.shape) != 1 or len(table.shape) != 2:
        return None
    terms = []
    start = Dim()
    for a in v.args:
        stop = start + a.shape[0]
        terms.append(build.contract(a, build.part(table, j, start, stop), (0, j)))
        start = stop
    return build.add(*terms)


def _part_of_product(e: Expr) -> Expr | None:
    """A part of v M is v times that part of M."""
    (a,) = e.args
    _, start, stop = e.attr
    if a.op is Op.CONTRACT and len(a.shape) == 1 and len(a.args[1].shape) == 2:
        v, table = a.args
        j = a.attr[1]
        return build.contract(v, build.part(table, 1 - j, start, stop), (0, j))
    return None


def _part_of_elementwise(e: Expr) -> Expr | None:
    """A part of a sum or product is the sum or product of the parts."""
    (a,) = e.args
    if a.op not in (Op.ADD, Op.MUL, Op.NEG, Op.BROADCAST):
        return None
    axis, start, stop = e.attr
    if a.op is Op.BROADCAST:
        return build.broadcast(a.args[0], e.shape)
    parts = tuple(build.part(b, axis, start, stop) if b.shape else b for b in a.args)
    return build.rebuild(a, parts)


def _part_of_concatenation(e: Expr) -> Expr | None:
    """A part that covers whole pieces of a concatenation is those pieces."""
    (a,) = e.args
    axis, start, stop = e.attr
    if a.op is not Op.CONCAT or a.attr != axis:
        return None
    at, pieces, inside = Dim(), [], False
    for piece in a.args:
        inside = inside or at == start
        if at == stop:
            break
        if inside:
            pieces.append(piece)
        at = at + piece.shape[axis]
    return build.concat(pieces, axis) if pieces and at == stop else None


def _sum_of_one_scalar(e: Expr) -> Expr | None:
    """n times the scalar, for a vector of n places."""
    (a,) = e.args
    if a.op is Op.BROADCAST:
        factor = a.args[0]
        for dim in a.shape:
            factor = build.mul(factor, build.size(dim))
        return factor
    return None


def _product_with_token(e: Expr) -> Expr | None:
    """With a one-hot vector in the token's row, all of the contraction but one row falls away."""
    v, table = e.args
    _, j = e.attr
    if v.op is Op.TOKEN and len(table.shape) == 2:
        return make(Op.LOOKUP, (table, v), j)
    return None


def _outer_with_token(e: Expr) -> Expr | None:
    a, b = e.args
    if a.op is Op.TOKEN:
        return make(Op.SCATTER, (a, b), 0)
    if b.op is Op.TOKEN:
        return make(Op.SCATTER, (b, a), 1)
    return None


SIMPLIFY = (
    RewriteRule("equal terms", Op.ADD, _equal_terms),
    RewriteRule("sum of products", Op.SUM, _sum_of_products),
    RewriteRule("sum of one scalar", Op.SUM, _sum_of_one_scalar),
    RewriteRule("product with a concatenation", Op.CONTRACT, _product_with_concatenation),
    RewriteRule("part of a product", Op.SLICE, _part_of_product),
    RewriteRule("part of a sum", Op.SLICE, _part_of_elementwise),
    RewriteRule("part of a concatenation", Op.SLICE, _part_of_concatenation),
)
LOOK_UP = (
    RewriteRule("look-up", Op.CONTRACT, _product_with_token),
    RewriteRule("scatter", Op.OUTER, _outer_with_token),
)
