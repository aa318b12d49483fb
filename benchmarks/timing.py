"""Times that can be compared on a shared machine: everybody in turn, and ratios within a round."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

ROUND = 0.03  # seconds that each contestant works in a round, at least one call
PAUSE = 0.005  # longer than the threads of any library here go on waiting for more work


@dataclass(frozen=True)
class Spread:
    """The median of a sample with its quartiles."""

    median: float
    low: float
    high: float

    @staticmethod
    def of(sample: list[float]) -> Spread:
        low, median, high = statistics.quantiles(sample, n=4, method="inclusive")
        return Spread(median, low, high)

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f}–{self.high:.2f})"


def seconds(run: Callable[[], object], calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        run()
    return (time.perf_counter() - start) / calls


def interleaved(runs: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds a call for each of the runs in each of the rounds, in which all take their turn."""
    calls = {}
    for name, run in runs.items():
        run()
        calls[name] = max(1, round(ROUND / min(seconds(run, 1) for _ in range(2))))
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            # The threads of whoever ran before have to go to sleep first, or they take a core from this one;
            # and its own have to be awake, with its data in the cache, where calls are short.
            time.sleep(PAUSE)
            if calls[name] > 1:
                run()
            times[name].append(seconds(run, calls[name]))
    return times


def ratios(theirs: list[float], ours: list[float]) -> Spread:
    """How many times longer they take, round by round."""
    return Spread.of([b / a for a, b in zip(ours, theirs, strict=True)])
