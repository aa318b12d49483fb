"""Options of a run: their ranges, and the learning rate over a run."""

import pytest

from bptt.errors import InputError
from bptt.lm.config import DEFAULT_MINUTES, TrainConfig
from bptt.lm.schedule import learning_rate, limits_of


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": float("nan")}, "--lr nan is not a number to work with"),
        ({"lr": float("inf")}, "--lr inf is not a number to work with"),
        ({"lr": 0.0}, "--lr 0.0 is too small"),
        ({"batch": 0}, "--batch 0 is too small"),
        ({"min_count": 0}, "--min-count 0 is too small"),
        ({"warmup": 2.0}, "--warmup 2.0 is too large"),
        ({"optimizer": "adm"}, "--optimizer adm: there is no such choice"),
        ({"learning": 1}, "there is no option 'learning'"),
    ],
)
def test_a_value_that_cannot_be(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        TrainConfig.from_options(options)


def test_the_nearest_choice_and_option_are_suggested() -> None:
    with pytest.raises(InputError) as choice:
        TrainConfig(optimizer="adamm")
    assert "did you mean adam" in choice.value.hint
    with pytest.raises(InputError) as option:
        TrainConfig.from_options({"epoch": 1})
    assert "'epochs'" in option.value.hint


def test_json_brings_the_same_config_back() -> None:
    config = TrainConfig(size=(("h", 3), ("e", 2)), lr=0.1, valid="a.txt", epochs=2.5)
    assert TrainConfig.from_json(config.to_json()) == config


def test_the_nearest_limit_ends_a_run() -> None:
    assert limits_of(TrainConfig(steps=100, epochs=2), 30).steps == 60
    assert limits_of(TrainConfig(steps=50, epochs=2), 30).reason == "steps"
    limits = limits_of(TrainConfig(), 30)
    assert limits.seconds == DEFAULT_MINUTES * 60
    assert limits_of(TrainConfig(minutes=1), 30).steps is None
    assert limits.progress(300, 1.0) == pytest.approx(0.5)
    assert limits.progress(3, limits.seconds / 4) == pytest.approx(0.25)
    assert limits_of(TrainConfig(steps=0), 30).progress(0, 0.0) == 1.0


@pytest.mark.parametrize(("schedule", "half"), [("cosine", 0.5), ("linear", 0.5), ("constant", 1.0)])
def test_the_rate_rises_and_falls(schedule: str, half: float) -> None:
    config = TrainConfig(lr=2.0, schedule=schedule, warmup=0.2)
    assert learning_rate(config, 0.1) == pytest.approx(1.0)
    assert learning_rate(config, 0.2) == pytest.approx(2.0)
    assert learning_rate(config, 0.6) == pytest.approx(2.0 * half)
    assert learning_rate(config, 1.0) == pytest.approx(0.0 if schedule != "constant" else 2.0)
