"""Scores of texts: sums, exactness, markers, what is unknown."""

import json
import math
from collections.abc import Callable

import numpy as np
import pytest

from bptt.errors import InputError
from bptt.lm import scoring
from bptt.lm.language_model import LanguageModel
from bptt.lm.sampling import Generator
from bptt.lm.scoring import Score, token_nats
from bptt.text.pairs import make_pairs

MakeModel = Callable[..., LanguageModel]

TEXT = "the cat sat on the mat\na dog\n\nthe end of the tale of the cat\n" * 3


def test_scores_add_up_and_are_divided_once() -> None:
    total = Score(10.0, 10, 20, 1) + Score(5.0, 1, 10, 0)
    assert total == Score(15.0, 11, 30, 1)
    assert total.perplexity == pytest.approx(math.exp(15 / 11))
    assert total.bits_per_token == pytest.approx(15 / 11 / math.log(2))
    assert total.bits_per_character == pytest.approx(0.5 / math.log(2))
    assert total.unknown_rate == pytest.approx(1 / 11)


def test_what_has_no_finite_value_is_null_in_json() -> None:
    assert Score().as_dict()["perplexity"] is None
    assert Score(1e6, 1, 1, 0).as_dict()["perplexity"] is None
    assert json.loads(json.dumps(Score(1.0, 2, 3, 0).as_dict()))["tokens"] == 2
    assert " ".join(Score().as_dict()) == (
        "tokens nats nats_per_token perplexity bits_per_token bits_per_character unknown unknown_rate"
    )


def nats_one_by_one(lm: LanguageModel, text: str) -> list[float]:
    """-ln p of every pair, from the next-token distributions of the model read token by token."""
    pairs = make_pairs(lm.tokenizer, text)
    generator = Generator(lm._predictor, lm.model, lm.params, [])
    nats = []
    for i, (x, y) in enumerate(zip(pairs.x.tolist(), pairs.y.tolist(), strict=True)):
        generator.feed(x, fresh=i in pairs.starts)
        nats.append(-math.log(generator.probabilities[y]))
    return nats


@pytest.mark.parametrize(
    "spec", ["bigram", "elman", "lstm", "e = x @ L\nh = tanh(h[t-1] + e)\nyhat = softmax(h @ U)\nh[0] = s"]
)
@pytest.mark.parametrize("lines", [False, True])
def test_every_token_is_scored_with_the_distribution_at_its_place(
    make_model: MakeModel, spec: str, lines: bool
) -> None:
    lm = make_model(spec, TEXT, "word", lines=lines)
    pairs = make_pairs(lm.tokenizer, TEXT)
    found = token_nats(lm._scorer, lm.model, lm.params, pairs)
    np.testing.assert_allclose(found, nats_one_by_one(lm, TEXT), rtol=1e-4, atol=1e-5)
    assert lm.score(TEXT) == pytest.approx(-found.sum())


@pytest.mark.parametrize("lines", [False, True])
def test_the_result_does_not_depend_on_how_it_is_cut(
    make_model: MakeModel, monkeypatch: pytest.MonkeyPatch, lines: bool
) -> None:
    lm = make_model("gru", TEXT, lines=lines)
    expected = lm.evaluate(TEXT)
    monkeypatch.setattr(scoring, "PAIRS_PER_RUN", 7)
    monkeypatch.setattr(scoring, "PARALLEL", 3)
    found = lm.evaluate(TEXT)
    assert found.nats == pytest.approx(expected.nats, rel=1e-6)
    assert (found.tokens, found.characters) == (expected.tokens, expected.characters)


def test_parts_of_a_long_text_are_nearly_exact(
    make_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    lm = make_model("elman", TEXT)
    monkeypatch.setattr(scoring, "SHORTEST_PART", 20)
    monkeypatch.setattr(scoring, "WARM_UP", 15)
    exact, fast = lm.evaluate(TEXT), lm.evaluate(TEXT, exact=False)
    assert exact.tokens == fast.tokens
    assert exact.nats != fast.nats
    assert fast.nats == pytest.approx(exact.nats, rel=1e-3)


def test_markers_in_scores(make_model: MakeModel) -> None:
    lm = make_model("bigram", TEXT, "word", lines=True)
    whole, no_end = lm.score("a dog"), lm.score("a dog", eos=False)
    no_start = lm.score("a dog", bos=False)
    tokens = lm.score_lines(["a dog"])[0]
    assert [s.token for s in tokens] == ["a", "dog", "</s>"]
    assert sum(s.log_probability for s in tokens) == pytest.approx(whole)
    assert whole - no_end == pytest.approx(tokens[2].log_probability)
    assert whole - no_start == pytest.approx(tokens[0].log_probability)


def test_lines_are_scored_on_their_own(make_model: MakeModel) -> None:
    lines = ["the cat", "", "a dog sat", "x"]
    for as_lines in (False, True):
        lm = make_model("gru", TEXT, "char", lines=as_lines)
        scored = lm.score_lines(lines)
        assert [len(s) for s in scored] == ([8, 1, 10, 2] if as_lines else [6, 0, 8, 0])
        for line, tokens in zip(lines, scored, strict=True):
            expected = lm.score(line + "\n" if as_lines else line)
            assert sum(s.log_probability for s in tokens) == pytest.approx(expected, abs=1e-5)
    assert [s.unknown for s in scored[3]] == [True, False]


def test_unknown_tokens_are_counted_and_scored(make_model: MakeModel) -> None:
    lm = make_model("embed", TEXT, "word")
    score = lm.evaluate("the zebra sat on the zebra")
    assert (score.tokens, score.unknown) == (5, 2)
    assert score.unknown_rate == pytest.approx(0.4)


def test_a_text_with_nothing_to_predict_has_no_perplexity(make_model: MakeModel) -> None:
    lm = make_model("bigram", TEXT)
    assert lm.score("a") == 0.0
    with pytest.raises(InputError, match="nothing to predict"):
        lm.perplexity("a")
