"""Training from beginning to end: prepare, loop, validate, save; and going on with a saved run."""

from __future__ import annotations

import json
import math
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from bptt.errors import InputError
from bptt.ir.model import Model as Equations
from bptt.lm.checkpoint import (
    METRICS_FILE,
    MODEL_FILE,
    STATE_FILE,
    SavedModel,
    load_model,
    load_state,
    save_model,
    save_state,
    write_whole,
)
from bptt.lm.config import TrainConfig, option_name
from bptt.lm.data import Data, Texts, divide, prepare, read_texts
from bptt.lm.diagnosis import DivergenceError
from bptt.lm.initialization import initial_parameters
from bptt.lm.language_model import LanguageModel
from bptt.lm.model import Model, choose_sizes
from bptt.lm.optimizer import Params
from bptt.lm.scoring import Score
from bptt.lm.training import Counters, Trainer
from bptt.text.corpus import STANDARD_INPUT

# Saved at least this often, in seconds.
SAVE_EVERY = 300.0
# What can be said anew when a run is continued; all else is settled when it begins.
CHANGEABLE = ("steps", "epochs", "minutes", "patience", "lr", "clip", "eval_every", "backend")


class Observer:
    """Is told how a run goes; this one does not listen."""

    def note(self, text: str) -> None:
        """Something that the user may want to know, once."""

    def began(self, trainer: Trainer, data: Data) -> None: ...

    def stepped(self, trainer: Trainer) -> None:
        """After every step: has to be quick."""

    def validated(self, trainer: Trainer, score: Score) -> None: ...

    def ended(self, trainer: Trainer, reason: str) -> None: ...


@dataclass(frozen=True)
class Outcome:
    """What a run came to. `stopped` is "steps", "epochs", "minutes", "patience" or "interrupted"."""

    model: LanguageModel
    stopped: str
    counters: Counters
    epochs: float
    valid_unknown_rate: float | None

    def as_dict(self) -> dict[str, Any]:
        """The stable form for machines.

        `train_nats_per_token` is the mean over the steps of the last record, `valid_nats_per_token` that of
        the parameters that were kept.
        """
        counters = self.counters
        losses = [record["train_nats"] for record in counters.records if record["train_nats"] is not None]
        return {
            "stopped": self.stopped,
            "steps": counters.step,
            "epochs": self.epochs,
            "tokens": counters.tokens,
            "seconds": counters.seconds,
            "parameters": self.model.parameter_count,
            "train_nats_per_token": losses[-1] if losses else None,
            "valid_nats_per_token": counters.best if counters.best < math.inf else None,
            "valid_unknown_rate": self.valid_unknown_rate,
        }


def begin_run(
    equations: Equations,
    texts: Texts,
    config: TrainConfig,
    run: Path | None,
    observer: Observer,
    *,
    overwrite: bool = False,
) -> Outcome:
    """Trains a new model; `run` is the folder to save it in (None: it is not saved)."""
    for remark in equations.remarks:
        observer.note(remark)
    data = prepare(config, texts)
    sizes, assumed = choose_sizes(equations, dict(config.size), len(data.tokenizer.vocabulary))
    if assumed:
        chosen = ", ".join(f"{name}={sizes[name]}" for name in assumed)
        observer.note(f"sizes that nothing else gives: {chosen} (--size NAME=N chooses)")
    params = initial_parameters(equations, sizes, config.seed)
    trainer = Trainer(equations, sizes, params, config, data.train, data.valid)
    if run is not None:
        _make_folder(run, overwrite)
    return _Run(trainer, data, texts.names, run, observer).go()


def continue_run(
    run: Path,
    names: Sequence[str],
    options: Mapping[str, Any],
    observer: Observer,
    texts: Texts | None = None,
) -> Outcome:
    """Goes on with the run in a folder, exactly as if it had not stopped, unless `options` change it.

    The texts are read again from where they were, or from `names`; InputError if they are not the same.
    """
    for name in options:
        if name not in CHANGEABLE:
            raise InputError(
                f"{option_name(name)} is settled when a run begins",
                hint="with --resume these can change: " + ", ".join(map(option_name, CHANGEABLE)),
            )
    saved = load_model(run)
    arrays, facts = load_state(run / STATE_FILE)
    try:
        config = TrainConfig.from_json(json.dumps(facts["config"])).changed(options)
        counters = Counters(**facts["counters"])
        known, fingerprint = tuple(facts["texts"]), facts["fingerprint"]
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{run / STATE_FILE} is damaged: {type(error).__name__}: {error}") from None
    if texts is None:
        if not names and STANDARD_INPUT in known:
            raise InputError("the text came from standard input", hint=f"give it again: --resume {run} FILE")
        texts = read_texts(config, tuple(names) or known)
    data = prepare(config, texts, saved.tokenizer)
    if data.fingerprint() != fingerprint:
        raise InputError(
            "the text is not the one that this run was trained on",
            hint="name the same files in the same order; to train on other text, begin a new run",
        )
    params = {name: p.copy() for name, p in saved.params.items()}
    trainer = Trainer(saved.model, saved.sizes, params, config, data.train, data.valid)
    try:
        trainer.restore(arrays, counters, saved.params)
    except (KeyError, ValueError) as error:
        raise InputError(f"{run / STATE_FILE} is damaged: {type(error).__name__}: {error}") from None
    return _Run(trainer, data, texts.names, run, observer).go()


