"""Drawing tokens and text."""

from collections.abc import Callable

import numpy as np
import pytest

from bptt.errors import InputError
from bptt.lm.language_model import LanguageModel
from bptt.lm.sampling import Sampling, draw

MakeModel = Callable[..., LanguageModel]

P = np.array([0.1, 0.4, 0.0, 0.3, 0.2])


def frequencies(sampling: Sampling, draws: int = 4000) -> np.ndarray:
    random = np.random.default_rng(0)
    return np.bincount([draw(P, sampling, random) for _ in range(draws)], minlength=5) / draws


def test_tokens_come_as_often_as_they_should() -> None:
    np.testing.assert_allclose(frequencies(Sampling()), P, atol=0.03)
    squared = P**2 / (P**2).sum()
    np.testing.assert_allclose(frequencies(Sampling(temperature=0.5)), squared, atol=0.03)
    np.testing.assert_allclose(frequencies(Sampling(top_k=2)), [0, 4 / 7, 0, 3 / 7, 0], atol=0.03)
    np.testing.assert_allclose(frequencies(Sampling(top_p=0.75)), np.array([0, 4, 0, 3, 2]) / 9, atol=0.03)
    np.testing.assert_allclose(frequencies(Sampling(top_p=0.1)), [0, 1, 0, 0, 0])


def test_no_temperature_takes_the_likeliest() -> None:
    assert draw(P, Sampling(temperature=0), np.random.default_rng(0)) == 1


def test_a_low_temperature_does_not_overflow() -> None:
    assert frequencies(Sampling(temperature=1e-4), 20)[1] == 1


@pytest.mark.parametrize(
    "options", [{"temperature": -1}, {"temperature": float("nan")}, {"top_k": -1}, {"top_p": 0}]
)
def test_what_cannot_be_drawn(options: dict[str, float]) -> None:
    with pytest.raises(InputError, match="not possible"):
        Sampling(**options)  # type: ignore[arg-type]


TEXT = "to be or not to be\nthat is the question\n"


@pytest.mark.parametrize("kind", ["char", "byte", "word"])
@pytest.mark.parametrize("lines", [False, True])
def test_a_seed_draws_the_same_text(make_model: MakeModel, kind: str, lines: bool) -> None:
    lm = make_model("gru", TEXT, kind, lines=lines)
    text = lm.sample("to be", length=30, seed=4)
    assert text == lm.sample("to be", length=30, seed=4)
    assert text != lm.sample("to be", length=30, seed=5)
    assert text.startswith("to be")
    assert "<s>" not in text
    assert lm.sample(length=0) == ""


def test_the_state_after_the_prompt_is_kept(make_model: MakeModel) -> None:
    lm = make_model("lstm", TEXT)
    whole = lm.sample("to", length=12, temperature=0)
    assert lm.sample(whole[:9], length=5, temperature=0) == whole


def test_words_are_joined_by_spaces(make_model: MakeModel) -> None:
    lm = make_model("bigram", TEXT, "word")
    text = lm.sample("to be", length=5, seed=1)
    assert len(text.split(" ")) == 7


def test_sentences_end_and_new_ones_begin(make_model: MakeModel) -> None:
    lm = make_model("elman", TEXT, "word", lines=True)
    text = lm.sample(length=100, seed=0)
    # One word or line end for each token.
    assert text.count("\n") + len(text.split()) == 100
    assert text.count("\n") > 1


def test_a_negative_length_is_refused(make_model: MakeModel) -> None:
    with pytest.raises(InputError, match="length of -1"):
        make_model("bigram", TEXT).sample(length=-1)
    with pytest.raises(InputError, match="seed of -1"):
        make_model("bigram", TEXT).sample(seed=-1)
