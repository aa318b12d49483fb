"""Each derivative rule against finite differences of the operation it is for."""

import numpy as np
import pytest

from bptt.autodiff.reverse import reverse
from bptt.autodiff.rules import RULES
from bptt.ir import build
from bptt.ir.dims import ZERO
from bptt.ir.expr import Expr, make
from bptt.ir.ops import ELEMENTWISE, Op
from expressions import H, K, M, V, a, b, c, drawn, slopes, value_of

TOKEN = build.token("x")
UNARY = ELEMENTWISE - {Op.ADD, Op.MUL, Op.DIV, Op.POW}
NEEDS_POSITIVE = {Op.LOG, Op.SQRT, Op.POW, Op.DIV}

# Operations as they are, built by `make` so that no constructor makes something simpler of them; arguments
# of all ranks.
CASES: list[Expr] = [
    *(
        make(op, (a(*shape),))
        for op in sorted(UNARY, key=lambda op: op.value)
        for shape in ((), (H,), (H, K))
    ),
    *(make(Op.POW, (a(H),), exponent) for exponent in (2.0, 3.0, -1.0, 0.5, -1.5)),
    make(Op.POW, (a(),), 2.0),
    make(Op.POW, (a(H, K),), 3.0),
    make(Op.ADD, (a(H), b(H), c(H))),
    make(Op.ADD, (a(H), b(), c(H))),
    make(Op.ADD, (a(), b(H, K))),
    make(Op.ADD, (a(H), a(H))),
    *(
        make(op, pair)
        for op in (Op.MUL, Op.DIV)
        for pair in (
            (a(), b()),
            (a(H), b(H)),
            (a(H, K), b(H, K)),
            (a(), b(H)),
            (a(H), b()),
            (a(), b(H, K)),
            (a(H, K), b()),
            (a(H), a(H)),
        )
    ),
    make(Op.CONTRACT, (a(H), b(H)), (0, 0)),
    make(Op.CONTRACT, (a(H), a(H)), (0, 0)),
    make(Op.CONTRACT, (a(H), b(H, K)), (0, 0)),
    make(Op.CONTRACT, (a(K), b(H, K)), (0, 1)),
    make(Op.CONTRACT, (a(H, K), b(K, M)), (1, 0)),
    make(Op.CONTRACT, (a(H, K), b(M, K)), (1, 1)),
    make(Op.CONTRACT, (a(K, H), b(K, M)), (0, 0)),
    make(Op.CONTRACT, (a(K, H), b(M, K)), (0, 1)),
    make(Op.CONTRACT, (a(H, H), a(H, H)), (1, 0)),
    make(Op.CONTRACT, (a(H, H), a(H, H)), (0, 0)),
    make(Op.OUTER, (a(H), b(K))),
    make(Op.OUTER, (a(H), a(H))),
    make(Op.TRANSPOSE, (a(H, K),)),
    make(Op.LOOKUP, (a(V, H), TOKEN), 0),
    make(Op.LOOKUP, (a(H, V), TOKEN), 1),
    make(Op.SCATTER, (TOKEN, a(H)), 0),
    make(Op.SCATTER, (TOKEN, a(H)), 1),
    make(Op.SUM, (a(H),)),
    make(Op.SUM, (a(H, K),)),
    make(Op.BROADCAST, (a(),), (H,), (H,)),
    make(Op.BROADCAST, (a(),), (H, K), (H, K)),
    make(Op.SOFTMAX, (a(H),)),
    make(Op.LOG_SOFTMAX, (a(H),)),
    make(Op.LOGSUMEXP, (a(H),)),
    # The rule takes the target to be a distribution, whatever is moved.
    make(Op.CROSS_ENTROPY, (a(H), make(Op.SOFTMAX, (b(H),)))),
    make(Op.CROSS_ENTROPY, (a(V), TOKEN)),
    make(Op.CONCAT, (a(H), b(K), c(M)), 0),
    make(Op.CONCAT, (a(H), b(K), a(H)), 0),
    make(Op.CONCAT, (a(H, M), b(K, M)), 0),
    make(Op.CONCAT, (a(M, H), b(M, K), c(M, M)), 1),
    *(
        make(Op.SLICE, (a(*shape),), (axis, start, stop))
        for axis, shape in ((0, (H + K + M,)), (0, (H + K + M, V)), (1, (V, H + K + M)))
        for start, stop in ((ZERO, H), (H, H + K), (H + K, H + K + M), (ZERO, H + K + M))
    ),
]


def labelled(e: Expr) -> str:
    return repr(e)


def test_every_rule_has_a_case() -> None:
    assert {e.op for e in CASES} == set(RULES)


@pytest.mark.parametrize("y", CASES, ids=labelled)
def test_rule(y: Expr) -> None:
    """J = Σ g ∘ y for random g: what the rule gives for each argument is the slope of J."""
    g = build.param("g", y.shape)
    objective = make(Op.MUL, (g, y))
    objective = make(Op.SUM, (objective,)) if y.shape else objective
    leaves = drawn([objective], np.random.default_rng(0), positive=y.op in NEEDS_POSITIVE)
    wanted = [leaf for leaf in leaves if leaf.op is Op.PARAM and leaf is not g]
    cotangents = reverse({y: [g]}, wanted)
    for leaf in wanted:
        assert cotangents[leaf].shape == leaf.shape
        got = np.broadcast_to(value_of(cotangents[leaf], leaves), np.shape(leaves[leaf]))
        # Sixth order, steps of 0.002: 6e-17 · f⁽⁷⁾ / 140, where f⁽⁷⁾ reaches 1e9 for powers at 0.2.
        np.testing.assert_allclose(got, slopes(objective, leaf, leaves), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("op", [Op.RELU, Op.STEP])
def test_derivatives_at_a_kink_are_zero(op: Op) -> None:
    y = make(op, (a(),))
    slope = reverse({y: [build.const(1.0)]}, [a()])[a()]
    assert value_of(slope, {a(): np.asarray(0.0)}) == 0.0


def test_rules_do_not_look_below_their_arguments() -> None:
    """A rule is made of g, y and the arguments: the same whatever the arguments are."""
    for y in CASES:
        for cotangent in RULES[y.op].apply(build.param("g", y.shape), y):
            assert cotangent is None or cotangent.shape in {arg.shape for arg in y.args} | {y.shape}
