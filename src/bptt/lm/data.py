"""From texts to what a training run reads: a tokenizer and pairs to train and to validate on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from bptt.errors import InputError
from bptt.lm.config import TrainConfig
from bptt.text.corpus import python_documentation, read_bytes, read_text, split_off
from bptt.text.pairs import Pairs, join_pairs, make_pairs
from bptt.text.tokenizer import KINDS, Tokenizer, build_tokenizer


@dataclass(frozen=True)
class Texts:
    """`names` are the files that `train` came from; empty where it did not come from files."""

    train: tuple[str, ...]
    valid: tuple[str, ...]
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Data:
    """`valid` is None where there is nothing to validate on."""

    tokenizer: Tokenizer
    train: Pairs
    valid: Pairs | None

    def fingerprint(self) -> str:
        """The same for the same pairs: tells whether a run is continued on the text that it began with."""
        digest = hashlib.sha256()
        for pairs in (self.train, self.valid):
            if pairs is not None:
                digest.update(pairs.x.tobytes() + pairs.y[-1:].tobytes() + pairs.starts.tobytes())
        return digest.hexdigest()


def read_texts(config: TrainConfig, names: Sequence[str]) -> Texts:
    """The named files (none: Python's own documentation), and the validation text."""
    read = read_bytes if KINDS[config.tokens].any_bytes else read_text
    texts = [read(name) for name in names] if names else [python_documentation()]
    for name, text in zip(names, texts, strict=False):
        if not text:
            raise InputError(f"{name} is empty")
    return divide(config, texts, names)


def divide(config: TrainConfig, texts: Sequence[str], names: Sequence[str] = ()) -> Texts:
    """The texts with the validation text split off, or read from its file."""
    fraction = _fraction(config.valid)
    if fraction is None:
        read = read_bytes if KINDS[config.tokens].any_bytes else read_text
        return Texts(tuple(texts), (read(config.valid),), tuple(names))
    if fraction == 0:
        return Texts(tuple(texts), (), tuple(names))
    boundary = "\n" if config.lines else KINDS[config.tokens].boundary
    train, valid = split_off(texts, fraction, boundary)
    return Texts(tuple(train), tuple(valid), tuple(names))


def prepare(config: TrainConfig, texts: Texts, tokenizer: Tokenizer | None = None) -> Data:
    """Pairs of the texts; the vocabulary comes from the training text alone, unless a tokenizer is given."""
    if not any(texts.train):
        raise InputError("the training text is empty")
    if tokenizer is None:
        listed, limit = _vocabulary(config)
        tokenizer = build_tokenizer(
            config.tokens,
            texts.train,
            lines=config.lines,
            listed=listed,
            limit=limit,
            minimum=config.min_count,
        )
        _check_vocabulary(tokenizer)
    train = join_pairs([make_pairs(tokenizer, text) for text in texts.train])
    if len(train) == 0:
        raise InputError("the training text has a single token: nothing follows it that could be predicted")
    valid = None
    if _fraction(config.valid) != 0:
        valid = join_pairs(
            [make_pairs(tokenizer, text) for text in texts.valid] or [make_pairs(tokenizer, "")]
        )
        if len(valid) == 0:
            raise InputError(
                "the text to validate on is too short: it has nothing to predict",
                hint="name one with --valid FILE, or go without: --valid 0",
            )
    return Data(tokenizer, train, valid)


def _fraction(valid: str) -> float | None:
    try:
        fraction = float(valid)
    except ValueError:
        return None
    if not 0 <= fraction < 1:
        raise InputError(
            f"--valid {valid} is no part of a text", hint="it is a file, or a fraction such as 0.1"
        )
    return fraction


def _vocabulary(config: TrainConfig) -> tuple[list[str] | None, int | None]:
    """The listed tokens, or how many to keep at most."""
    if config.vocab is None:
        return None, None
    if config.vocab.isdecimal():
        return None, int(config.vocab)
    entries = read_text(config.vocab).replace("\r\n", "\n").removesuffix("\n").split("\n")
    if config.tokens == "char":
        # A line end cannot stand in a list of lines; it and its like are spelled as in Python.
        entries = [
            {"\\n": "\n", "\\t": "\t", "\\r": "\r", "\\\\": "\\"}.get(entry, entry) for entry in entries
        ]
    else:
        entries = [entry.strip() for entry in entries if entry.strip()]
    return entries, None


def _check_vocabulary(tokenizer: Tokenizer) -> None:
    vocabulary = tokenizer.vocabulary
    known = [token for token in vocabulary.text_ids if token != vocabulary.unknown]
    if not known:
        raise InputError(
            "no token of the text is in the vocabulary", hint="a smaller --min-count, or another --vocab"
        )
    if len(known) == 1 and not tokenizer.lines:
        raise InputError(f"the text has one token only, {known[0]!r}: there is nothing to learn")
