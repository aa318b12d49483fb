"""Check every gradient of a model: parameters, inputs, and the state that enters the first step.

Each is compared with central finite differences (random directions and single entries, float64) and with
reverse mode of the equations written out step by step; where the native backend was built, its float32
gradients are compared too. The numbers are relative errors. Exit code 1 if one is too large.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from bptt.backends import available_backends
from bptt.checking.gradcheck import NATIVE_TOLERANCE, GradientCheck, check_gradients, check_sizes
from bptt.cli import options
from bptt.cli.options import add_json_argument, number
from bptt.errors import InputError
from bptt.lm.model import choose_sizes, understand
from bptt.models import source_of

TOLERANCE = 1e-7
DEFAULT_VOCABULARY = 7


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a shipped model, a file, or the equations themselves")
    parser.add_argument(
        "--size",
        action="extend",
        type=options.sizes,
        default=[],
        metavar="NAME=N",
        help="a size (default: small, all different)",
    )
    parser.add_argument(
        "--window", type=number("--window", int), default=5, metavar="T", help="steps (default: 5)"
    )
    parser.add_argument(
        "--batch", type=number("--batch", int), default=3, metavar="B", help="examples (default: 3)"
    )
    parser.add_argument("--seed", type=number("--seed", int), default=0, help="draws the point (default: 0)")
    parser.add_argument(
        "--tolerance", type=number("--tolerance", float), default=TOLERANCE, help=f"default: {TOLERANCE:g}"
    )
    add_json_argument(parser)


def run(args: argparse.Namespace) -> int:
    if args.window < 1 or args.batch < 1:
        raise InputError("--window and --batch are 1 or more")
    model = understand(source_of(args.model))
    for remark in model.remarks:
        print(f"note: {remark}", file=sys.stderr)
    wanted = dict(args.size)
    vocabulary = wanted.pop("V", DEFAULT_VOCABULARY)
    if vocabulary < 2:
        raise InputError(f"the size V={vocabulary} is too small", hint="a vocabulary has 2 tokens or more")
    chosen, _ = choose_sizes(model, wanted, vocabulary)
    own = {alias: name for name, names in model.dims.items() for alias in names}
    given = {own[name]: chosen[own[name]] for name in wanted}
    sizes = check_sizes(model, {"V": vocabulary, **given})
    checks = check_gradients(model, sizes, steps=args.window, examples=args.batch, seed=args.seed)
    passed = all(check.passed(args.tolerance) for check in checks)
    if args.json:
        rows = [{**asdict(check), "passed": check.passed(args.tolerance)} for check in checks]
        result = {
            "model": model.name,
            "sizes": sizes,
            "tolerance": args.tolerance,
            "passed": passed,
            "gradients": rows,
        }
        print(json.dumps(result))
    else:
        _print_table(checks, sizes, args)
    return 0 if passed else 1


def _print_table(checks: list[GradientCheck], sizes: dict[str, int], args: argparse.Namespace) -> None:
    listed = ", ".join(f"{name} = {n}" for name, n in sizes.items())
    print(f"{listed}; {args.window} steps, {args.batch} examples, seed {args.seed}")
    print("relative errors against finite differences (along random directions, of single")
    print("entries), reverse mode of the unrolled equations, the native backend (float32)\n")
    width = max(len(_label(check)) for check in checks)
    print(f"{'∂J by':<{width}}  {'directions':>10}  {'entries':>8}  {'unrolled':>8}  {'native':>8}")
    for check in checks:
        native = "-" if check.native is None else f"{check.native:.1e}"
        verdict = "ok" if check.passed(args.tolerance) else "FAILS"
        if check.largest == 0.0 and verdict == "ok":
            verdict = "ok, but zero: J does not depend on it"
        exact = f"{check.directions:>10.1e}  {check.entries:>8.1e}  {check.unrolled:>8.1e}"
        print(f"{_label(check):<{width}}  {exact}  {native:>8}  {verdict}")
    if "native" not in available_backends():
        print("\nthe native backend was not built; its column is empty")
    failed = sum(not check.passed(args.tolerance) for check in checks)
    limit = f"{args.tolerance:g} (native {NATIVE_TOLERANCE:g})"
    print(f"\n{len(checks) - failed} of {len(checks)} gradients agree to {limit}")


def _label(check: GradientCheck) -> str:
    name = {"state": f"{check.name}[0]"}.get(check.kind, check.name)
    return f"{name} ({', '.join(map(str, check.shape))})"
