"""Interning, the shapes of operations, and the constructors that settle spelling."""

import gc
import weakref

import pytest

from bptt.ir import build
from bptt.ir.dims import VOCABULARY, ZERO, Dim, show_shape
from bptt.ir.expr import Expr, ShapeError, _interned, make
from bptt.ir.ops import FACTS, LEAVES, Op
from expressions import H, K, M, V, a, b, c

TOKEN = build.token("x")


def test_equal_structure_is_the_same_object() -> None:
    assert build.add(a(H), build.mul(b(H), c())) is build.add(a(H), build.mul(b(H), c()))
    assert a(H) is not a(K) and a(H) is not b(H)
    assert build.mask(1, 0.5, (H,)) is not build.mask(2, 0.5, (H,))
    assert make(Op.LOOKUP, (a(V, V), TOKEN), 0) is not make(Op.LOOKUP, (a(V, V), TOKEN), 1)


def test_expressions_are_freed() -> None:
    held = build.apply(Op.TANH, build.param("only here", (H,)))
    seen = weakref.ref(held)
    size = len(_interned)
    del held
    gc.collect()
    assert seen() is None
    assert len(_interned) <= size - 2


def test_what_varies() -> None:
    fixed = build.mul(a(H), build.const(2.0))
    assert not fixed.varies
    for leaf in (
        build.token("x"),
        build.given("w"),
        build.carry("h", ()),
        build.value("e", ()),
        build.mask(0, 0.5, ()),
    ):
        assert leaf.varies and build.add(build.total(fixed), build.total(leaf)).varies


SHAPES = [
    (build.contract(a(H), b(H, K), (0, 0)), (K,)),
    (build.contract(a(H), b(K, H), (0, 1)), (K,)),
    (build.contract(a(H, K), b(K), (1, 0)), (H,)),
    (build.contract(a(H, K), b(K, M), (1, 0)), (H, M)),
    (build.contract(a(K, H), b(M, K), (0, 1)), (H, M)),
    (build.contract(a(H), b(H), (0, 0)), ()),
    (build.outer(a(H), b(K)), (H, K)),
    (build.transpose(a(H, K)), (K, H)),
    (make(Op.LOOKUP, (a(V, H), TOKEN), 0), (H,)),
    (make(Op.SCATTER, (TOKEN, a(H)), 0), (V, H)),
    (make(Op.SCATTER, (TOKEN, a(H)), 1), (H, V)),
    (build.total(a(H, K)), ()),
    (build.concat([a(H), b(K), a(H)], 0), (H + K + H,)),
    (build.concat([a(M, H), b(M, K)], 1), (M, H + K)),
    (build.part(a(H + K, M), 0, H, H + K), (K, M)),
    (build.cross_entropy(a(V), TOKEN), ()),
    (build.add(a(), b(H, K)), (H, K)),
]


@pytest.mark.parametrize(
    ("e", "shape"), SHAPES, ids=lambda item: item.op.name if isinstance(item, Expr) else ""
)
def test_shapes(e: Expr, shape: tuple[Dim, ...]) -> None:
    assert e.shape == shape


WRONG = [
    (Op.ADD, (a(H), b(K)), None),
    (Op.MUL, (a(H), b(H, K)), None),
    (Op.MUL, (a(H),), None),
    (Op.ADD, (), None),
    (Op.TANH, (a(H), b(H)), None),
    (Op.CONTRACT, (a(H), b(K)), (0, 0)),
    (Op.CONTRACT, (a(H), b(H, K)), (0, 1)),
    (Op.CONTRACT, (a(H), b()), (0, 0)),
    (Op.CONTRACT, (a(H, K), b(H, K)), (1, 0)),
    (Op.OUTER, (a(H), b(H, K)), None),
    (Op.TRANSPOSE, (a(H),), None),
    (Op.LOOKUP, (a(H, V), TOKEN), 0),
    (Op.LOOKUP, (a(V), TOKEN), 0),
    (Op.SCATTER, (TOKEN, a(H, K)), 0),
    (Op.SOFTMAX, (a(),), None),
    (Op.SOFTMAX, (a(H, K),), None),
    (Op.LOGSUMEXP, (a(H, K),), None),
    (Op.CROSS_ENTROPY, (a(H), b(K)), None),
    (Op.CONCAT, (a(H, K), b(K, H)), 0),
    (Op.CONCAT, (a(H), b(H, K)), 0),
    (Op.SLICE, (a(H),), (1, ZERO, H)),
    (Op.BROADCAST, (a(),), None),
    (Op.PARAM, (), "a"),
]


