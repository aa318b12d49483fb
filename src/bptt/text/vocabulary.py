"""The tokens that a model knows, and their numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from bptt.errors import InputError

UNKNOWN = "<unk>"
SENTENCE_START = "<s>"
SENTENCE_END = "</s>"

# Spellings of the unknown word that are found in vocabularies in circulation, the most usual first.
UNKNOWN_SPELLINGS = (UNKNOWN, "<UNK>", "<Unk>", "UNK", "unk", "[UNK]", "<oov>", "<OOV>", "UUUNKKK")


@dataclass(frozen=True)
class Vocabulary:
    """`tokens` by id. `unknown` stands for every token that is not among them (None: there is no such token).

    `start` and `end` are the markers of sentences, None where the text is one stream.
    """

    tokens: tuple[str, ...]
    unknown: str | None = UNKNOWN
    start: str | None = None
    end: str | None = None

    def __len__(self) -> int:
        return len(self.tokens)

    @cached_property
    def ids(self) -> dict[str, int]:
        return {token: number for number, token in enumerate(self.tokens)}

    @cached_property
    def markers(self) -> frozenset[str]:
        """The tokens that stand for a place and never for a piece of text."""
        return frozenset(marker for marker in (self.start, self.end) if marker is not None)

    @cached_property
    def text_ids(self) -> dict[str, int]:
        """Ids of the tokens that can occur in text: a text that spells a marker does not get it."""
        return {token: number for token, number in self.ids.items() if token not in self.markers}


def count_vocabulary(
    counts: Mapping[str, int], *, limit: int | None = None, minimum: int = 1, markers: bool = False
) -> Vocabulary:
    """The tokens seen `minimum` times or more, most frequent first, at most `limit` with the special ones.

    Ties are in the order of the characters, so that the same text has the same vocabulary everywhere. If the
    text itself holds `<unk>`, that entry is the unknown token.
    """
    special = [UNKNOWN] + ([SENTENCE_START, SENTENCE_END] if markers else [])
    if limit is not None and limit <= len(special):
        raise InputError(
            f"a vocabulary of {limit} leaves no room: {len(special)} entries are " + ", ".join(special),
            hint=f"ask for at least {len(special) + 1}",
        )
    kept = [token for token, count in counts.items() if count >= minimum and token not in special]
    kept.sort(key=lambda token: (-counts[token], token))
    tokens = special + (kept if limit is None else kept[: limit - len(special)])
    start, end = (SENTENCE_START, SENTENCE_END) if markers else (None, None)
    return Vocabulary(tuple(tokens), UNKNOWN, start, end)


def listed_vocabulary(entries: Sequence[str], *, markers: bool = False) -> Vocabulary:
    """The given tokens in the given order; special tokens that the list lacks come after them.

    The unknown token is the first of UNKNOWN_SPELLINGS that the list has, else `<unk>` is added.
    """
    twice = [token for token, count in Counter(entries).items() if count > 1]
    if twice:
        raise InputError(f"the vocabulary lists {twice[0]!r} more than once")
    if not entries:
        raise InputError("the vocabulary is empty")
    present = set(entries)
    tokens = list(entries)
    unknown = next((spelling for spelling in UNKNOWN_SPELLINGS if spelling in present), UNKNOWN)
    wanted = [unknown] + ([SENTENCE_START, SENTENCE_END] if markers else [])
    tokens += [token for token in wanted if token not in present]
    start, end = (SENTENCE_START, SENTENCE_END) if markers else (None, None)
    return Vocabulary(tuple(tokens), unknown, start, end)
