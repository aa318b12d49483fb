"""Train a model on a text.

MODEL is the name of a shipped model (`bptt models`), a file of equations, or equations; TEXT are files in
UTF-8. Without either, a small GRU learns the characters of Python's own documentation. Whatever is reached
first of --steps, --epochs and --minutes ends the run; without them it takes two minutes at most. Ctrl-C ends
it too (exit code 130), and leaves a run that --resume goes on with.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from bptt.cli.figures import show_nats, show_perplexity
from bptt.cli.main import INTERRUPTED
from bptt.cli.options import add_config_arguments, add_json_argument, config_options
from bptt.cli.plots import plot_curves
from bptt.cli.progress import LiveProgress, PlainProgress, QuietProgress
from bptt.errors import InputError
from bptt.lm.config import TrainConfig
from bptt.lm.data import read_texts
from bptt.lm.model import Model
from bptt.lm.run import Outcome, begin_run, continue_run
from bptt.text.corpus import STANDARD_INPUT

DEFAULT_MODEL = "gru"
RUNS = Path("runs")
CURVES_FILE = "curves.png"
# Files with these endings are equations; another file in the place of MODEL is a text.
_EQUATION_SUFFIXES = {".eq", ".tex", ".md", ""}
_SAMPLE_LENGTH = {"char": 300, "byte": 300, "word": 60}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", nargs="?", metavar="MODEL", help=f"default: {DEFAULT_MODEL}")
    parser.add_argument(
        "texts", nargs="*", metavar="TEXT", help="default: the documentation that Python carries"
    )
    parser.add_argument(
        "--run", type=Path, metavar="DIR", help=f"the folder to save in (default: a new one in {RUNS}/)"
    )
    parser.add_argument("--overwrite", action="store_true", help="let --run replace a run that is there")
    parser.add_argument(
        "--resume", type=Path, metavar="RUN", help="go on with a run; TEXT only if it has moved"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")
    add_json_argument(parser)
    add_config_arguments(parser)


def run(args: argparse.Namespace) -> int:
    observer = QuietProgress() if args.quiet else LiveProgress() if sys.stderr.isatty() else PlainProgress()
    try:
        outcome, folder = _resume(args, observer) if args.resume else _begin(args, observer)
    finally:
        if isinstance(observer, LiveProgress):
            observer.close()
    _plot(outcome, folder)
    if args.json:
        print(json.dumps({"run": str(folder), **outcome.as_dict()}))
    elif outcome.stopped == "interrupted":
        print(
            f"stopped at step {outcome.counters.step:,}; go on: bptt train --resume {folder}", file=sys.stderr
        )
    else:
        print(_summary(outcome, folder))
    return INTERRUPTED if outcome.stopped == "interrupted" else 0


def _begin(args: argparse.Namespace, observer: QuietProgress) -> tuple[Outcome, Path]:
    spec, names = _model_and_texts(args.model, args.texts)
    config = TrainConfig.from_options(config_options(args))
    model = Model(spec)
    if not names:
        observer.note("the text is Python's own documentation; name files to train on others")
    texts = read_texts(config, [_absolute(name) for name in names])
    folder = args.run or _free_folder(model.name)
    outcome = begin_run(model.equations, texts, config, folder, observer, overwrite=args.overwrite)
    return outcome, folder


def _resume(args: argparse.Namespace, observer: QuietProgress) -> tuple[Outcome, Path]:
    if args.run is not None and args.run != args.resume:
        raise InputError("--resume names the folder; --run cannot name another", hint="leave --run out")
    names = [name for name in (args.model, *args.texts) if name is not None]
    texts = [_absolute(name) for name in names]
    return continue_run(args.resume, texts, config_options(args), observer), args.resume


def _model_and_texts(model: str | None, texts: Sequence[str]) -> tuple[str, Sequence[str]]:
    """A text in the place of MODEL is a text for the default model."""
    if model is None:
        return DEFAULT_MODEL, texts
    if model == STANDARD_INPUT or (Path(model).suffix not in _EQUATION_SUFFIXES and _is_file(model)):
        return DEFAULT_MODEL, (model, *texts)
    return model, texts


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except (OSError, ValueError):
        # Equations can be too long, or otherwise impossible, as the name of a file.
        return False


def _absolute(name: str) -> str:
    """A run may be continued from another folder."""
    return name if name == STANDARD_INPUT else str(Path(name).resolve())


def _free_folder(name: str) -> Path:
    folder, number = RUNS / name, 1
    while folder.exists():
        number += 1
        folder = RUNS / f"{name}-{number}"
    return folder


def _plot(outcome: Outcome, folder: Path) -> None:
    try:
        plot_curves(outcome.counters.records, folder / CURVES_FILE, outcome.model.model.name)
    except ImportError:
        print("note: no curves.png, since matplotlib is not installed", file=sys.stderr)


def _summary(outcome: Outcome, folder: Path) -> str:
    counters = outcome.counters
    lines = [
        f"trained    {counters.step:,} steps, {outcome.epochs:.1f} epochs, {counters.tokens:,} tokens"
        f" in {counters.seconds:.0f} s (ended by {outcome.stopped})"
    ]
    facts = outcome.as_dict()
    if facts["valid_nats_per_token"] is not None:
        nats = facts["valid_nats_per_token"]
        lines.append(f"validation {show_nats(nats)} nats per token, perplexity {show_perplexity(nats)}")
    lines.append(f"saved in   {folder}")
    lm = outcome.model
    length = _SAMPLE_LENGTH.get(lm.tokenizer.kind, 60)
    sample = lm.sample(length=length, temperature=0.7, seed=0).strip("\n")
    return "\n".join([*lines, "", f"a sample (bptt sample {folder} draws more):", "", sample])
