"""Accuracy of the vector functions over their whole range, against float64."""

import numpy as np
import pytest

TINY = np.finfo(np.float32).tiny


def apply(native, name, x):
    """f(x) for a vector of any length, through a program."""
    x = np.ascontiguousarray(x, np.float32)
    out = np.full_like(x, np.nan)
    n = len(x)
    operands = ((1, 0, 0, 0, n), (0, 0, 0, 0, n), None, None)
    program = native.Program(
        [("sequence", 0, n, "x"), ("sequence", 0, n, "y")],
        [("map", [(native.OPCODES[name], *operands, 0.0, 0.0, 0, 0, 0, 0)])],
    )
    program.run(1, 1, [x.reshape(1, 1, n), out.reshape(1, 1, n)])
    return out


def around(low, high, count=200_001):
    """Numbers dense in [low, high], with many near zero and of either sign."""
    small = np.geomspace(1e-30, max(abs(low), abs(high)), count // 2)
    every = np.concatenate([np.linspace(low, high, count), small, -small, [0.0, -0.0]])
    return every[(every >= low) & (every <= high)].astype(np.float32)


def softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def sigmoid(x):
    return np.where(x >= 0, 1 / (1 + np.exp(-np.abs(x))), np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x))))


# Relative errors; the bounds leave some room for other roundings of the same formula.
@pytest.mark.parametrize(
    "name,f,x,bound",
    [
        ("EXP", np.exp, around(-87, 88.7), 1.5e-7),
        ("TANH", np.tanh, around(-20, 20), 2e-7),
        ("SIGMOID", sigmoid, around(-87, 100), 2e-7),
        ("SOFTPLUS", softplus, around(-87, 100), 2e-7),
        (
            "LOG",
            np.log,
            np.concatenate([np.geomspace(1e-45, 3e38, 200_001), np.linspace(0.5, 2, 200_001)]),
            1.5e-7,
        ),
        ("SQRT", np.sqrt, np.geomspace(1e-37, 3e38, 10_001), 1e-7),
    ],
)
def test_relative_error(isa, native, name, f, x, bound):
    x = x.astype(np.float32)
    x = x[x != 0]
    want = f(x.astype(np.float64))
    normal = np.abs(want) >= TINY
    got = apply(native, name, x).astype(np.float64)
    error = np.abs(got - want)[normal] / np.abs(want)[normal]
    worst = int(error.argmax())
    assert error[worst] <= bound, f"{name}({x[normal][worst]!r}) is off by {error[worst]:.2e}"


@pytest.mark.parametrize(
    "name,x,want",
    [
        ("EXP", [0, -0.0, 1e4, -1e4, np.inf, -np.inf], [1, 1, np.inf, 0, np.inf, 0]),
        ("TANH", [0, 1e4, -1e4, np.inf, -np.inf, 1e-40], [0, 1, -1, 1, -1, 1e-40]),
        ("SIGMOID", [0, 1e4, -1e4, np.inf, -np.inf], [0.5, 1, 0, 1, 0]),
        ("SOFTPLUS", [0, 1e4, -1e4, np.inf, -np.inf], [np.log(2), 1e4, 0, np.inf, 0]),
        ("LOG", [1, 0, -0.0, np.inf], [0, -np.inf, -np.inf, np.inf]),
        ("SQRT", [0, 4, np.inf], [0, 2, np.inf]),
        ("RELU", [0, -1e4, 1e4, -np.inf, np.inf], [0, 0, 1e4, 0, np.inf]),
        ("STEP", [0, -1e4, 1e4, np.inf], [0, 0, 1, 1]),
    ],
)
def test_limits(isa, native, name, x, want):
    np.testing.assert_allclose(apply(native, name, x), np.float32(want), rtol=2e-7)


@pytest.mark.parametrize("name", ("EXP", "TANH", "SIGMOID", "SOFTPLUS", "LOG", "SQRT", "RELU"))
def test_nan_stays_nan(isa, native, name):
    assert np.isnan(apply(native, name, [np.nan] * 19)).all()


@pytest.mark.parametrize("name", ("LOG", "SQRT"))
def test_no_real_value(isa, native, name):
    assert np.isnan(apply(native, name, [-1.0, -1e-30, -np.inf])).all()


def test_softmax_of_huge_logits(isa, native, case):
    c = case(2, 3)
    a, _ = c.values(37, lambda shape: c.rng.choice([-1e4, 0.0, 1e4, -1e38, 3e38], shape))
    soft, log, total = c.out(37), c.out(37), c.out(1)
    c.op("SOFTMAX", soft, a)
    c.op("LOG_SOFTMAX", log, a)
    c.op("LOGSUMEXP", total, a)
    c.run()
    np.testing.assert_allclose(c.window(soft).sum(-1), 1, rtol=1e-6)
    assert np.isfinite(c.window(total)).all()
    assert not np.isnan(c.window(log)).any()
