"""Models that the tests of the compiler share, and random points to run them at.

Each cell shows something that the shipped models do not: two scales of time, shared weights, states that
are matrices,
initial states, concatenations, objectives of one's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bptt.backends.base import Array
from bptt.checking.gradcheck import check_sizes
from bptt.ir.model import Model
from bptt.lowering import lower
from bptt.models import shipped, source_of
from bptt.source import Source
from bptt.syntax import parse

CELLS = {
    "mixture": """
        e = x @ L
        h = tanh(e @ A + h[t-1] @ R)
        g = sigmoid(sum(h * w))
        p = softmax(h @ U)
        q = softmax(e @ W)
        yhat = g * p + (1 - g) * q
        """,
    "logits carried": """
        e = x @ L
        h = tanh(e @ A + z[t-1] @ B)
        z = h @ U + 0.5 * z[t-1]
        yhat = softmax(z)
        """,
    "output fed back": """
        e = x @ L
        h = tanh(e @ A + yhat[t-1] @ B)
        yhat = softmax(h @ U)
        """,
    "unigram": """
        yhat = softmax(b)
        """,
    "lstm of concatenations": """
        e = x @ L
        f = sigmoid([e, h[t-1]] @ Wf + bf)
        i = sigmoid([e, h[t-1]] @ Wi + bi)
        o = sigmoid([e, h[t-1]] @ Wo + bo)
        g = tanh([e, h[t-1]] @ Wg + bg)
        c = f * c[t-1] + i * g
        h = o * tanh(c)
        yhat = softmax(h @ U + by)
        """,
    "columns": """
        h = tanh(We @ x + Wr @ h[t-1])
        p = softmax(Wu @ h)
        """,
    "two layers, two steps back": """
        e = x @ L
        h = sigmoid(h[t-1] @ H + e @ I + b1)
        k = tanh(k[t-1] @ K + h @ M + 0.5 * k[t-2])
        yhat = softmax(k @ U + b2)
        """,
    "tied, with an initial state": """
        e = x @ L
        h = tanh(e @ A + h[t-1] @ R)
        h[0] = h0
        yhat = softmax((h @ P) @ L.T)
        """,
    "initial state of parameters": """
        e = x @ L
        h = tanh(e @ A + h[t-1] @ R)
        h[0] = tanh(h0 @ Q)
        yhat = softmax(h @ U)
        """,
    "memory matrix": """
        e = x @ L
        k = tanh(e @ K)
        v = e @ W
        q = e @ Q
        a = sigmoid(sum(e * w))
        S = a * S[t-1] + k.T @ v
        yhat = softmax((q @ S) @ U)
        """,
    "memory that tokens address": """
        e = x @ L
        r = tanh(r[t-1] @ A + x @ S[t-1] + e)
        S = 0.9 * S[t-1] + x.T @ r
        yhat = softmax(r @ U)
        """,
    "dropout and an objective": """
        e = dropout(x @ L, 0.3)
        g = softplus(e @ G)
        m = mean(g)
        s = relu(e @ A + [s[t-1], g] @ B) / (1 + m ** 2)
        yhat = softmax(s @ U)
        J = -sum(y * log(yhat)) + 0.01 * sum(s * s) + 0.001 * sum(A * A)
        """,
    "normalised": """
        e = x @ L
        u = h[t-1] + relu(e @ A + h[t-1] @ R)
        h = u / sqrt(mean(u ** 2) + 1)
        yhat = softmax(h @ U)
        """,
}


def model_of(text: str, name: str = "cell") -> Model:
    return lower(parse(Source(name, text)))


def models() -> dict[str, Model]:
    """The shipped models and the cells above."""
    found = {name: lower(parse(source_of(name))) for name in shipped()}
    return found | {name: model_of(text, name) for name, text in CELLS.items()}


MODELS = models()


@dataclass(frozen=True)
class Point:
    """Arguments of a run: parameters, inputs x, y, weight and keep, and the states that enter the first
    step.
    """

    sizes: dict[str, int]
    params: dict[str, Array]
    inputs: dict[str, Array]
    states: dict[str, Array]


def point(
    model: Model, sizes: Mapping[str, int] | None = None, steps: int = 5, examples: int = 3, seed: int = 0
) -> Point:
    """A random point at which nothing is extreme: products with parameters keep the size of what they are
    applied to.
    """
    numbers = check_sizes(model, {}) if sizes is None else dict(sizes)
    rng = np.random.default_rng(seed)
    lead = (steps, examples)

    def drawn(shape: tuple) -> Array:
        numbered = [dim.evaluate(numbers) for dim in shape]
        return rng.standard_normal(numbered) / np.sqrt(max([1, *numbered]))

    return Point(
        numbers,
        {name: drawn(shape) for name, shape in model.params.items()},
        {
            "x": rng.integers(0, numbers["V"], lead).astype(np.int32),
            "y": rng.integers(0, numbers["V"], lead).astype(np.int32),
            "weight": rng.uniform(0.5, 1.5, lead) / (steps * examples),
            "keep": (rng.random(lead) < 0.8).astype(np.float64),
        },
        {
            s.name: 0.5 * rng.standard_normal((examples, *(dim.evaluate(numbers) for dim in s.shape)))
            for s in model.states
        },
    )
