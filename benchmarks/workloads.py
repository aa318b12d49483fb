"""What is trained: models as equations with their sizes, seeded weights and tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Weights = dict[str, Array]

ELMAN = """
e = x @ L
h = {activation}(e @ W + h[t-1] @ U + b)
yhat = softmax(h @ O + c)
"""
# The reset gate acts after the product with the state, as in nn.GRU.
GRU = """
e = x @ L
r = sigmoid(e @ Wr + h[t-1] @ Ur + br)
z = sigmoid(e @ Wz + h[t-1] @ Uz + bz)
n = tanh(e @ Wn + bn + r * (h[t-1] @ Un + cn))
h = (1 - z) * n + z * h[t-1]
yhat = softmax(h @ O + c)
"""
BIGRAM = """
e = x @ L
h = sigmoid(e @ W + b)
yhat = softmax(h @ O + c)
"""
EQUATIONS = {
    "tanh": ELMAN.format(activation="tanh"),
    "sigmoid": ELMAN.format(activation="sigmoid"),
    "gru": GRU,
    "bigram": BIGRAM,
}
GATES = {"tanh": ("",), "sigmoid": ("",), "gru": ("r", "z", "n"), "bigram": ("",)}
LEARNING_RATE = 0.1


@dataclass(frozen=True)
class Workload:
    """A model of one size on windows of T steps of B examples; ids are (T, B)."""

    model: str
    cell: str
    vocabulary: int
    embedding: int
    hidden: int
    batch: int
    steps: int

    @property
    def equations(self) -> str:
        return EQUATIONS[self.cell]

    @property
    def sizes(self) -> dict[str, int]:
        return {"V": self.vocabulary, "e": self.embedding, "h": self.hidden}

    @property
    def tokens(self) -> int:
        return self.batch * self.steps

    @property
    def recurrent(self) -> bool:
        return self.cell != "bigram"

    @property
    def operations(self) -> float:
        """Of the products of a step: the forward ones, and backward two of the same size for each."""
        gates = len(GATES[self.cell])
        into_hidden = self.embedding + (self.hidden if self.recurrent else 0)
        return 3 * 2.0 * self.tokens * self.hidden * (gates * into_hidden + self.vocabulary)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of the parameters by the names that they have in the equations."""
        V, e, h = self.vocabulary, self.embedding, self.hidden
        shapes: dict[str, tuple[int, ...]] = {"L": (V, e)}
        for gate in GATES[self.cell]:
            shapes |= {f"W{gate}": (e, h), f"b{gate}": (h,)}
            if self.recurrent:
                shapes[f"U{gate}"] = (h, h)
        if self.cell == "gru":
            shapes["cn"] = (h,)
        return shapes | {"O": (h, V), "c": (V,)}

    def weights(self, seed: int = 0) -> Weights:
        rng = np.random.default_rng(seed)
        bound = self.hidden**-0.5
        return {name: rng.uniform(-bound, bound, s).astype(np.float32) for name, s in self.shapes().items()}

    def ids(self, seed: int = 1) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Random tokens and the ones to predict, (T, B) each."""
        ids = np.random.default_rng(seed).integers(0, self.vocabulary, (2, self.steps, self.batch), np.int32)
        return ids[0], ids[1]


WORKLOADS = [
    #        model  cell       V        e    h    B    T
    Workload("M1", "tanh",     96,      64,  128, 32,  64),
    Workload("M1", "sigmoid",  96,      64,  128, 32,  64),
    Workload("M2", "gru",      96,      64,  256, 64,  64),
    Workload("M3", "tanh",     10_000,  200, 200, 20,  35),
    Workload("M3", "sigmoid",  10_000,  200, 200, 20,  35),
    Workload("M3", "tanh",     10_000,  200, 200, 64,  35),
    Workload("M3", "sigmoid",  10_000,  200, 200, 64,  35),
    Workload("M4", "gru",      10_000,  512, 512, 32,  35),
    Workload("M5", "bigram",   2_000,   50,  50,  50,  1),
    Workload("M5", "bigram",   2_000,   50,  50,  500, 1),
    Workload("M6", "tanh",     100_000, 256, 256, 32,  35),
]  # fmt: skip
