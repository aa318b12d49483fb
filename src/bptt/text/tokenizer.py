"""Text to token ids and back: characters, bytes, words.

A tokenizer is one way of cutting text into pieces together with the vocabulary of pieces that a model knows.
What is not in the vocabulary becomes its unknown token, and is counted.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import chain
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bptt.errors import InputError
from bptt.text.vocabulary import SENTENCE_END, SENTENCE_START, Vocabulary, count_vocabulary, listed_vocabulary

Ids = NDArray[np.int32]

_NEWLINE = 10


class Tokenizer(ABC):
    """`lines` tells whether each line of a text is a sentence of its own, between `<s>` and `</s>`."""

    kind: ClassVar[str]
    # Where a text may be cut in two so that no token is cut (a regular expression; empty: anywhere).
    boundary: ClassVar[str] = ""
    # What stands between two tokens in a text.
    separator: ClassVar[str] = ""
    # Whether a text is decoded strictly; bytes take any file.
    any_bytes: ClassVar[bool] = False

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.lines = vocabulary.start is not None
        self.unknown = -1 if vocabulary.unknown is None else vocabulary.ids[vocabulary.unknown]
        self.start = -1 if vocabulary.start is None else vocabulary.ids[vocabulary.start]
        self.end = -1 if vocabulary.end is None else vocabulary.ids[vocabulary.end]

    @abstractmethod
    def encode(self, text: str) -> Ids:
        """The ids of the text's tokens, -1 where the vocabulary lacks one; no markers."""

    @abstractmethod
    def encode_lines(self, text: str) -> tuple[Ids, NDArray[np.int64]]:
        """The ids of all lines one after the other, and how many each line has."""

    @abstractmethod
    def decode(self, ids: Iterable[int]) -> str:
        """The text that these tokens spell; the end of a sentence is a line end."""

    def to_json(self) -> str:
        v = self.vocabulary
        content = {
            "kind": self.kind,
            "tokens": v.tokens,
            "unknown": v.unknown,
            "start": v.start,
            "end": v.end,
        }
        return json.dumps(content, ensure_ascii=True)


def split_lines(text: str) -> list[str]:
    """The lines of a text, without the newline that ends each (and the return before it, if any)."""
    lines = text.replace("\r\n", "\n").split("\n")
    if not lines[-1]:
        lines.pop()
    return lines


