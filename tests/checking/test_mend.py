"""A single error of any kind is found and named, and nothing is called right that is not."""

from __future__ import annotations

import random
import time

import pytest

from bptt.checking.mend import Mend, mend, pool_of
from bptt.checking.pool import letters_of
from bptt.formula.tree import (
    NOW,
    Add,
    Apply,
    Formula,
    Index,
    Indexed,
    Neg,
    Symbol,
)
from bptt.ir.dims import Dim
from checking.planting import PLANTERS, Numbers, Right, planted, right_formulas

D, V, E = Dim.named("h"), Dim.named("V"), Dim.named("e")
SIZES = {"h": 4, "V": 3, "e": 5}
U, H, I = Symbol("U", (D, V)), Symbol("H", (D, D)), Symbol("I", (E, D))
h, e = Symbol("h", (D,), NOW), Symbol("e", (E,), NOW)
theta, y, yhat = Symbol("theta", (D,), NOW), Symbol("y", (V,), NOW), Symbol("yhat", (V,), NOW)
ERROR = Add((yhat, Neg(y)))
SLOPE = Apply("sigmoid", theta, prime=True)
MODELS = ("bigram", "elman", "gru", "lstm", "mingru", "residual")


def right(formula: Formula, layout: str = "row", notation: str = "matrix") -> Right:
    return Right("", formula, layout, notation, SIZES)


def mended(wrong: Formula, truth: Right, pool: Formula | None = None, **options: object) -> Mend | None:
    """The mend that is found with plenty of time; `pool` is the right formula as the caller has it."""
    settings: dict[str, object] = {"layout": truth.layout} if truth.notation == "matrix" else {}
    settings |= {"shape": truth.shape, "letters": letters_of(truth.formula), "seconds": 20.0}
    numbers = Numbers(truth, 2)
    return mend(wrong, numbers.judge, pool_of(pool or truth.formula), **(settings | options))  # type: ignore[arg-type]


def at(symbol: Symbol, letters: str) -> Indexed:
    return Indexed(symbol, tuple(map(Index, letters)))


@pytest.mark.parametrize("layout", ["row", "column"])
@pytest.mark.parametrize("kind", PLANTERS)
def test_a_single_error_is_found_and_named(kind: str, layout: str) -> None:
    rng = random.Random(f"{kind} {layout}")
    seen, found, named, seconds = 0, 0, 0, 0.0
    missed = []
    for name in MODELS:
        for truth in rng.sample(right_formulas(name, layout), 8):
            others = [Numbers(truth, seed) for seed in (11, 12, 13)]
            for wrong in planted(truth, kind, rng, 1):
                began = time.perf_counter()
                result = mended(wrong, truth, seconds=2.0)
                seconds += time.perf_counter() - began
                seen += 1
                if result is None:
                    missed.append(f"{truth.name}: {wrong}")
                    continue
                found += 1
                named += result.kind == kind
                assert all(numbers.judge(result.formula) == 1 for numbers in others), result.words
    assert seen >= (8 if kind in ("missing-sum",) else 20)
    assert found >= 0.97 * seen, "\n".join(missed)
    assert named >= 0.9 * found
    # A tenth of a second is the aim; a busy machine gets more.
    assert seconds / seen < 0.5
