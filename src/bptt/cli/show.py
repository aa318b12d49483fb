"""What the compiler makes of a model: its program after each pass, and as it is run.

The program is a list of blocks. A block runs for all T·B tokens at once or step by step through time. `+=`
marks what is summed over all tokens. ∂H is the derivative of the objective J by H, δh the one by what the
non-linearity of h is applied to; h[t-1] is the state that enters the step, ∂h⁺ what the later steps carry
back to h, and `∂h⁺ ←` what this step hands on to the one before it. h·1 is an unnamed part of h.
"""

from __future__ import annotations

import argparse
import json

from bptt.backends import available_backends, build_program
from bptt.cli.options import add_json_argument
from bptt.errors import InputError
from bptt.ir.model import Model
from bptt.ir.program import Program
from bptt.ir.text import show_program
from bptt.lm.model import choose_sizes, understand
from bptt.models import source_of
from bptt.passes.forward import GOALS

VOCABULARY_SHOWN = 100  # V for the listing of instructions, where no text says


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a shipped model, a file, or the equations themselves")
    parser.add_argument("--program", action="store_true", help="the scheduled program (the default)")
    parser.add_argument(
        "--after", metavar="PASS", help="the program as it is after a pass; `list` lists the passes"
    )
    parser.add_argument(
        "--goal", default="train", metavar="|".join(GOALS), help="what the program is for (default: train)"
    )
    parser.add_argument("--resets", action="store_true", help="with states that start anew at each sentence")
    parser.add_argument("--instructions", action="store_true", help="the instructions of the native executor")
    add_json_argument(parser)


def run(args: argparse.Namespace) -> int:
    model = understand(source_of(args.model))
    if args.goal not in GOALS:
        raise InputError(f"there is no goal {args.goal}", hint="one of " + ", ".join(GOALS))
    stages: dict[str, Program] = {}
    build_program(model, args.goal, resets=args.resets, observe=stages.__setitem__)
    wanted = args.after or "schedule"
    if wanted == "list":
        print("\n".join(stages))
        return 0
    if wanted not in stages:
        raise InputError(f"there is no pass {wanted!r}", hint="one of " + ", ".join(stages))
    if args.instructions:
        listing = _instructions(model, stages["schedule"])
    else:
        listing = show_program(stages[wanted])
    if args.json:
        print(json.dumps({"model": model.name, "goal": args.goal, "after": wanted, "program": listing}))
    else:
        print(listing)
    return 0


def _instructions(model: Model, program: Program) -> str:
    if "native" not in available_backends():
        raise InputError(
            "the native backend was not built when bptt was installed", "install a C++ compiler first"
        )
    from bptt.backends.native import NativeExecutable

    sizes, _ = choose_sizes(model, {}, VOCABULARY_SHOWN)
    return NativeExecutable(program, sizes).listing()