class _CodeTokenizer(Tokenizer):
    """Tokens that are numbers already (code points, bytes): encoded by looking up a table."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        super().__init__(vocabulary)
        codes = {
            self._code(token): number for token, number in vocabulary.text_ids.items() if self._is_code(token)
        }
        # One entry more than the greatest code: whatever lies above is clipped to it, and is unknown.
        self._table = np.full(max(codes, default=0) + 2, -1, np.int32)
        self._table[list(codes)] = list(codes.values())

    @staticmethod
    @abstractmethod
    def codes(text: str) -> NDArray[Any]: ...

    @staticmethod
    @abstractmethod
    def _code(token: str) -> int: ...

    @staticmethod
    @abstractmethod
    def _is_code(token: str) -> bool: ...

    def encode(self, text: str) -> Ids:
        codes = self.codes(text)
        return self._table.take(codes, mode="clip")

    def encode_lines(self, text: str) -> tuple[Ids, NDArray[np.int64]]:
        codes = self.codes(text.replace("\r\n", "\n"))
        newline = codes == _NEWLINE
        ends = np.flatnonzero(newline)
        if len(codes) and not newline[-1]:
            ends = np.append(ends, len(codes))
        lengths = np.diff(ends, prepend=-1) - 1
        return self._table.take(codes[~newline], mode="clip"), lengths


class CharTokenizer(_CodeTokenizer):
    """Each character (Unicode code point) is a token, line ends included."""

    kind = "char"

    @staticmethod
    def codes(text: str) -> NDArray[Any]:
        return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)

    @staticmethod
    def _code(token: str) -> int:
        return ord(token)

    @staticmethod
    def _is_code(token: str) -> bool:
        return len(token) == 1

    def decode(self, ids: Iterable[int]) -> str:
        return "".join(map(self._spellings.__getitem__, ids))

    @cached_property
    def _spellings(self) -> list[str]:
        v = self.vocabulary
        special = {v.unknown: "\N{REPLACEMENT CHARACTER}", v.start: "", v.end: "\n"}
        return [special.get(token, token) for token in v.tokens]


class ByteTokenizer(_CodeTokenizer):
    """Each byte of the text in UTF-8 is a token. All 256 are in the vocabulary, so none is unknown."""

    kind = "byte"
    any_bytes = True

    @staticmethod
    def codes(text: str) -> NDArray[Any]:
        return np.frombuffer(text.encode("utf-8", "surrogateescape"), np.uint8)

    @staticmethod
    def _code(token: str) -> int:
        return int(token[3:5], 16)

    @staticmethod
    def _is_code(token: str) -> bool:
        return token.startswith("<0x")

    def decode(self, ids: Iterable[int]) -> str:
        special = {self.start: b"", self.end: b"\n"}
        return b"".join(special[i] if i in special else bytes((i,)) for i in ids).decode("utf-8", "replace")


def _byte_token(code: int) -> str:
    return f"<0x{code:02X}>"


class WordTokenizer(Tokenizer):
    """What stands between white space is a token."""

    kind = "word"
    boundary = r"\s+"
    separator = " "

    def encode(self, text: str) -> Ids:
        return self._ids(text.split())

    def encode_lines(self, text: str) -> tuple[Ids, NDArray[np.int64]]:
        lines = [line.split() for line in split_lines(text)]
        return self._ids(chain.from_iterable(lines)), np.fromiter(map(len, lines), np.int64, len(lines))

    def _ids(self, words: Iterable[str]) -> Ids:
        find = self.vocabulary.text_ids.get
        return np.fromiter((find(word, -1) for word in words), np.int32)

    def decode(self, ids: Iterable[int]) -> str:
        special = {self.start: "", self.end: "\n"}
        words = (special.get(i, self.vocabulary.tokens[i] + " ") for i in ids)
        return "".join(words).replace(" \n", "\n").removesuffix(" ")


KINDS: dict[str, type[Tokenizer]] = {
    kind.kind: kind for kind in (CharTokenizer, ByteTokenizer, WordTokenizer)
}


def count_characters(texts: Iterable[str]) -> Counter[str]:
    totals: Counter[str] = Counter()
    for text in texts:
        codes, counts = np.unique(CharTokenizer.codes(text), return_counts=True)
        totals.update(dict(zip(map(chr, codes.tolist()), counts.tolist(), strict=True)))
    return totals


def count_words(texts: Iterable[str]) -> Counter[str]:
    totals: Counter[str] = Counter()
    for text in texts:
        totals.update(text.split())
    return totals


COUNTERS = {"char": count_characters, "word": count_words}


def build_tokenizer(
    kind: str,
    texts: Sequence[str],
    *,
    lines: bool = False,
    listed: Sequence[str] | None = None,
    limit: int | None = None,
    minimum: int = 1,
) -> Tokenizer:
    """A tokenizer whose vocabulary comes from `texts` (the training text, and nothing else), or is `listed`.

    `limit` keeps the most frequent, special tokens included; `minimum` those seen that often.
    """
    tokenizer = KINDS[kind]
    if tokenizer is ByteTokenizer:
        if listed is not None or limit is not None or minimum > 1:
            raise InputError(
                "the vocabulary of bytes is fixed: all 256", hint="leave the option out, or use other tokens"
            )
        markers = (SENTENCE_START, SENTENCE_END) if lines else ()
        tokens = (*map(_byte_token, range(256)), *markers)
        return ByteTokenizer(Vocabulary(tokens, None, *(markers or (None, None))))
    if listed is not None:
        return tokenizer(listed_vocabulary(listed, markers=lines))
    counts = COUNTERS[kind](texts)
    if lines:
        del counts["\n"]
    vocabulary = count_vocabulary(counts, limit=limit, minimum=minimum, markers=lines)
    return tokenizer(vocabulary)


def tokenizer_from_json(text: str) -> Tokenizer:
    """The tokenizer that `to_json` wrote. ValueError or KeyError if the text is none."""
    content = json.loads(text)
    if content["kind"] not in KINDS:
        raise ValueError(f"no tokenizer is called {content['kind']!r}")
    vocabulary = Vocabulary(tuple(content["tokens"]), content["unknown"], content["start"], content["end"])
    return KINDS[content["kind"]](vocabulary)
