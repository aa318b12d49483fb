"""What a model reads while the flow of its gradients is measured: tokens at random, or parts of a text."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bptt.analysis.jacobians import Ids
from bptt.cli.flow_subjects import Subject
from bptt.errors import InputError
from bptt.text.corpus import read_bytes, read_text
from bptt.text.pairs import Pairs, make_pairs

# Tokens read before the steps that are looked at, so that the state is not the initial one any more.
WARM_UP = 20


def random_sequences(subject: Subject, steps: int, examples: int, seed: int) -> tuple[Ids, Ids]:
    """Tokens drawn uniformly, and those that follow: (T, B) each. Where a run knows sentences, the first is
    `<s>`.
    """
    random = np.random.default_rng(seed)
    ids = random.integers(0, subject.sizes["V"], (steps + WARM_UP + 1, examples)).astype(np.int32)
    if subject.tokenizer is not None and subject.tokenizer.lines:
        ids[0] = subject.tokenizer.start
    return ids[:-1], ids[1:]


def text_sequences(subject: Subject, name: str, steps: int, examples: int, seed: int) -> tuple[Ids, Ids]:
    """Parts of a text, drawn at random: (T, B) each. Where a run knows sentences, beginnings of sentences.

    InputError where the text (or all of its sentences) is shorter than `steps`.
    """
    tokenizer = subject.tokenizer
    if tokenizer is None:
        raise InputError(
            f"{subject.label} has fresh weights, and no tokens to read a text as",
            hint="--text goes with a run that `bptt train` made",
        )
    pairs = make_pairs(tokenizer, (read_bytes if tokenizer.any_bytes else read_text)(name))
    random = np.random.default_rng(seed)
    if tokenizer.lines:
        length, starts = steps, _long_sentences(pairs, name, steps)
    else:
        length = min(steps + WARM_UP, len(pairs))
        if length < steps:
            raise InputError(f"{name} has only {len(pairs)} tokens", hint=f"--steps {len(pairs)} at most")
        starts = np.arange(len(pairs) - length + 1)
    begin = random.choice(starts, examples, replace=len(starts) < examples)
    index = begin[None, :] + np.arange(length)[:, None]
    return pairs.x[index], pairs.y[index]


def _long_sentences(pairs: Pairs, name: str, steps: int) -> NDArray[np.int64]:
    lengths = pairs.lengths()
    if not (lengths >= steps).any():
        longest = int(lengths.max(initial=0))
        raise InputError(
            f"no sentence of {name} has {steps} tokens",
            hint=f"--steps {longest} at most: a state begins anew with each sentence",
        )
    return pairs.starts[lengths >= steps]
