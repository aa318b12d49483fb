"""Tokenizers: text to ids and back, vocabularies, what is unknown."""

import json
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bptt.errors import InputError
from bptt.text.tokenizer import KINDS, build_tokenizer, split_lines, tokenizer_from_json

TEXT = "to be or not to be,\nthat is the question:\n"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lines", [False, True])
def test_what_is_encoded_is_decoded(kind: str, lines: bool) -> None:
    tokenizer = build_tokenizer(kind, [TEXT], lines=lines)
    expected = TEXT if kind != "word" else " ".join(TEXT.split())
    if lines:
        expected = expected.replace("\n", "")
        ids = tokenizer.encode_lines(TEXT)[0]
        if kind == "word":
            expected = " ".join(TEXT.split())
    else:
        ids = tokenizer.encode(TEXT)
    assert ids.dtype == np.int32
    assert tokenizer.decode(ids.tolist()) == expected


@given(st.text())
def test_bytes_keep_any_text(text: str) -> None:
    tokenizer = build_tokenizer("byte", [])
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    assert tokenizer.decode(tokenizer.encode(text).tolist()) == text


def test_bytes_that_are_no_text_are_tokens_like_any_other() -> None:
    tokenizer = build_tokenizer("byte", [])
    text = b"\xff\x00a".decode("utf-8", "surrogateescape")
    assert tokenizer.encode(text).tolist() == [255, 0, 97]


@given(st.text(alphabet="ab\n\r \N{GREEK SMALL LETTER ALPHA}\N{GRINNING FACE}\x0c\x85"))
def test_lines_of_characters_and_words_agree_with_python(text: str) -> None:
    lines = split_lines(text)
    for kind in ("char", "word"):
        tokenizer = build_tokenizer(kind, [text, "ab"], lines=True)
        ids, lengths = tokenizer.encode_lines(text)
        pieces = [line if kind == "char" else line.split() for line in lines]
        assert lengths.tolist() == [len(piece) for piece in pieces]
        assert ids.tolist() == [tokenizer.vocabulary.ids[token] for piece in pieces for token in piece]


def test_vocabulary_is_most_frequent_first_and_ties_are_alphabetical() -> None:
    tokenizer = build_tokenizer("word", ["b a c a", "d"])
    assert tokenizer.vocabulary.tokens == ("<unk>", "a", "b", "c", "d")
    sentences = build_tokenizer("word", ["b a c a"], lines=True)
    assert sentences.vocabulary.tokens == ("<unk>", "<s>", "</s>", "a", "b", "c")


def test_limits_count_the_special_tokens() -> None:
    assert build_tokenizer("word", ["b a c a b"], limit=3).vocabulary.tokens == ("<unk>", "a", "b")
    assert build_tokenizer("word", ["b a c a b"], minimum=2).vocabulary.tokens == ("<unk>", "a", "b")
    with pytest.raises(InputError, match="leaves no room"):
        build_tokenizer("word", ["a"], limit=3, lines=True)


def test_a_token_that_the_vocabulary_lacks_is_marked() -> None:
    tokenizer = build_tokenizer("word", ["a b"])
    assert tokenizer.encode("a x b").tolist() == [1, -1, 2]
    characters = build_tokenizer("char", ["ab"])
    assert characters.encode("a\N{GRINNING FACE}b").tolist() == [1, -1, 2]


def test_an_unknown_symbol_in_the_text_is_an_ordinary_entry() -> None:
    tokenizer = build_tokenizer("word", ["a <unk> <unk> b"])
    assert tokenizer.vocabulary.tokens == ("<unk>", "a", "b")
    assert tokenizer.encode("<unk>").tolist() == [tokenizer.unknown]


def test_a_list_keeps_its_order_and_its_unknown_symbol() -> None:
    tokenizer = build_tokenizer("word", ["unused"], listed=["the", "UUUNKKK", "a"], lines=True)
    assert tokenizer.vocabulary.tokens == ("the", "UUUNKKK", "a", "<s>", "</s>")
    assert tokenizer.unknown == 1
    assert build_tokenizer("word", [], listed=["the", "a"]).vocabulary.tokens == ("the", "a", "<unk>")
    with pytest.raises(InputError, match="'a' more than once"):
        build_tokenizer("word", [], listed=["a", "a"])


def test_markers_never_come_from_the_text() -> None:
    tokenizer = build_tokenizer("word", ["a </s> b"], lines=True)
    assert tokenizer.encode("a </s>").tolist() == [tokenizer.vocabulary.ids["a"], -1]


@pytest.mark.parametrize("kind", KINDS)
def test_json_brings_the_same_tokenizer_back(kind: str) -> None:
    tokenizer = build_tokenizer(kind, [TEXT], lines=True)
    again = tokenizer_from_json(tokenizer.to_json())
    assert again.vocabulary == tokenizer.vocabulary
    assert again.lines
    assert again.encode(TEXT).tolist() == tokenizer.encode(TEXT).tolist()


def test_json_of_something_else_is_refused() -> None:
    with pytest.raises(ValueError, match="no tokenizer is called 'runes'"):
        tokenizer_from_json(json.dumps({"kind": "runes"}))


def test_a_million_characters_take_well_under_a_second() -> None:
    text = TEXT * (1_000_000 // len(TEXT))
    tokenizer = build_tokenizer("char", [text])
    began = time.process_time()
    tokenizer.encode(text)
    assert time.process_time() - began < 0.5
