"""What a model costs: operations and bytes of forward, backward and update, and where the time goes.

Every part is a formula in the sizes, its order O(), and a number per token. An operation is a multiplication,
an addition, or a function of one element; a product with an (n, m) matrix is 2·n·m of them. The count is
made of the program that runs; beside it stands the time that each part takes on this machine.
"""

from __future__ import annotations

import argparse
import json
import sys
from statistics import median

from bptt.analysis.cost import cost
from bptt.analysis.measure import LONGEST, SECONDS, affordable, measure, timed
from bptt.analysis.update import UPDATES
from bptt.backends import available_backends
from bptt.cli import cost_text, options
from bptt.cli.cost_report import Measured, Report, as_json, measured_parts
from bptt.cli.options import add_backend_argument, add_json_argument, number
from bptt.errors import InputError
from bptt.ir.model import Model
from bptt.lm.config import TrainConfig
from bptt.lm.model import choose_sizes, understand
from bptt.lm.optimizer import Optimizer, gradient_norm
from bptt.models import source_of

DEFAULT_VOCABULARY = 10_000
# What a step may hold at most where a model is timed.
MOST_BYTES = 1_000_000_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    defaults = TrainConfig()
    parser.add_argument("model", metavar="MODEL", help="a shipped model, a file, or the equations themselves")
    parser.add_argument(
        "--size",
        action="extend",
        type=options.sizes,
        default=[],
        metavar="NAME=N",
        help=f"a size, such as h=256 or V=50000 (default: as the equations say; V: {DEFAULT_VOCABULARY})",
    )
    for option, default, metavar, meaning in (
        ("--window", defaults.window, "T", "time steps of a training step"),
        ("--batch", defaults.batch, "B", "examples of a training step"),
    ):
        parser.add_argument(
            option,
            type=number(option, int),
            default=default,
            metavar=metavar,
            help=f"{meaning} (default: {default})",
        )
    parser.add_argument(
        "--optimizer",
        default=defaults.optimizer,
        metavar="|".join(UPDATES),
        help=f"what changes the parameters (default: {defaults.optimizer})",
    )
    parser.add_argument("--no-measure", action="store_true", help="count only, and time nothing")
    add_backend_argument(parser)
    add_json_argument(parser)


def run(args: argparse.Namespace) -> int:
    if args.window < 1 or args.batch < 1:
        raise InputError("--window and --batch are 1 or more")
    if args.optimizer not in UPDATES:
        raise InputError(f"there is no optimizer {args.optimizer}", hint="one of " + ", ".join(UPDATES))
    equations = understand(source_of(args.model))
    for remark in equations.remarks:
        print(f"note: {remark}", file=sys.stderr)
    wanted = dict(args.size)
    vocabulary = wanted.pop("V", DEFAULT_VOCABULARY)
    if vocabulary < 2:
        raise InputError(f"the size V={vocabulary} is too small", hint="a vocabulary has 2 tokens or more")
    sizes, assumed = choose_sizes(equations, wanted, vocabulary)
    if "V" not in dict(args.size):
        assumed = ["V", *assumed]
    counted = cost(equations)
    sizes = {name: sizes[name] for name in counted.sizes}
    report = Report(counted, sizes, tuple(assumed), args.window, args.batch, args.optimizer)
    measured = None if args.no_measure else _measured(report, equations, args.backend)
    print(json.dumps(as_json(report, measured)) if args.json else cost_text.page(report, measured))
    return 0


def _measured(report: Report, equations: Model, backend: str) -> Measured | None:
    counted, sizes = report.cost, report.sizes
    backend = available_backends()[0] if backend == "auto" else backend
    window, batch = affordable(
        counted.operations.evaluate(sizes), report.window, report.batch, LONGEST.get(backend, 0)
    )
    needed = sum(counted.evaluate(sizes, window, batch, report.optimizer).memory.values())
    if needed > MOST_BYTES:
        print(f"note: not measured, since a step holds {cost_text.bytes_of(needed)}", file=sys.stderr)
        return None
    times, params, gradients = measure(equations, sizes, window, batch, backend)
    optimizer = Optimizer(TrainConfig(optimizer=report.optimizer), params)

    def update() -> None:
        gradient_norm(gradients)
        optimizer.update(gradients, 1e-6, 1)

    update()
    (seconds,) = timed([update], SECONDS / 4)
    return measured_parts(report, times, median(seconds))
