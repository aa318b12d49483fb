"""When a run ends, and how its learning rate goes until then."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bptt.lm.config import TrainConfig


@dataclass(frozen=True)
class Limits:
    """When a run ends, None for never; `reason` names the limit that `steps` comes from."""

    steps: int | None
    seconds: float | None
    reason: str = "steps"

    def progress(self, step: float, seconds: float) -> float:
        """How much of the run is over, 0 to 1, by the limit that is nearer."""
        by_steps = step / self.steps if self.steps else float(self.steps == 0)
        by_clock = seconds / self.seconds if self.seconds else float(self.seconds == 0)
        return min(1.0, max(by_steps, by_clock))


def limits_of(config: TrainConfig, batches_per_epoch: int) -> Limits:
    steps, epochs, minutes = config.ends
    candidates = [] if steps is None else [(steps, "steps")]
    if epochs is not None:
        candidates.append((math.ceil(epochs * batches_per_epoch), "epochs"))
    total, reason = min(candidates, default=(None, "minutes"))
    return Limits(total, None if minutes is None else minutes * 60, reason)


def learning_rate(config: TrainConfig, progress: float) -> float:
    """The rate at this point of the run: a linear rise over the first `warmup`, then as the schedule says."""
    base = config.learning_rate
    if progress < config.warmup:
        return base * progress / config.warmup
    rest = (progress - config.warmup) / (1 - config.warmup) if config.warmup < 1 else 1.0
    match config.schedule:
        case "cosine":
            return base * (1 + math.cos(math.pi * rest)) / 2
        case "linear":
            return base * (1 - rest)
        case _:
            return base
