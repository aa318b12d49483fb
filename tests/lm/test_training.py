"""Training: it learns, it is repeatable, it stops and goes on exactly, and says where numbers overflowed."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

import bptt
from bptt.backends import available_backends
from bptt.errors import InputError
from bptt.lm.checkpoint import METRICS_FILE, MODEL_FILE, STATE_FILE, load_state
from bptt.lm.config import TrainConfig
from bptt.lm.data import Texts, divide, prepare
from bptt.lm.diagnosis import DivergenceError
from bptt.lm.model import Model, choose_sizes
from bptt.lm.run import Observer, Outcome, begin_run, continue_run
from bptt.lm.training import Trainer

TEXT = "the cat sat on the mat.\nthe dog sat on the log.\na cat and a dog.\n" * 12
SMALL = {"size": (("e", 5), ("h", 7)), "batch": 4, "window": 8, "lr": 0.02}

DROPOUT = "e = x @ L\nh = tanh(h[t-1] @ H + dropout(e, 0.3) @ I)\nyhat = softmax(h @ U)\nsize e = 5, h = 7"
INITIAL = "e = x @ L\nh = tanh(h[t-1] @ H + e @ I)\nyhat = softmax(h @ U)\nh[0] = s\nsize e = 5, h = 7"
TWO_LAGS = "e = x @ L\nh = tanh(h[t-1] @ H + h[t-2] @ G + e)\nyhat = softmax(h @ U)\nsize e = 5"
STATELESS = "e = x @ L\nh = sigmoid(e @ I)\nyhat = softmax(h @ U)\nsize e = 5, h = 7"


class StopAt(Observer):
    """Asks the run to stop after a step, as Ctrl-C does."""

    def __init__(self, step: int, signal_number: int = signal.SIGINT) -> None:
        self.step, self.signal_number = step, signal_number

    def stepped(self, trainer: Trainer) -> None:
        if trainer.counters.step == self.step:
            os.kill(os.getpid(), self.signal_number)


def start(spec: str, run: Path | None, observer: Observer | None = None, **options: Any) -> Outcome:
    config = TrainConfig.from_options(SMALL | {"backend": "reference"} | options)
    if "size" not in options and "size" in spec:
        config = config.changed({"size": ()})
    texts = divide(config, [TEXT])
    return begin_run(Model(spec).equations, texts, config, run, observer or Observer())


def resume(run: Path, observer: Observer | None = None, **options: Any) -> Outcome:
    return continue_run(run, (), options, observer or Observer(), texts_of(run))


def texts_of(run: Path) -> Texts:
    config = TrainConfig.from_json(json.dumps(load_state(run / STATE_FILE)[1]["config"]))
    return divide(config, [TEXT])


def without_times(run: Path) -> list[dict[str, Any]]:
    lines = (run / METRICS_FILE).read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in lines]


CASES: list[tuple[str, dict[str, Any]]] = [
    ("gru", {}),
    (DROPOUT, {"optimizer": "momentum"}),
    (INITIAL, {"lines": True, "tokens": "word"}),
    (INITIAL, {"optimizer": "sgd", "valid": "0"}),
    (STATELESS, {"optimizer": "adamw", "weight_decay": 0.1}),
    (TWO_LAGS, {"tokens": "byte"}),
]


@pytest.mark.parametrize("backend", available_backends())
@pytest.mark.parametrize(("spec", "options"), CASES)
def test_a_run_that_was_stopped_goes_on_as_if_it_had_not(
    tmp_path: Path, spec: str, options: dict[str, Any], backend: str
) -> None:
    options = options | {"steps": 45, "eval_every": 10, "backend": backend}
    start(spec, tmp_path / "whole", **options)
    first = start(spec, tmp_path / "parts", StopAt(17), **options)
    assert (first.stopped, first.counters.step) == ("interrupted", 17)
    second = resume(tmp_path / "parts", StopAt(31, signal.SIGTERM))
    assert (second.stopped, second.counters.step) == ("interrupted", 31)
    last = resume(tmp_path / "parts")
    assert (last.stopped, last.counters.step) == ("steps", 45)
    for file in (MODEL_FILE, STATE_FILE):
        whole, parts = load_file(tmp_path / "whole" / file), load_file(tmp_path / "parts" / file)
        assert whole.keys() == parts.keys()
        for name in whole:
            np.testing.assert_array_equal(whole[name], parts[name], err_msg=name)
    assert without_times(tmp_path / "whole") == without_times(tmp_path / "parts")


def test_training_learns() -> None:
    outcome = start("gru", None, epochs=20)
    assert outcome.counters.best < 1.0
    assert outcome.model.evaluate(TEXT).nats_per_token < 1.0
    assert "the " in outcome.model.sample(length=100, temperature=0.5)


def test_the_best_parameters_are_kept() -> None:
    # So high a rate does harm again and again; what is kept is from a good moment.
    outcome = start("elman", None, steps=60, eval_every=1, lr=0.5, schedule="constant")
    nats = [record["valid_nats"] for record in outcome.counters.records]
    assert outcome.counters.best == min(n for n in nats if n is not None)
    assert nats[-1] != outcome.counters.best
    valid = divide(TrainConfig(), [TEXT]).valid[0]
    assert outcome.model.evaluate(valid).nats_per_token == pytest.approx(outcome.counters.best, rel=1e-4)


def test_patience_ends_a_run() -> None:
    outcome = start("elman", None, steps=500, eval_every=1, lr=0.5, schedule="constant", patience=3)
    assert outcome.stopped == "patience"
    assert outcome.counters.fruitless == 3
    assert outcome.counters.step < 500


def test_each_limit_ends_a_run() -> None:
    assert start("bigram", None, steps=3).stopped == "steps"
    epochs = start("bigram", None, epochs=1.5)
    assert (epochs.stopped, epochs.epochs) == ("epochs", pytest.approx(1.5, abs=0.1))
    assert start("bigram", None, minutes=0.002).stopped == "minutes"
    assert start("bigram", None, steps=0).counters.step == 0


def test_a_seed_gives_the_same_run(tmp_path: Path) -> None:
    nats = [
        start(DROPOUT, None, steps=20, seed=seed).counters.records[-1]["train_nats"] for seed in (1, 1, 2)
    ]
    assert nats[0] == nats[1] != nats[2]


@pytest.mark.parametrize("backend", available_backends())
def test_overflow_names_the_equation_and_the_step(tmp_path: Path, backend: str) -> None:
    spec = (
        "e = x @ L\nh = relu(h[t-1] @ H + e @ I)\ng = exp(h * 40)\nyhat = softmax(g @ U)\nsize e = 5, h = 7"
    )
    with pytest.raises(DivergenceError) as caught:
        start(spec, tmp_path / "run", steps=50, lr=0.3, clip=0.0, valid="0", backend=backend)
    message = str(caught.value)
    assert "equation `g = exp(h * 40)` (<equations>:3) first became infinite at step " in message
    assert "position " in message
    assert "hint: a smaller --lr" in message
    # The run is as it was before that step, and finite.
    saved = load_file(tmp_path / "run" / MODEL_FILE)
    assert all(np.isfinite(a).all() for a in saved.values())
    step = int(message.split("at step ")[1].split(",")[0])
    state = json.loads((tmp_path / "run" / METRICS_FILE).read_text().splitlines()[-1])
    assert state["step"] < step


def test_a_run_on_other_text_is_not_continued(tmp_path: Path) -> None:
    start("bigram", tmp_path / "run", steps=2)
    other = Texts((TEXT.replace("cat", "cow").replace("z", "a"),), (TEXT,))
    with pytest.raises(InputError, match="is not the one that this run was trained on"):
        continue_run(tmp_path / "run", (), {}, Observer(), other)


def test_what_is_settled_cannot_change(tmp_path: Path) -> None:
    start("bigram", tmp_path / "run", steps=2)
    with pytest.raises(InputError, match="--optimizer is settled"):
        continue_run(tmp_path / "run", (), {"optimizer": "sgd"}, Observer())
    longer = resume(tmp_path / "run", steps=5)
    assert longer.counters.step == 5
    shorter = resume(tmp_path / "run", steps=4)
    assert (shorter.counters.step, shorter.stopped) == (5, "steps")


def test_a_run_is_not_overwritten(tmp_path: Path) -> None:
    start("bigram", tmp_path / "run", steps=2)
    with pytest.raises(InputError, match="holds a run already"):
        start("bigram", tmp_path / "run", steps=2)


def test_a_damaged_state_is_said(tmp_path: Path) -> None:
    start("bigram", tmp_path / "run", steps=2)
    start("bigram", tmp_path / "momentum", steps=2, optimizer="momentum")
    state = tmp_path / "run" / STATE_FILE
    state.write_bytes(state.read_bytes()[:-5])
    with pytest.raises(InputError, match="damaged"):
        continue_run(tmp_path / "run", (), {}, Observer())
    (tmp_path / "run" / MODEL_FILE).replace(state)
    with pytest.raises(InputError, match=r"holds no run|holds no bptt training state"):
        continue_run(tmp_path / "run", (), {}, Observer())


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("", {}, "the training text is empty"),
        ("aaaaaaaaaaaa", {}, "one token only, 'a'"),
        ("abab", {}, "the text to validate on is too short"),
        ("ab ab ab", {"valid": "1.5"}, "is no part of a text"),
        ("ab ab ab", {"valid": "missing.txt"}, "there is no file missing.txt"),
        ("ab ab ab", {"vocab": "missing.txt"}, "there is no file missing.txt"),
        ("a b c d", {"tokens": "word", "min_count": 3}, "no token of the text is in the vocabulary"),
        ("ab ab ab ab ab ab ab", {"size": (("k", 3),)}, "elman has no size k"),
        ("ab ab ab ab ab ab ab", {"size": (("h", 0),)}, "the size h=0 is too small"),
    ],
)
def test_what_cannot_be_trained_on(text: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        bptt.train("elman", text, steps=1, **options)


def test_each_of_several_texts_begins_anew() -> None:
    lm = bptt.train("elman", [TEXT, TEXT[5:]], steps=2, valid="0", backend="reference")
    assert isinstance(lm, bptt.LanguageModel)
    data = prepare(TrainConfig(valid="0"), Texts((TEXT, TEXT[5:]), ()))
    assert data.train.starts.tolist() == [0, len(TEXT) - 1]
    sizes, _ = choose_sizes(lm.model, {}, len(data.tokenizer.vocabulary))
    trainer = Trainer(lm.model, sizes, dict(lm.params), TrainConfig(valid="0"), data.train, None)
    assert trainer.resets


def test_a_text_shorter_than_a_window_is_one_stream() -> None:
    lm = bptt.train("elman", "abcabc", steps=1, window=64, valid_text="abc")
    assert lm.parameter_count > 0


def test_sizes_that_nothing_gives_are_said() -> None:
    notes: list[str] = []

    class Notes(Observer):
        def note(self, text: str) -> None:
            notes.append(text)

    spec = "e = x @ L\nh = tanh(e @ W)\nyhat = softmax(h @ U)"
    config = TrainConfig(steps=0, size=(("e", 3),))
    outcome = begin_run(Model(spec).equations, divide(config, [TEXT]), config, None, Notes())
    assert outcome.model.sizes["h"] == 128
    assert any("h=128" in note for note in notes)


def test_metrics_have_a_line_for_each_validation(tmp_path: Path) -> None:
    start("bigram", tmp_path / "run", steps=30, eval_every=10)
    lines = [json.loads(line) for line in (tmp_path / "run" / METRICS_FILE).read_text().splitlines()]
    assert [line["step"] for line in lines if line["valid_nats"] is not None] == [10, 20, 30]
    assert all(line["train_nats"] > 0 and line["tokens"] > 0 for line in lines)


def test_a_run_saves_itself_as_a_model_that_scores(tmp_path: Path) -> None:
    outcome = start("gru", tmp_path / "run", steps=10)
    loaded = bptt.LanguageModel.load(tmp_path / "run", "reference")
    assert loaded.score("the cat") == pytest.approx(outcome.model.score("the cat"))


def test_a_text_of_one_listed_token_has_nothing_to_predict(tmp_path: Path) -> None:
    (tmp_path / "vocabulary.txt").write_text("a\nb\n")
    with pytest.raises(InputError, match="a single token"):
        bptt.train("elman", "a", steps=1, valid="0", vocab=str(tmp_path / "vocabulary.txt"))


def test_no_step_is_wasted_on_a_rate_of_zero() -> None:
    records = start("bigram", None, steps=2, lr=0.1).counters.records
    assert all(float(record["learning_rate"] or 0) > 0.01 for record in records)


def test_a_run_that_was_killed_goes_on_from_what_was_saved_last(tmp_path: Path) -> None:
    run = tmp_path / "run"
    start("gru", run, StopAt(20), steps=45, eval_every=10)
    before = (run / STATE_FILE).read_bytes()
    resume(run)
    model, metrics = load_file(run / MODEL_FILE), without_times(run)
    # As if the power had gone between the writing of the model and that of the state.
    (run / STATE_FILE).write_bytes(before)
    resume(run)
    for name, values in load_file(run / MODEL_FILE).items():
        np.testing.assert_array_equal(values, model[name], err_msg=name)
    assert without_times(run) == metrics
