"""Text drawn from a model, token by token."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bptt.backends.base import Executable
from bptt.errors import InputError
from bptt.ir.model import Model


@dataclass(frozen=True)
class Sampling:
    """How the next token is drawn.

    From p ** (1 / temperature) (0: the likeliest), of the `top_k` likeliest (0: all), of the fewest that
    together have the probability `top_p`.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.temperature) and self.temperature >= 0):
            raise InputError(f"a temperature of {self.temperature} is not possible", hint="it is 0 or more")
        if self.top_k < 0:
            raise InputError(f"top-k {self.top_k} is not possible", hint="it is 1 or more; 0 for all tokens")
        if not 0 < self.top_p <= 1:
            raise InputError(f"top-p {self.top_p} is not possible", hint="it is more than 0 and at most 1")


class Generator:
    """A model within a text: `feed` reads a token, `probabilities` (V,) are of the one that follows."""

    def __init__(
        self,
        executable: Executable,
        model: Model,
        params: Mapping[str, NDArray[np.float32]],
        forbidden: list[int],
    ) -> None:
        self._executable, self._model, self._params, self._forbidden = executable, model, params, forbidden
        self._x = np.zeros((1, 1), np.int32)
        self._inputs = {"x": self._x, "keep": np.zeros((1, 1), np.float32)}
        self._carries: dict[str, NDArray[np.generic]] = {}
        self.probabilities = np.zeros(0)

    def feed(self, token: int, *, fresh: bool = False) -> None:
        """Reads a token; `fresh`: as the first of a text or sentence."""
        self._x[0, 0] = token
        self._inputs["keep"][0, 0] = 0.0 if fresh else 1.0
        results = self._executable.run(self._params, self._inputs, {} if fresh else self._carries)
        self._carries = {state.name: results[state.name] for state in self._model.states}
        self.probabilities = results["probabilities"][0, 0].astype(np.float64)
        self.probabilities[self._forbidden] = 0.0

    def draw(self, sampling: Sampling, random: np.random.Generator) -> int:
        return draw(self.probabilities, sampling, random)


def draw(probabilities: NDArray[np.float64], sampling: Sampling, random: np.random.Generator) -> int:
    """A token from the distribution (V,) as `sampling` says; ties go to the smaller id."""
    if sampling.temperature == 0:
        return int(probabilities.argmax())
    p = probabilities
    if sampling.temperature != 1:
        with np.errstate(divide="ignore"):
            logarithms = np.log(p) / sampling.temperature
        p = np.exp(logarithms - logarithms.max())
    if 0 < sampling.top_k < len(p):
        dropped = np.argsort(-p, kind="stable")[sampling.top_k :]
        p = p.copy()
        p[dropped] = 0.0
    cumulative = np.cumsum(p)
    if sampling.top_p < 1:
        order = np.argsort(-p, kind="stable")
        before = np.cumsum(p[order]) - p[order]
        p = p.copy()
        p[order[before >= sampling.top_p * cumulative[-1]]] = 0.0
        cumulative = np.cumsum(p)
    # Below the total, and never on a token without probability.
    return int(
        np.searchsorted(cumulative, random.random() * cumulative[-1], side="right").clip(max=len(p) - 1)
    )


def draw_tokens(
    generator: Generator,
    sampling: Sampling,
    random: np.random.Generator,
    length: int,
    *,
    start: int,
    end: int,
) -> Iterator[int]:
    """`length` tokens after what the generator has read; after `end` a new sentence begins with `start`."""
    for _ in range(length):
        token = generator.draw(sampling, random)
        yield token
        generator.feed(start if token == end else token, fresh=token == end)
