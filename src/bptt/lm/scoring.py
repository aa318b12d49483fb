"""Scores: how well a model predicts a text, in sums that add up and are divided once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from bptt.backends.base import Executable
from bptt.ir.model import Model
from bptt.text.batches import Batch, Streams, exact_streams, warmed_streams
from bptt.text.pairs import Pairs

# Pairs of one run, and how many of them may meet a large vocabulary.
PAIRS_PER_RUN = 8192
LOGITS_PER_RUN = 1 << 24
# Sentences and texts are independent, so that many are scored side by side.
PARALLEL = 64
# Of a single long text: nearly exact, in parts that are each read after so much of what comes before.
WARM_UP = 256
SHORTEST_PART = 1024


@dataclass(frozen=True, slots=True)
class Score:
    """Sums over the predicted tokens of a text; scores of several texts add up.

    `nats` is -ln of the text's probability, `tokens` how many tokens that is a product of (sentence ends
    count), `characters` the length of the text that they spell (spaces and line ends count), `unknown` how
    many of them are the unknown token, because the vocabulary lacks what stands there or the text says so.
    """

    nats: float = 0.0
    tokens: int = 0
    characters: int = 0
    unknown: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    @property
    def nats_per_token(self) -> float:
        return self.nats / self.tokens if self.tokens else math.nan

    @property
    def bits_per_token(self) -> float:
        return self.nats_per_token / math.log(2)

    @property
    def bits_per_character(self) -> float:
        return self.nats / math.log(2) / self.characters if self.characters else math.nan

    @property
    def perplexity(self) -> float:
        """exp of the nats per token."""
        try:
            return math.exp(self.nats_per_token)
        except OverflowError:
            return math.inf

    @property
    def unknown_rate(self) -> float:
        return self.unknown / self.tokens if self.tokens else math.nan

    def as_dict(self) -> dict[str, float | int | None]:
        """The stable form for machines; None where there is no finite number."""
        values = {
            "tokens": self.tokens,
            "nats": self.nats,
            "nats_per_token": self.nats_per_token,
            "perplexity": self.perplexity,
            "bits_per_token": self.bits_per_token,
            "bits_per_character": self.bits_per_character,
            "unknown": self.unknown,
            "unknown_rate": self.unknown_rate,
        }
        return {name: number if math.isfinite(number) else None for name, number in values.items()}


def score_of(pairs: Pairs, nats: NDArray[np.float64]) -> Score:
    """The score of pairs from the nats of each, (N,)."""
    return Score(float(nats.sum()), len(pairs), pairs.characters, int(np.count_nonzero(pairs.unknown)))


def token_nats(
    executable: Executable,
    model: Model,
    params: Mapping[str, NDArray[np.float32]],
    pairs: Pairs,
    *,
    exact: bool = True,
) -> NDArray[np.float64]:
    """-ln p(y | what came before) of every pair, (N,).

    `executable` is the model compiled with goal "score" and resets. Sentences are independent of each other,
    and so are texts: they are scored side by side. A single text is one stream from its first token to its
    last, which is slow where the model has a state. Unless `exact`, it is then read in parts, each after
    WARM_UP tokens of what comes before it.
    """
    if not len(pairs):
        return np.zeros(0)
    streams = exact_streams(pairs, min(PARALLEL, len(pairs.starts)))
    parts = min(PARALLEL, len(pairs) // SHORTEST_PART)
    if not exact and model.states and parts > len(streams.first):
        streams = warmed_streams(pairs, parts, WARM_UP)
    return _run(executable, model, params, streams, len(pairs))


def _run(
    executable: Executable,
    model: Model,
    params: Mapping[str, NDArray[np.float32]],
    streams: Streams,
    count: int,
) -> NDArray[np.float64]:
    nats = np.zeros(count)
    carries: dict[str, NDArray[np.generic]] = {}
    room = min(PAIRS_PER_RUN, LOGITS_PER_RUN // executable.sizes["V"])
    for begin, batch in streams.windows(max(1, room // len(streams.first))):
        results = executable.run(params, inputs_of(batch), carries)
        carries = {state.name: results[state.name] for state in model.states}
        counted = batch.weight > 0
        positions = streams.first + np.arange(begin, begin + len(batch.x))[:, None]
        nats[positions[counted]] = results["nll"][counted]
    return nats


def inputs_of(batch: Batch) -> dict[str, NDArray[np.generic]]:
    """A batch as a compiled model reads it."""
    return {"x": batch.x, "y": batch.y, "weight": batch.weight, "keep": batch.keep}