@pytest.mark.parametrize(
    ("op", "args", "attr"), WRONG, ids=lambda item: item.name if isinstance(item, Op) else ""
)
def test_wrong_arguments(op: Op, args: tuple[Expr, ...], attr: object) -> None:
    with pytest.raises(ShapeError):
        make(op, args, attr)


ZERO_H, ONE_H = build.zeros((H,)), build.broadcast(build.const(1.0), (H,))
SPELLINGS = {
    "sums are flat": (build.add(a(H), build.add(b(H), c(H))), make(Op.ADD, (a(H), b(H), c(H)))),
    "zeros vanish in sums": (build.add(ZERO_H, a(H)), a(H)),
    "a sum of zeros is zero": (build.add(ZERO_H, ZERO_H), ZERO_H),
    "a zero that gives the shape": (build.add(ZERO_H, a()), build.broadcast(a(), (H,))),
    "two signs": (build.neg(build.neg(a(H))), a(H)),
    "the sign of a number": (build.neg(build.const(2.0)), build.const(-2.0)),
    "no sign of zero": (build.neg(ZERO_H), ZERO_H),
    "signs go out of products": (build.mul(build.neg(a(H)), b(H)), build.neg(build.mul(a(H), b(H)))),
    "signs go out of quotients": (build.div(build.neg(a(H)), b(H)), build.neg(build.div(a(H), b(H)))),
    "ones vanish in products": (build.mul(ONE_H, a(H)), a(H)),
    "a one for each element": (build.mul(a(H), build.const(1.0)), a(H)),
    "zero swallows": (build.mul(build.const(0.0), a(H)), ZERO_H),
    "zero over anything": (build.div(build.const(0.0), a(H)), ZERO_H),
    "products of numbers": (build.mul(build.const(2.0), build.const(4.0)), build.const(8.0)),
    "a scalar in every place": (build.mul(build.broadcast(a(), (H,)), b(H)), build.mul(a(), b(H))),
    "over one": (build.div(a(H), build.const(1.0)), a(H)),
    "power of one": (build.power(a(H), 1.0), a(H)),
    "power of zero": (build.power(a(H), 0.0), ONE_H),
    "vectors stand first": (
        build.contract(a(H, K), b(K), (1, 0)),
        make(Op.CONTRACT, (b(K), a(H, K)), (0, 1)),
    ),
    "transposes are absorbed": (
        build.contract(a(H), build.transpose(b(K, H)), (0, 0)),
        build.contract(a(H), b(K, H), (0, 1)),
    ),
    "a product with zero": (build.contract(ZERO_H, b(H, K), (0, 0)), build.zeros((K,))),
    "an outer product with zero": (build.outer(ZERO_H, b(K)), build.zeros((H, K))),
    "transposed twice": (build.transpose(build.transpose(a(H, K))), a(H, K)),
    "transposed outer product": (build.transpose(build.outer(a(H), b(K))), build.outer(b(K), a(H))),
    "the sum of a scalar": (build.total(a()), a()),
    "the sum of zeros": (build.total(build.zeros((H, K))), build.const(0.0)),
    "a concatenation of one": (build.concat([a(H)], 0), a(H)),
    "a part that is all": (build.part(a(H), 0, ZERO, H), a(H)),
    "parts of parts": (
        build.part(build.part(a(H + K + M), 0, H, H + K + M), 0, ZERO, K),
        build.part(a(H + K + M), 0, H, H + K),
    ),
    "sizes that are numbers": (build.size(Dim.number(3)), build.const(3.0)),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_one_spelling(name: str) -> None:
    got, want = SPELLINGS[name]
    assert got is want


def test_rebuilding_goes_through_the_constructors() -> None:
    e = build.add(a(H), b(H))
    assert build.rebuild(e, e.args) is e
    assert build.rebuild(e, (a(H), ZERO_H)) is a(H)
    assert build.rebuild(build.broadcast(a(), (H,)), (b(),)) is build.broadcast(b(), (H,))


def test_sizes_add_up() -> None:
    two_h = H + H
    assert str(two_h + K + Dim.number(1)) == "2h + k + 1"
    assert two_h - H == H and H - H == ZERO == Dim()
    assert H + K == K + H and hash(H + K) == hash(K + H)
    assert str(H - Dim.number(2)) == "h - 2" and str(ZERO) == "0"
    assert (two_h + Dim.number(1)).evaluate({"h": 5}) == 11
    with pytest.raises(KeyError):
        K.evaluate({"h": 1})
    assert show_shape((H, VOCABULARY)) == "(h, V)" and show_shape(()) == "()"


def test_arities_match_what_is_built() -> None:
    for e, _ in SHAPES:
        arity = FACTS[e.op].arity
        assert e.op not in LEAVES and (arity is None or len(e.args) == arity)
