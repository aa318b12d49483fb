"""The training loop: truncated backpropagation through time over parallel streams, or over shuffled pairs.

The whole state of a run is the number of the step, the parameters, the optimiser's memory, the carried state
and a few counters. Batches and dropout masks follow from the seed and the number of the step, so a run that
is continued from a saved state goes on exactly as if it had never stopped.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bptt.backends import compile_model
from bptt.ir.model import Model
from bptt.lm.config import TrainConfig
from bptt.lm.diagnosis import explain
from bptt.lm.optimizer import Optimizer, Params, gradient_norm, scale
from bptt.lm.schedule import Limits, learning_rate, limits_of
from bptt.lm.scoring import Score, inputs_of, score_of, token_nats
from bptt.passes.dropout import add_dropout
from bptt.text.batches import Batch, PairBatches, StreamBatches
from bptt.text.pairs import Pairs

# How many points the record of a run has at least, and how often it is validated, where nothing else is asked
# for: less often where validation would read more than this part of the tokens that training reads, or take
# that part of its time.
RECORDS = 200
VALIDATIONS = 20
VALIDATION_PART = 0.5


@dataclass
class Counters:
    """Where a run stands.

    `nats` and `pairs` are sums since the last record, `tokens` and `seconds` since the beginning. `best` is
    the validation score in nats per token of the best parameters, `fruitless` how many validations ago that
    was; `validated` is when the last one ended, `validation_time` how long it took, in seconds.
    """

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    nats: float = 0.0
    pairs: int = 0
    best: float = math.inf
    fruitless: int = 0
    validated: float = 0.0
    validation_time: float = 0.0
    records: list[dict[str, float | int | None]] = field(default_factory=list)


class Trainer:
    """A run in memory. `params` are changed in place; `best` are the parameters to keep."""

    def __init__(
        self,
        model: Model,
        sizes: Mapping[str, int],
        params: Params,
        config: TrainConfig,
        train: Pairs,
        valid: Pairs | None,
    ) -> None:
        self.model, self.sizes, self.params, self.config, self.valid = model, sizes, params, config, valid
        sentences = len(train.starts) > 1
        self.batches: StreamBatches | PairBatches
        if model.states:
            self.batches = StreamBatches(train, config.batch, config.window, config.seed, shuffle=sentences)
        else:
            self.batches = PairBatches(train, config.batch * config.window, config.seed)
        self.resets = bool(model.states) and (
            sentences or any(state.initial is not None for state in model.states)
        )
        trained = add_dropout(model, config.dropout) if config.dropout else model
        self.executable = compile_model(trained, sizes, "train", backend=config.backend, resets=self.resets)
        self._scorer = compile_model(model, sizes, "score", backend=config.backend, resets=bool(model.states))
        self.optimizer = Optimizer(config, params)
        self.carries: dict[str, NDArray[Any]] = {}
        self.counters = Counters()
        self.best = params
        self.limits: Limits = limits_of(config, self.batches.batches_per_epoch)
        epoch = self.batches.batches_per_epoch
        affordable = math.ceil(
            len(valid or ()) / VALIDATION_PART / (self.batches.streams * self.batches.window)
        )
        # Where only the clock ends the run nobody knows how many steps there will be: it says when to
        # validate.
        planned = self.limits.steps or VALIDATIONS * epoch
        regular = max(1, affordable, -(-planned // VALIDATIONS)) if self.limits.steps else 0
        self.eval_every = config.eval_every or regular
        self.record_every = max(1, min(planned // RECORDS, self.eval_every or planned))
        self._began = time.perf_counter()
        self._learning_rate = self._norm = math.nan

    @property
    def progress(self) -> float:
        return self.limits.progress(self.counters.step, self.counters.seconds)

    @property
    def epoch(self) -> float:
        return self.counters.step / self.batches.batches_per_epoch

    def start_clock(self) -> None:
        """Time counts from now on, added to what the run has had."""
        self._began = time.perf_counter() - self.counters.seconds

    def ended(self) -> str | None:
        """The limit that is reached, "steps", "epochs", "minutes" or "patience"; None while there is none."""
        patience = self.config.patience
        if patience is not None and self.counters.fruitless >= patience:
            return "patience"
        if self.progress < 1:
            return None
        steps = self.limits.steps
        return self.limits.reason if steps is not None and self.counters.step >= steps else "minutes"

    def advance(self) -> None:
        """One step. DivergenceError, with nothing changed, if the loss or a gradient is not finite."""
        counters = self.counters
        batch: Batch = self.batches[counters.step]
        inputs = inputs_of(batch)
        carries = {} if batch.fresh else self.carries
        seed = (self.config.seed * 1_000_003 + counters.step) & 0xFFFFFFFF
        # An overflow is found in the results, and then explained.
        with np.errstate(all="ignore"):
            results = self.executable.run(self.params, inputs, carries, seed=seed)
        gradients: Any = {name: results["∂" + name] for name in self.params}
        nats = float(results["J"]) * self.batches.window * self.batches.streams
        norm = gradient_norm(gradients)
        if not (math.isfinite(nats) and math.isfinite(norm)):
            raise explain(
                self.model,
                self.params,
                inputs,
                carries,
                self.sizes,
                counters.step + 1,
                gradients,
                resets=self.resets,
            )
        # The rate in the middle of the step: zero neither at the first nor at the last.
        middle = self.limits.progress(counters.step + 0.5, counters.seconds)
        self._learning_rate, self._norm = learning_rate(self.config, middle), norm
        if self.config.clip and norm > self.config.clip:
            scale(gradients, self.config.clip / norm)
        counters.step += 1
        self.optimizer.update(gradients, self._learning_rate, counters.step)
        self.carries = {state.name: results[state.name] for state in self.model.states}
        counters.tokens += batch.pairs
        counters.pairs += batch.pairs
        counters.nats += nats
        counters.seconds = time.perf_counter() - self._began

    def validation_due(self) -> bool:
        """Whether to validate now: at regular steps, and where the clock may end the run, at times too."""
        if self.eval_every and self.counters.step % self.eval_every == 0:
            return True
        if not self.limits.seconds:
            return False
        since = self.counters.seconds - self.counters.validated
        return (
            since > self.limits.seconds / VALIDATIONS
            and since > self.counters.validation_time / VALIDATION_PART
        )

    def record_due(self) -> bool:
        return self.counters.step % self.record_every == 0

    def record(self, validation: Score | None = None) -> dict[str, float | int | None]:
        """The line of metrics for what happened since the last one."""
        counters = self.counters
        entry: dict[str, float | int | None] = {
            "step": counters.step,
            "epoch": round(self.epoch, 4),
            "tokens": counters.tokens,
            "seconds": round(counters.seconds, 3),
            "learning_rate": self._learning_rate,
            "gradient_norm": self._norm,
            "train_nats": counters.nats / counters.pairs if counters.pairs else None,
            "valid_nats": None if validation is None else validation.as_dict()["nats_per_token"],
        }
        counters.records.append(entry)
        counters.nats, counters.pairs = 0.0, 0
        return entry

    def validate(self) -> Score | None:
        """The score on the validation text, if there is one; the parameters are kept if it is the best."""
        counters = self.counters
        if self.valid is None:
            counters.validated = counters.seconds
            return None
        score = score_of(
            self.valid, token_nats(self._scorer, self.model, self.params, self.valid, exact=False)
        )
        if score.nats_per_token < counters.best:
            counters.best, counters.fruitless = score.nats_per_token, 0
            self.best = {name: p.copy() for name, p in self.params.items()}
        else:
            counters.fruitless += 1
        now = time.perf_counter() - self._began
        counters.validation_time = now - counters.seconds
        counters.seconds = counters.validated = now
        return score

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything but the counters that `restore` needs."""
        saved: dict[str, NDArray[Any]] = {f"parameter/{name}": p for name, p in self.params.items()}
        for kind, slot in self.optimizer.slots.items():
            saved |= {f"optimizer/{kind}/{name}": a for name, a in slot.items()}
        return saved | {f"carry/{name}": a for name, a in self.carries.items()}

    def restore(self, arrays: Mapping[str, NDArray[Any]], counters: Counters, best: Params) -> None:
        """Goes back to a saved state. KeyError or ValueError if it is of another model or optimiser."""
        for name, p in self.params.items():
            p[...] = arrays[f"parameter/{name}"]
        for kind, slot in self.optimizer.slots.items():
            for name, a in slot.items():
                a[...] = arrays[f"optimizer/{kind}/{name}"]
        self.carries = {
            state.name: arrays[f"carry/{state.name}"] for state in self.model.states if counters.step
        }
        self.counters = counters
        self.best = best if self.valid is not None else self.params
