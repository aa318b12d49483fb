"""Pairs laid out for a model: parallel streams cut into windows, or shuffled pairs.

The pairs 1 2 3 … 11 as 3 streams, time first, in windows of 2 steps:

    1  5  9     window 1       Stream 1 reads 1 2 3 4, and stream 2 goes on where it ends. The state after
    2  6 10                    window 1 enters window 2; gradients do not go back from there (truncated BPTT).
    3  7 11     window 2
    4  8  ·                    A place without a pair has weight 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bptt.text.pairs import Pairs
from bptt.text.tokenizer import Ids

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Batch:
    """What one run of a model reads, each (T, B): `weight` is 0 where there is no pair and equal elsewhere.

    `keep` is 0 where the state entering the step is the initial one. `fresh`: nothing is carried over from
    the batch before. `pairs` is the number of places that hold a pair.
    """

    x: Ids
    y: Ids
    weight: Floats
    keep: Floats
    fresh: bool
    pairs: int


@dataclass(frozen=True)
class Streams:
    """B streams of L steps: `x`, `y` int32 (L, B), `weight` (1 or 0) and `keep` float32 (L, B).

    Stream b holds the pairs from number `first[b]` on.
    """

    x: Ids
    y: Ids
    weight: Floats
    keep: Floats
    first: NDArray[np.int64]

    def windows(self, steps: int) -> Iterator[tuple[int, Batch]]:
        """The windows of `steps` steps with the step at which each begins; the last may be shorter."""
        for begin in range(0, len(self.x), steps):
            part = slice(begin, begin + steps)
            weight = self.weight[part]
            count = int(np.count_nonzero(weight))
            yield begin, Batch(self.x[part], self.y[part], weight, self.keep[part], begin == 0, count)


def lay_out(
    pairs: Pairs,
    first: NDArray[np.int64],
    end: NDArray[np.int64],
    *,
    counted: NDArray[np.int64] | None = None,
    steps: int | None = None,
) -> Streams:
    """Streams of the pairs `first[b]` to `end[b]` (exclusive), each (B,).

    Those before `counted[b]` have weight 0. `steps` is the L wanted, by default that of the longest stream.
    """
    lengths = end - first
    shape = (int(lengths.max()) if steps is None else steps, len(first))
    x, y = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
    weight, keep = np.zeros(shape, np.float32), np.ones(shape, np.float32)
    resume = np.ones(len(pairs), np.float32)
    resume[pairs.starts] = 0
    for b, (begin, stop) in enumerate(zip(first.tolist(), end.tolist(), strict=True)):
        length = stop - begin
        x[:length, b] = pairs.x[begin:stop]
        y[:length, b] = pairs.y[begin:stop]
        keep[:length, b] = resume[begin:stop]
        weight[0 if counted is None else int(counted[b]) - begin : length, b] = 1
    keep[0] = 0
    return Streams(x, y, weight, keep, first)


def exact_streams(pairs: Pairs, streams: int) -> Streams:
    """At most `streams` streams that begin where a text or sentence does, so that no state is lost."""
    wanted = np.arange(streams) * len(pairs) // streams
    first = np.unique(pairs.starts[np.searchsorted(pairs.starts, wanted, side="right") - 1])
    return lay_out(pairs, first, np.append(first[1:], len(pairs)))


def warmed_streams(pairs: Pairs, streams: int, warm_up: int) -> Streams:
    """`streams` equal parts, each after `warm_up` pairs that are read and not counted."""
    counted = np.arange(streams) * len(pairs) // streams
    first = np.maximum(counted - warm_up, 0)
    return lay_out(pairs, first, np.append(counted[1:], len(pairs)), counted=counted)


class StreamBatches:
    """Training batches for a model with state: `batch` streams read in windows of at most `window` steps.

    All windows are equally long, a little shorter than asked for if that fills the text better. With
    `shuffle` the sentences come in another order each epoch. Batch number n is always the same for the same
    arguments, whatever was asked before.
    """

    def __init__(self, pairs: Pairs, batch: int, window: int, seed: int, *, shuffle: bool) -> None:
        self.pairs, self.seed, self.shuffle = pairs, seed, shuffle
        # A short text has fewer streams rather than shorter windows.
        self.streams = max(1, min(batch, len(pairs) // window))
        steps = -(-len(pairs) // self.streams)
        self.batches_per_epoch = -(-steps // window)
        self.window = -(-steps // self.batches_per_epoch)
        self._epoch = -1

    def __getitem__(self, number: int) -> Batch:
        epoch, inside = divmod(number, self.batches_per_epoch)
        if epoch != self._epoch:
            self._lay_out(epoch)
        return self._batches[inside]

    def _lay_out(self, epoch: int) -> None:
        pairs = self.pairs
        if self.shuffle:
            order = np.random.default_rng((self.seed, epoch)).permutation(len(pairs.starts))
            pairs = pairs.reordered(order)
        if self.shuffle or self._epoch < 0:
            bounds = np.arange(self.streams + 1) * len(pairs) // self.streams
            steps = self.window * self.batches_per_epoch
            laid = lay_out(pairs, bounds[:-1], bounds[1:], steps=steps)
            # The same weight for every pair: a window that is not full counts for less.
            laid.weight[:] *= np.float32(1 / (self.window * self.streams))
            self._batches = [batch for _, batch in laid.windows(self.window)]
        self._epoch = epoch


class PairBatches:
    """Training batches for a model without state: pairs in a new random order each epoch, (1, B) at a time.

    Batch number n is always the same for the same arguments, whatever was asked before.
    """

    window = 1

    def __init__(self, pairs: Pairs, batch: int, seed: int) -> None:
        self.pairs, self.seed = pairs, seed
        self.batches_per_epoch = -(-len(pairs) // batch)
        self.streams = -(-len(pairs) // self.batches_per_epoch)
        self._epoch = -1
        self._keep = np.ones((1, self.streams), np.float32)
        self._weight = np.full((1, self.streams), 1 / self.streams, np.float32)

    def __getitem__(self, number: int) -> Batch:
        epoch, inside = divmod(number, self.batches_per_epoch)
        if epoch != self._epoch:
            self._order = np.random.default_rng((self.seed, epoch)).permutation(len(self.pairs))
            self._epoch = epoch
        chosen = self._order[inside * self.streams : (inside + 1) * self.streams]
        count = len(chosen)
        x, y = np.zeros((1, self.streams), np.int32), np.zeros((1, self.streams), np.int32)
        x[0, :count], y[0, :count] = self.pairs.x[chosen], self.pairs.y[chosen]
        weight = self._weight
        if count < self.streams:
            weight = weight.copy()
            weight[0, count:] = 0
        return Batch(x, y, weight, self._keep, True, count)
