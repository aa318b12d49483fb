"""How a training run shows on stderr: a live display on a terminal, plain lines elsewhere, or nothing."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from bptt.cli.figures import show_nats, show_perplexity
from bptt.lm.data import Data
from bptt.lm.run import Observer
from bptt.lm.scoring import Score
from bptt.lm.training import Trainer
from bptt.text.pairs import Pairs

if TYPE_CHECKING:
    from rich.progress import Progress

_HEADER = (
    f"{'step':>9} {'epoch':>7} {'tokens/s':>10} {'train':>8} {'valid':>8} {'perplexity':>11} {'left':>8}"
)
# Seconds between two updates of the live display, and between two plain lines where nothing is validated.
_REFRESH = 0.2
_LINE_EVERY = 10.0
# A bar has this many parts, whatever ends the run.
_BAR = 1000


class QuietProgress(Observer):
    """Says only what a user has to know."""

    def note(self, text: str) -> None:
        print(f"note: {text}", file=sys.stderr)


class PlainProgress(QuietProgress):
    """A line per validation, and one now and then between."""

    def __init__(self) -> None:
        self._shown = 0.0
        self._rate = _Rate()

    def began(self, trainer: Trainer, data: Data) -> None:
        self._shown = time.perf_counter()
        for line in describe_run(trainer, data):
            self._print(line)
        self._print(_HEADER)

    def stepped(self, trainer: Trainer) -> None:
        now = time.perf_counter()
        if now - self._shown > _LINE_EVERY:
            self._line(trainer, None)

    def validated(self, trainer: Trainer, score: Score) -> None:
        self._line(trainer, score)

    def ended(self, trainer: Trainer, reason: str) -> None:
        if trainer.valid is None:
            self._line(trainer, None)

    def _line(self, trainer: Trainer, score: Score | None) -> None:
        self._shown = time.perf_counter()
        self._print(progress_line(trainer, score, self._rate(trainer)))

    def _print(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)


class LiveProgress(PlainProgress):
    """A line per validation, and below them what happens at this moment."""

    def __init__(self) -> None:
        super().__init__()
        self._live: Progress | None = None
        self._live_rate = _Rate()
        self._refreshed = 0.0

    def began(self, trainer: Trainer, data: Data) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        super().began(trainer, data)
        console = Console(stderr=True, highlight=False)
        # Room for the ^C that the terminal writes behind the line; wrapped, it could not be wiped out.
        console.width = max(40, console.width - 4)
        columns = (BarColumn(bar_width=None), TextColumn("{task.description}", markup=False))
        self._live = Progress(*columns, console=console, transient=True, auto_refresh=False)
        self._live.add_task("compiling", total=_BAR)
        self._live.start()

    def stepped(self, trainer: Trainer) -> None:
        now = time.perf_counter()
        if now - self._refreshed < _REFRESH or self._live is None:
            return
        self._refreshed = now
        self._live.update(
            self._live.task_ids[0],
            completed=trainer.progress * _BAR,
            description=live_text(trainer, self._live_rate(trainer)),
            refresh=True,
        )

    def note(self, text: str) -> None:
        self._print(f"note: {text}")

    def ended(self, trainer: Trainer, reason: str) -> None:
        self.close()
        super().ended(trainer, reason)

    def close(self) -> None:
        """Gives the terminal back."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _print(self, line: str) -> None:
        if self._live is None:
            super()._print(line)
        else:
            self._live.console.print(line, markup=False, highlight=False, soft_wrap=True)


class _Rate:
    """Tokens per second since it was last asked."""

    def __init__(self) -> None:
        self._tokens = 0
        self._seconds = 0.0
        self._last = 0.0

    def __call__(self, trainer: Trainer) -> float:
        tokens, seconds = trainer.counters.tokens, trainer.counters.seconds
        if seconds > self._seconds and tokens > self._tokens:
            self._last = (tokens - self._tokens) / (seconds - self._seconds)
        self._tokens, self._seconds = tokens, seconds
        return self._last


def describe_run(trainer: Trainer, data: Data) -> list[str]:
    """What is trained, in a few lines of at most 80 columns."""
    sizes = ", ".join(f"{name}={number}" for name, number in trainer.sizes.items() if name != "V")
    parameters = sum(p.size for p in trainer.params.values())
    streams, window = trainer.batches.streams, trainer.batches.window
    layout = f"{streams:,} × {window}" if trainer.model.states else f"{streams:,}"
    lines = [
        f"model    {trainer.model.name}: {parameters:,} parameters" + (f" ({sizes})" if sizes else ""),
        f"text     {len(data.train):,} tokens, {len(data.tokenizer.vocabulary):,} different"
        + _unknown(data.train),
        f"batches  {layout} tokens, {trainer.batches.batches_per_epoch:,} in an epoch",
    ]
    if data.valid is not None:
        lines[1] += f"; {len(data.valid):,} to validate" + _unknown(data.valid)
    if trainer.counters.step:
        lines.append(f"resumed  at step {trainer.counters.step:,}")
    return lines


def _unknown(pairs: Pairs) -> str:
    rate = float(pairs.unknown.mean())
    return f" ({rate:.2%} unknown)" if rate else ""


def progress_line(trainer: Trainer, score: Score | None, rate: float) -> str:
    """One line of the table; the perplexity is the validation text's where there is a score of it."""
    train = _train_nats(trainer)
    valid = None if score is None else score.nats_per_token
    nats = train if valid is None else valid
    return (
        f"{trainer.counters.step:>9,} {trainer.epoch:>7.2f} {rate:>10,.0f} {show_nats(train):>8}"
        f" {show_nats(valid):>8} {show_perplexity(nats):>11} {_duration(_remaining(trainer)):>8}"
    )


def live_text(trainer: Trainer, rate: float) -> str:
    nats = _train_nats(trainer)
    steps = f"/{trainer.limits.steps:,}" if trainer.limits.steps else ""
    facts = (
        f"{trainer.counters.step:,}{steps}",
        f"{rate / 1000:,.0f}k tok/s",
        f"loss {show_nats(nats)}",
        f"ppl {show_perplexity(nats)}",
        _duration(_remaining(trainer)),
    )
    return " · ".join(facts)


def _train_nats(trainer: Trainer) -> float | None:
    """The mean loss since the last record, or in it."""
    counters = trainer.counters
    if counters.pairs:
        return counters.nats / counters.pairs
    return counters.records[-1]["train_nats"] if counters.records else None


def _remaining(trainer: Trainer) -> float | None:
    """Seconds, supposing that it goes on as it went."""
    progress, limits, seconds = trainer.progress, trainer.limits, trainer.counters.seconds
    if progress <= 0:
        return limits.seconds
    return seconds * (1 - progress) / progress


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(int(seconds + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
