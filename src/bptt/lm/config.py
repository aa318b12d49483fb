"""All that a training run is told, as one value; the command line's options are made from its fields."""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from bptt.errors import InputError

OPTIMIZERS = ("adam", "adamw", "momentum", "sgd")
SCHEDULES = ("cosine", "linear", "constant")
# The rate that each optimiser starts from unless told.
LEARNING_RATES = {"adam": 3e-3, "adamw": 3e-3, "momentum": 0.1, "sgd": 0.5}
# A run that is given no end stops at whichever of these comes first.
DEFAULT_EPOCHS = 20.0
DEFAULT_MINUTES = 2.0


def _option(
    default: Any,
    help: str,
    *,
    metavar: str = "N",
    choices: tuple[str, ...] = (),
    low: float | None = None,
    above: float | None = None,
    high: float | None = None,
) -> Any:
    """A field; `low`/`high` are the least and greatest value it may have, `above` what it has to exceed."""
    bounds = {"low": low, "above": above, "high": high}
    return field(default=default, metadata={"help": help, "metavar": metavar, "choices": choices, **bounds})


@dataclass(frozen=True)
class TrainConfig:
    """How to train. InputError names a value out of its range.

    Of `steps`, `epochs` and `minutes` the first to be reached ends the run; none given: DEFAULT_EPOCHS or
    DEFAULT_MINUTES. The schedule runs over that whole time. It follows the clock too where `minutes` end the
    run, and only then is a run not repeatable bit for bit.
    """

    tokens: str = _option("char", "what a token is", choices=("char", "byte", "word"))
    lines: bool = _option(False, "each line is a sentence of its own, between <s> and </s>")
    vocab: str | None = _option(
        None,
        "the vocabulary: a file with one token a line, or how many of the most frequent tokens to keep",
        metavar="FILE|N",
    )
    min_count: int = _option(1, "keep only tokens seen this often", low=1)
    valid: str = _option(
        "0.1",
        "the text to validate on, or which part of the end of the text (0: none)",
        metavar="FILE|FRACTION",
    )
    size: tuple[tuple[str, int], ...] = _option(
        (), "the size of a vector, such as h=256; several are repeated, or e=64,h=256", metavar="NAME=N"
    )
    steps: int | None = _option(None, "stop after this many steps", low=0)
    epochs: float | None = _option(None, "stop after reading the text this often", low=0)
    minutes: float | None = _option(None, "stop after this time", low=0)
    batch: int = _option(32, "how many streams are read in parallel", low=1)
    window: int = _option(64, "how many steps back gradients go (truncated BPTT)", low=1)
    optimizer: str = _option("adam", "how parameters follow gradients", choices=OPTIMIZERS)
    lr: float | None = _option(
        None, "learning rate; by default one that suits the optimizer", metavar="RATE", above=0
    )
    schedule: str = _option("cosine", "how the learning rate falls to zero, or stays", choices=SCHEDULES)
    warmup: float = _option(
        0.02, "the part of the run in which the learning rate rises", metavar="FRACTION", low=0, high=1
    )
    dropout: float = _option(
        0.0,
        "drop out this part of each vector on its way to the next layer or the output",
        metavar="RATE",
        low=0,
        high=0.95,
    )
    clip: float = _option(1.0, "greatest norm of the gradient (0: any)", metavar="NORM", low=0)
    momentum: float = _option(0.9, "momentum of `momentum`", metavar="FACTOR", low=0, high=1)
    weight_decay: float = _option(
        0.0,
        "shrink matrices by this times the learning rate (adam: added to the gradient)",
        metavar="RATE",
        low=0,
    )
    seed: int = _option(0, "the same seed gives the same run", low=0)
    patience: int | None = _option(None, "stop after this many validations without progress", low=1)
    eval_every: int | None = _option(None, "validate and save each N steps", low=1)
    backend: str = _option("auto", "what runs the equations", choices=("auto", "native", "reference"))

    def __post_init__(self) -> None:
        for f in fields(self):
            _check(f.name, getattr(self, f.name), f.metadata)

    @property
    def learning_rate(self) -> float:
        return LEARNING_RATES[self.optimizer] if self.lr is None else self.lr

    @property
    def ends(self) -> tuple[int | None, float | None, float | None]:
        """Steps, epochs and minutes after which the run ends, None where that is no limit."""
        if self.steps is None and self.epochs is None and self.minutes is None:
            return None, DEFAULT_EPOCHS, DEFAULT_MINUTES
        return self.steps, self.epochs, self.minutes

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> TrainConfig:
        """The config with these options; a name that is none is an InputError with the nearest that is."""
        return _changed(cls(), options)

    def changed(self, options: Mapping[str, Any]) -> TrainConfig:
        """This config with other values for some options."""
        return _changed(self, options)

    @classmethod
    def from_json(cls, text: str) -> TrainConfig:
        options = json.loads(text)
        options["size"] = tuple((name, number) for name, number in options["size"])
        return cls.from_options(options)


def _changed(config: TrainConfig, options: Mapping[str, Any]) -> TrainConfig:
    known = [f.name for f in fields(config)]
    for name in options:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            raise InputError(
                f"there is no option {name!r}",
                hint=f"did you mean {near[0]!r}?" if near else ", ".join(known),
            )
    return replace(config, **options)


def option_name(field_name: str) -> str:
    """The option of the command line for a field."""
    return "--" + field_name.replace("_", "-")


def _check(name: str, value: Any, facts: Mapping[str, Any]) -> None:
    option = option_name(name)
    if facts["choices"] and value not in facts["choices"]:
        near = difflib.get_close_matches(str(value), facts["choices"], 1)
        raise InputError(
            f"{option} {value}: there is no such choice",
            hint=(f"did you mean {near[0]}? " if near else "")
            + "it is one of "
            + ", ".join(facts["choices"]),
        )
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return
    if not math.isfinite(value):
        raise InputError(f"{option} {value} is not a number to work with")
    low, above, high = facts["low"], facts["above"], facts["high"]
    if low is not None and value < low:
        raise InputError(f"{option} {value} is too small", hint=f"it is {low} or more")
    if above is not None and value <= above:
        raise InputError(f"{option} {value} is too small", hint=f"it is more than {above}")
    if high is not None and value > high:
        raise InputError(f"{option} {value} is too large", hint=f"it is {high} or less")