def train(
    model: str | Path | Model,
    text: str | Sequence[str],
    run: str | Path | None = None,
    valid_text: str | None = None,
    **options: Any,
) -> LanguageModel:
    """Trains a model on a text (or several) given as strings, and returns it.

    `model` is the name of a shipped model, a file, or equations; `valid_text` a text to validate on, by
    default the last tenth of `text`; `options` are the fields of `TrainConfig`, with `size` as a
    dictionary, such as `{"h": 256}`. With `run` the run is saved in that folder.
    """
    if isinstance(options.get("size"), Mapping):
        options["size"] = tuple(options["size"].items())
    equations = (model if isinstance(model, Model) else Model(model)).equations
    config = TrainConfig.from_options(options)
    texts = [text] if isinstance(text, str) else list(text)
    divided = divide(config, texts) if valid_text is None else Texts(tuple(texts), (valid_text,))
    return begin_run(equations, divided, config, None if run is None else Path(run), Observer()).model


class _Run:
    def __init__(
        self, trainer: Trainer, data: Data, names: Sequence[str], folder: Path | None, observer: Observer
    ) -> None:
        self.trainer, self.data, self.folder, self.observer = trainer, data, folder, observer
        self.facts = {
            "config": asdict(trainer.config),
            "texts": list(names),
            "fingerprint": data.fingerprint(),
        }
        self._saved_best: Params | None = None
        self._saved_at = trainer.counters.seconds

    def go(self) -> Outcome:
        trainer, observer = self.trainer, self.observer
        trainer.start_clock()
        observer.began(trainer, self.data)
        self._save()
        with _interruptible() as interrupted:
            # What an interruption leaves undone is done when the run goes on.
            while (reason := trainer.ended()) is None and not interrupted:
                try:
                    trainer.advance()
                except DivergenceError:
                    self._save()
                    raise
                observer.stepped(trainer)
                if trainer.validation_due() or trainer.ended():
                    self._validate()
                elif trainer.record_due():
                    trainer.record()
                if trainer.counters.seconds - self._saved_at > SAVE_EVERY:
                    self._save()
            self._save()
        observer.ended(trainer, reason or "interrupted")
        valid = self.data.valid
        return Outcome(
            LanguageModel(self._model(), trainer.config.backend),
            reason or "interrupted",
            trainer.counters,
            trainer.epoch,
            None if valid is None else float(valid.unknown.mean()),
        )

    def _model(self) -> SavedModel:
        trainer = self.trainer
        return SavedModel(trainer.model, dict(trainer.sizes), self.data.tokenizer, trainer.best)

    def _validate(self) -> None:
        score = self.trainer.validate()
        self.trainer.record(score)
        self._save()
        if score is not None:
            self.observer.validated(self.trainer, score)

    def _save(self) -> None:
        """The run's files. The model comes first: going on from an older state finds the same model again."""
        if self.folder is None:
            return
        trainer = self.trainer
        if trainer.best is trainer.params or trainer.best is not self._saved_best:
            save_model(self.folder / MODEL_FILE, self._model())
            self._saved_best = trainer.best
        save_state(
            self.folder / STATE_FILE, trainer.arrays(), {**self.facts, "counters": asdict(trainer.counters)}
        )
        lines = "".join(json.dumps(record) + "\n" for record in trainer.counters.records)
        write_whole(self.folder / METRICS_FILE, lines.encode())
        self._saved_at = trainer.counters.seconds


def _make_folder(run: Path, overwrite: bool) -> None:
    if (run / MODEL_FILE).exists() and not overwrite:
        raise InputError(
            f"{run} holds a run already",
            hint=f"go on with it: --resume {run}; or name another folder, or --overwrite",
        )
    try:
        run.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {run}: {error.strerror or error}") from None


@contextmanager
def _interruptible() -> Iterator[list[int]]:
    """A list that gets the signal's number when the user asks to stop, so that no step is cut in two.

    Asking once more stops at once.
    """
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return

    def stop(number: int, frame: FrameType | None) -> None:
        if received:
            raise KeyboardInterrupt
        received.append(number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
