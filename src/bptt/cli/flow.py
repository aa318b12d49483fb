"""How far gradients reach back in time: what is left of ∂J_T/∂h_T after k steps, and the Jacobians between.

Fresh weights are taken at several scales of the recurrent matrices; a run's weights as they were trained.
Several models are shown side by side. A model whose state is carried whole (h = … + h[t-1]) is measured
without that term, too, and at weights that it does not help with: recurrent matrices can make it vanish or
explode all the same.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bptt.analysis.flow import Curve, measure_flow
from bptt.analysis.recurrent import KINDS
from bptt.cli import options
from bptt.cli.flow_inputs import WARM_UP, random_sequences, text_sequences
from bptt.cli.flow_remarks import Measured, remarks
from bptt.cli.flow_report import WIDTH, matrix_name, report
from bptt.cli.flow_subjects import Subject, Wanted, find_subjects
from bptt.cli.flow_symbols import symbolic_flow
from bptt.cli.options import add_json_argument, number
from bptt.errors import InputError

STEPS, EXAMPLES = 40, 32
# Sequences of states of more numbers than this in all are too much for a default.
LARGE = 1 << 22
PICTURE = "flow.png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "models", nargs="*", metavar="MODEL|RUN", help="shipped models, files, equations, or runs"
    )
    parser.add_argument(
        "--steps",
        type=number("--steps", int),
        default=STEPS,
        metavar="K",
        help=f"how far back (default: {STEPS})",
    )
    parser.add_argument(
        "--scales",
        type=_scales,
        metavar="N,…",
        help="factors for the recurrent matrices (default: 0.5,1,1.5,2; of a run: 1)",
    )
    parser.add_argument(
        "--recurrent",
        type=_kinds,
        metavar="KIND,…",
        help="recurrent matrices of another kind: random, orthogonal, identity or -identity"
        " (write --recurrent=-identity)",
    )
    parser.add_argument("--state", metavar="NAME", help="the gradient by this variable only")
    parser.add_argument(
        "--text", metavar="FILE", help="what a run reads (default: its tokens, drawn uniformly)"
    )
    parser.add_argument(
        "--batch", type=number("--batch", int), metavar="B", help=f"how many sequences (default: {EXAMPLES})"
    )
    parser.add_argument(
        "--size",
        action="extend",
        type=options.sizes,
        default=[],
        metavar="NAME=N",
        help="a size of a model with fresh weights (default: its own; V=100)",
    )
    parser.add_argument(
        "--seed", type=number("--seed", int), default=0, help="draws weights and sequences (default: 0)"
    )
    parser.add_argument(
        "--plot", nargs="?", const=PICTURE, metavar="FILE.png", help=f"draw a picture (default: {PICTURE})"
    )
    add_json_argument(parser)


def run(args: argparse.Namespace) -> int:
    _check(args)
    subjects = find_subjects(args.models, Wanted(dict(args.size), args.scales, args.recurrent, args.seed))
    for subject in subjects:
        for remark in () if subject.variant else subject.model.remarks:
            print(f"note: {remark}", file=sys.stderr)
    measured = [m for subject in subjects for m in _measure(subject, args)]
    if args.json:
        print(json.dumps(_as_json(measured, args)))
    else:
        models = {s.model.name: s.model for s in subjects if not s.variant}
        symbols = list(symbolic_flow(models.values(), WIDTH - 1))
        print(report(measured, _reading(args, subjects[0], measured[0].flow.examples), symbols))
    if args.plot is not None:
        _plot(measured, Path(args.plot))
    return 0


def _check(args: argparse.Namespace) -> None:
    if args.steps < 1 or (args.batch is not None and args.batch < 1):
        raise InputError("--steps and --batch are 1 or more")
    if args.seed < 0:
        raise InputError(f"a seed of {args.seed} is not possible", hint="it is 0 or more")
    if args.plot is not None and Path(args.plot).suffix.lower() != ".png":
        raise InputError(
            f"--plot {args.plot} is no file name that ends in .png", hint="put --plot after the models"
        )
    if not args.models:
        raise InputError("no model is named", hint="bptt flow tanh residual, or the folder of a run")


def _measure(subject: Subject, args: argparse.Namespace) -> list[Measured]:
    variables = [s.variable for s in subject.model.states if s.lag == 1]
    if args.state is not None and args.state not in variables:
        raise InputError(
            f"{subject.model.name} carries no {args.state}", hint="it carries " + ", ".join(variables)
        )
    examples = args.batch or _examples(subject, args.steps)
    if args.text is None:
        x, y = random_sequences(subject, args.steps, examples, args.seed)
    else:
        x, y = text_sequences(subject, args.text, args.steps, examples, args.seed)
    flows = [
        measure_flow(subject.model, subject.sizes, subject.params_at(w, args.seed), x, y, args.steps)
        for w in subject.weights
    ]
    return [Measured(subject, w, f, args.state) for w, f in zip(subject.weights, flows, strict=True)]


def _examples(subject: Subject, steps: int) -> int:
    shapes = [s.shape for s in subject.model.states]
    size = sum(math.prod(d.evaluate(subject.sizes) for d in shape) for shape in shapes)
    return max(2, min(EXAMPLES, LARGE // (size * (steps + WARM_UP))))


def _reading(args: argparse.Namespace, subject: Subject, examples: int) -> str:
    if args.text is not None:
        return f"{examples} parts of {args.text}, seed {args.seed}"
    tokens = "drawn uniformly from the vocabulary" if subject.tokenizer else "drawn uniformly"
    return f"{examples} sequences of tokens {tokens} (no text), each after {WARM_UP} others; seed {args.seed}"


def _plot(measured: Sequence[Measured], path: Path) -> None:
    try:
        from bptt.cli.flow_plot import plot_flow

        plot_flow(measured, path)
    except ImportError:
        raise InputError("there is no picture without matplotlib", hint="pip install matplotlib") from None
    print(f"picture: {path}", file=sys.stderr)


def _scales(text: str) -> tuple[float, ...]:
    try:
        scales = tuple(float(part) for part in text.split(","))
    except ValueError:
        scales = ()
    if not scales or not all(math.isfinite(scale) and scale >= 0 for scale in scales):
        raise InputError(
            f"--scales {text} is not understood", hint="they are numbers, 0 or more: --scales 0.5,1,2"
        )
    return tuple(dict.fromkeys(scales))


def _kinds(text: str) -> tuple[str, ...]:
    kinds = tuple(dict.fromkeys(text.split(",")))
    for kind in kinds:
        if kind not in KINDS:
            raise InputError(f"--recurrent {kind} is no kind of matrix", hint="there are " + ", ".join(KINDS))
    return kinds


def _as_json(measured: Sequence[Measured], args: argparse.Namespace) -> dict[str, Any]:
    return {
        "steps": args.steps,
        "seed": args.seed,
        "text": args.text,
        "flows": [_flow_as_json(m) for m in measured],
        "remarks": remarks(measured, matrix_name(measured)),
    }


def _flow_as_json(m: Measured) -> dict[str, Any]:
    flow = m.flow
    return {
        "model": m.subject.label,
        "variant": m.subject.variant or None,
        "weights": asdict(m.weights),
        "recurrent": list(dict.fromkeys(r.name for r in m.subject.recurrent)),
        "sizes": m.subject.sizes,
        "examples": flow.examples,
        "reference": flow.reference,
        "log_norm": _finite(flow.log_norm),
        "left": _curve_as_json(flow.whole),
        "states": {name: _curve_as_json(curve) for name, curve in flow.states.items()},
        "log_factor": _finite(m.log_factor),
        "half": flow.half(m.state),
        "fate": m.fate,
        "spectral_radius": None if flow.radius is None else asdict(flow.radius),
        "norm": None if flow.norm is None else asdict(flow.norm),
    }


def _curve_as_json(curve: Curve) -> dict[str, list[float | None]]:
    return {
        "log": [_finite(value) for value in curve.left.tolist()],
        "log_p10": [_finite(value) for value in curve.low.tolist()],
        "log_p90": [_finite(value) for value in curve.high.tolist()],
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
