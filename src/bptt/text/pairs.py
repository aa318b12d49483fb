"""A text as pairs (token, the token that follows): what a model is trained and scored on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bptt.text.tokenizer import Ids, Tokenizer


@dataclass(frozen=True)
class Pairs:
    """N pairs in the order of the text: `x` and `y` are ids, int32 (N,).

    `starts` are the positions, ascending, of the pairs before which the model has seen nothing: the first
    of each text, and with lines the first of each sentence. `unknown` (N,) marks where `y` is the unknown
    token: the vocabulary lacks what stands there, or the text itself holds its symbol. `characters` is the
    length of the text that the pairs predict: spaces and line ends count, the first token of a stream,
    which nothing predicts, does not.
    """

    x: Ids
    y: Ids
    starts: NDArray[np.int64]
    unknown: NDArray[np.bool_]
    characters: int

    def __len__(self) -> int:
        return len(self.x)

    def lengths(self) -> NDArray[np.int64]:
        """How many pairs each text or sentence has, (len(starts),)."""
        return np.diff(self.starts, append=len(self))

    def reordered(self, order: NDArray[np.int64]) -> Pairs:
        """The same sentences in another order; `order` is a permutation of their numbers."""
        lengths = self.lengths()[order]
        starts = np.cumsum(lengths) - lengths
        index = np.repeat(self.starts[order] - starts, lengths) + np.arange(len(self))
        return Pairs(self.x[index], self.y[index], starts, self.unknown[index], self.characters)


def make_pairs(tokenizer: Tokenizer, text: str, *, start: bool = True, end: bool = True) -> Pairs:
    """The pairs of a text.

    As a stream c1 … cn: (c1, c2) … (cn-1, cn). Where the tokenizer takes lines as sentences w1 … wn: (<s>,
    w1) … (wn, </s>), an empty line being the sentence (<s>, </s>); without `start` the first of these is left
    out, without `end` the last.
    """
    if not tokenizer.lines:
        return _stream(tokenizer, text)
    pairs = _sentences(tokenizer, text)
    if start and end:
        return pairs
    kept = np.ones(len(pairs), bool)
    lengths = pairs.lengths()
    if not start:
        kept[pairs.starts] = False
    if not end:
        kept[pairs.starts + lengths - 1] = False
    removed = np.minimum(lengths, (not start) + (not end))
    # A sentence that has no pair left is no sentence any more.
    lengths = (lengths - removed)[lengths > removed]
    characters = pairs.characters - (len(pairs.starts) if not end else 0)
    return Pairs(pairs.x[kept], pairs.y[kept], np.cumsum(lengths) - lengths, pairs.unknown[kept], characters)


def join_pairs(parts: Sequence[Pairs]) -> Pairs:
    """The pairs of several texts one after the other; each begins anew."""
    offsets = np.cumsum([0] + [len(part) for part in parts])
    return Pairs(
        np.concatenate([part.x for part in parts]),
        np.concatenate([part.y for part in parts]),
        np.concatenate([part.starts + offset for part, offset in zip(parts, offsets[:-1], strict=True)]),
        np.concatenate([part.unknown for part in parts]),
        sum(part.characters for part in parts),
    )


def _stream(tokenizer: Tokenizer, text: str) -> Pairs:
    ids = tokenizer.encode(text)
    ids = np.where(ids < 0, np.int32(tokenizer.unknown), ids)
    unknown = ids == tokenizer.unknown
    starts = np.zeros(1 if len(ids) > 1 else 0, np.int64)
    first = len(tokenizer.decode(ids[:1].tolist())) if len(ids) else 0
    return Pairs(ids[:-1], ids[1:], starts, unknown[1:], max(0, len(text) - max(1, first)))


def _sentences(tokenizer: Tokenizer, text: str) -> Pairs:
    ids, words = tokenizer.encode_lines(text)
    lengths = words + 1
    ends = np.cumsum(lengths) - 1
    starts = ends - words
    inside = np.ones(len(ids) + len(words), bool)
    inside[ends] = False
    y = np.full(len(inside), tokenizer.end, np.int32)
    y[inside] = ids
    y[y < 0] = tokenizer.unknown
    unknown = y == tokenizer.unknown
    x = np.empty_like(y)
    x[1:] = y[:-1]
    x[starts] = tokenizer.start
    text = text.replace("\r\n", "\n")
    characters = len(text) + (1 if text and not text.endswith("\n") else 0)
    return Pairs(x, y, starts, unknown, characters)
