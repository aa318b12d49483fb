import pytest

from bptt.ir import build
from bptt.ir.dims import VOCABULARY
from bptt.ir.expr import Expr
from bptt.ir.ops import Op
from bptt.lowering.distribution import bounds, is_distribution

V = (VOCABULARY,)
LOGITS, OTHER = build.param("s", V), build.param("t", V)
P, Q = build.apply(Op.SOFTMAX, LOGITS), build.apply(Op.SOFTMAX, OTHER)
A = build.apply(Op.SIGMOID, build.param("a", ()))
B = build.apply(Op.SIGMOID, build.param("b", ()))
ONE = build.const(1.0)


def mix(weight: Expr, p: Expr, q: Expr) -> Expr:
    return build.add(build.mul(weight, p), build.mul(build.sub(ONE, weight), q))


DISTRIBUTIONS = {
    "softmax": P,
    "exp of log_softmax": build.apply(Op.EXP, build.apply(Op.LOG_SOFTMAX, LOGITS)),
    "normalised exponentials": build.div(
        build.apply(Op.EXP, LOGITS), build.total(build.apply(Op.EXP, LOGITS))
    ),
    "mixture": mix(A, P, Q),
    "constant weight": mix(build.const(0.3), P, Q),
    "mixture of mixtures": mix(B, mix(A, P, Q), P),
    "factored weight": mix(build.mul(A, B), P, Q),
    "weight one minus a gate": mix(build.sub(ONE, A), P, Q),
}

OTHERS = {
    "logits": LOGITS,
    "log-probabilities": build.apply(Op.LOG_SOFTMAX, LOGITS),
    "sigmoids": build.apply(Op.SIGMOID, LOGITS),
    "sum of two": build.add(P, Q),
    "product of two": build.mul(P, Q),
    "half of one": build.mul(build.const(0.5), P),
    "weights that do not add up": build.add(build.mul(A, P), build.mul(B, Q)),
    "weight that can be negative": mix(build.apply(Op.TANH, build.param("a", ())), P, Q),
    "weight above one": mix(build.const(1.5), P, Q),
    "vector of weights": mix(build.apply(Op.SIGMOID, OTHER), P, Q),
    "mixture with logits": mix(A, P, OTHER),
    "normalised by another sum": build.div(
        build.apply(Op.EXP, LOGITS), build.total(build.apply(Op.EXP, OTHER))
    ),
}


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_distributions(name: str) -> None:
    assert is_distribution(DISTRIBUTIONS[name])


@pytest.mark.parametrize("name", OTHERS)
def test_others(name: str) -> None:
    assert not is_distribution(OTHERS[name])


def test_bounds() -> None:
    assert bounds(build.sub(ONE, A)) == (0.0, 1.0)
    assert bounds(build.mul(A, build.neg(B))) == (-1.0, 0.0)
    assert bounds(build.mul(build.const(0.0), build.param("a", ()))) == (0.0, 0.0)
    assert bounds(build.mul(A, build.apply(Op.EXP, LOGITS))) == (0.0, float("inf"))
