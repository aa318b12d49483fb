"""Pairs of tokens from texts, and their layout in batches."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bptt.text.batches import PairBatches, StreamBatches, exact_streams, warmed_streams
from bptt.text.pairs import Pairs, join_pairs, make_pairs
from bptt.text.tokenizer import Tokenizer, build_tokenizer

words = st.lists(st.sampled_from(["a", "b", "c"]), max_size=6).map(" ".join)
texts = st.lists(words, min_size=1, max_size=12).map("\n".join)


def shown(tokenizer: Tokenizer, pairs: Pairs) -> list[tuple[str, str]]:
    tokens = tokenizer.vocabulary.tokens
    return [(tokens[x], tokens[y]) for x, y in zip(pairs.x, pairs.y, strict=True)]


def test_a_stream_predicts_all_but_its_first_token() -> None:
    tokenizer = build_tokenizer("char", ["abc"])
    pairs = make_pairs(tokenizer, "abxc")
    assert shown(tokenizer, pairs) == [("a", "b"), ("b", "<unk>"), ("<unk>", "c")]
    assert pairs.unknown.tolist() == [False, True, False]
    assert (pairs.starts.tolist(), pairs.characters) == ([0], 3)


def test_sentences_begin_and_end_with_their_markers() -> None:
    tokenizer = build_tokenizer("word", ["a b c"], lines=True)
    pairs = make_pairs(tokenizer, "a b\n\nc x")
    assert shown(tokenizer, pairs) == [
        *[("<s>", "a"), ("a", "b"), ("b", "</s>")],
        ("<s>", "</s>"),
        *[("<s>", "c"), ("c", "<unk>"), ("<unk>", "</s>")],
    ]
    assert pairs.starts.tolist() == [0, 3, 4]
    assert pairs.unknown.sum() == 1
    # Three characters and a line end, an empty line, three characters and an end that is not spelled.
    assert pairs.characters == 4 + 1 + 4


def test_a_sentence_without_its_markers() -> None:
    tokenizer = build_tokenizer("word", ["a b c"], lines=True)
    bare = make_pairs(tokenizer, "a b c\n\nb", start=False, end=False)
    assert shown(tokenizer, bare) == [("a", "b"), ("b", "c")]
    assert bare.starts.tolist() == [0]
    assert shown(tokenizer, make_pairs(tokenizer, "a b", end=False)) == [("<s>", "a"), ("a", "b")]
    assert shown(tokenizer, make_pairs(tokenizer, "a b", start=False)) == [("a", "b"), ("b", "</s>")]


@pytest.mark.parametrize(("kind", "expected"), [("char", 11), ("byte", 11), ("word", 10)])
def test_characters_are_counted_as_they_stand_in_the_text(kind: str, expected: int) -> None:
    text = "ab cd\r\nü fg "
    assert make_pairs(build_tokenizer(kind, [text]), text).characters == expected


@pytest.mark.parametrize("text", ["", "a"])
def test_a_text_with_nothing_to_predict(text: str) -> None:
    pairs = make_pairs(build_tokenizer("char", ["ab"]), text)
    assert (len(pairs), pairs.starts.tolist(), pairs.characters) == (0, [], 0)


def test_joined_texts_begin_anew() -> None:
    tokenizer = build_tokenizer("char", ["abc"])
    pairs = join_pairs([make_pairs(tokenizer, "abc"), make_pairs(tokenizer, "ca")])
    assert shown(tokenizer, pairs) == [("a", "b"), ("b", "c"), ("c", "a")]
    assert pairs.starts.tolist() == [0, 2]


def sentences_of(pairs: Pairs) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    ends = pairs.starts + pairs.lengths()
    parts = list(zip(pairs.starts, ends, strict=True))
    return [(tuple(pairs.x[a:b].tolist()), tuple(pairs.y[a:b].tolist())) for a, b in parts]


@given(texts, st.randoms(use_true_random=False))
def test_reordered_sentences_stay_whole(text: str, random) -> None:  # type: ignore[no-untyped-def]
    pairs = make_pairs(build_tokenizer("word", ["a b c"], lines=True), text)
    order = list(range(len(pairs.starts)))
    random.shuffle(order)
    before = sentences_of(pairs)
    after = sentences_of(pairs.reordered(np.array(order, np.int64)))
    assert after == [before[i] for i in order]


@given(texts, st.integers(1, 5), st.integers(1, 4))
def test_scored_streams_hold_every_pair_once_in_its_place(text: str, streams: int, steps: int) -> None:
    pairs = make_pairs(build_tokenizer("word", ["a b c"], lines=True), text)
    if not len(pairs):
        return
    for laid in (exact_streams(pairs, streams), warmed_streams(pairs, min(streams, len(pairs)), 2)):
        seen = np.zeros(len(pairs), int)
        for begin, batch in laid.windows(steps):
            for t, b in np.argwhere(batch.weight > 0):
                position = laid.first[b] + begin + t
                seen[position] += 1
                assert (batch.x[t, b], batch.y[t, b]) == (pairs.x[position], pairs.y[position])
                # The state is new exactly where a sentence begins.
                if begin + t > 0:
                    assert (batch.keep[t, b] == 0) == (position in pairs.starts)
        assert (seen == 1).all()


def test_exact_streams_cut_no_sentence() -> None:
    pairs = make_pairs(build_tokenizer("word", ["a"], lines=True), "a a a a a a a\na\na a a\na\n")
    laid = exact_streams(pairs, 3)
    assert set(laid.first.tolist()) <= set(pairs.starts.tolist())
    assert len(laid.first) > 1


def test_warmed_streams_read_what_comes_before_without_counting_it() -> None:
    pairs = make_pairs(build_tokenizer("char", ["abcdefgh"]), "abcdefghi")
    laid = warmed_streams(pairs, 2, 3)
    assert laid.first.tolist() == [0, 1]
    assert laid.weight[:, 1].tolist() == [0, 0, 0, 1, 1, 1, 1]


@given(st.integers(2, 200), st.integers(1, 7), st.integers(1, 9))
def test_an_epoch_of_streams_is_the_text(length: int, batch: int, window: int) -> None:
    text = "".join(chr(97 + i % 26) for i in range(length))
    pairs = make_pairs(build_tokenizer("char", [text]), text)
    batches = StreamBatches(pairs, batch, window, seed=0, shuffle=False)
    found: list[list[int]] = [[] for _ in range(batches.streams)]
    total = 0.0
    for number in range(batches.batches_per_epoch):
        part = batches[number]
        assert len(part.x) == batches.window <= window
        assert part.fresh == (number == 0)
        assert part.pairs == np.count_nonzero(part.weight)
        total += float(part.weight.sum())
        for t, b in np.argwhere(part.weight > 0):
            found[b].append(part.x[t, b])
    assert np.concatenate(found).tolist() == pairs.x.tolist()
    np.testing.assert_allclose(total, len(pairs) / (batches.window * batches.streams), rtol=1e-5)


def test_batches_do_not_depend_on_what_was_asked_before() -> None:
    text = "\n".join("abcdefghijk"[: i % 11] for i in range(100))
    pairs = make_pairs(build_tokenizer("char", [text], lines=True), text)
    for make in (lambda: StreamBatches(pairs, 4, 8, seed=5, shuffle=True), lambda: PairBatches(pairs, 32, 5)):
        straight, later = make(), make()
        number = 2 * straight.batches_per_epoch + 1
        expected = [straight[i] for i in range(number + 1)][-1]
        np.testing.assert_array_equal(later[number].x, expected.x)
        np.testing.assert_array_equal(later[number].keep, expected.keep)


def test_shuffled_pairs_are_each_there_once_an_epoch() -> None:
    text = "".join(map(chr, range(40, 141)))
    pairs = make_pairs(build_tokenizer("char", [text]), text)
    batches = PairBatches(pairs, 32, seed=1)
    seen: list[int] = []
    for number in range(batches.batches_per_epoch):
        part = batches[number]
        assert part.x.shape == (1, batches.streams)
        seen += part.x[part.weight > 0].tolist()
    assert sorted(seen) == sorted(pairs.x.tolist())
    assert seen != sorted(seen)
    first = batches[0].x.copy()
    assert (first != batches[batches.batches_per_epoch].x).any()


def test_an_unknown_symbol_in_the_text_counts_as_unknown() -> None:
    tokenizer = build_tokenizer("word", [], lines=True, listed=["a", "UUUNKKK"])
    pairs = make_pairs(tokenizer, "a UUUNKKK b\n")
    assert pairs.unknown.tolist() == [False, True, True, False]
    assert len(set(pairs.y[1:3].tolist())) == 1
