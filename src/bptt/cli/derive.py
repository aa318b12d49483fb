"""The gradients of a model, derived step by step, with the rule of every step and the reason.

Without --of all gradients are derived, from the loss backwards: each value, parameter, the input, and what
was carried in. --of NAME derives one (a parameter, a value, `x`, or `h[t-1]`) with what leads to it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

from bptt.derivation.board import OBJECTIVES
from bptt.derivation.whole import Derivations, derive_model
from bptt.errors import InputError
from bptt.formula.shapes import LAYOUTS
from bptt.lm.model import understand
from bptt.models import source_of
from bptt.render import html, latex, markdown, terminal
from bptt.render.derivation_json import derivation_data
from bptt.render.derivation_page import NOTATIONS, derivation_page

FORMATS = ("terminal", "markdown", "latex", "html", "json")
# What a file's name says of its format, where --to does not.
ENDINGS = {".md": "markdown", ".tex": "latex", ".html": "html", ".htm": "html", ".json": "json"}
NARROWEST, WIDEST = 40, 160


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a shipped model, a file, or the equations themselves")
    parser.add_argument("--of", metavar="NAME", help="the gradient by one quantity: H, h, x, h[t-1], …")
    parser.add_argument(
        "--explain", action="store_true", help="say where each transpose and each order comes from"
    )
    parser.add_argument("--shapes", action="store_true", help="the shape under every factor")
    parser.add_argument(
        "--notation", default="both", metavar="|".join(NOTATIONS), help="elements, matrices, or both"
    )
    parser.add_argument("--layout", metavar="|".join(LAYOUTS), help="how vectors lie (default: as in MODEL)")
    parser.add_argument(
        "--objective", default=OBJECTIVES[0], metavar="|".join(OBJECTIVES), help="what J is, and so its sign"
    )
    parser.add_argument("--batch", action="store_true", help="B examples at once instead of one")
    parser.add_argument(
        "--unroll", type=int, default=0, metavar="T", help="also written out for T steps, one term a step"
    )
    parser.add_argument(
        "--to", metavar="|".join(FORMATS), help="the format (default: terminal, or what FILE's name says)"
    )
    parser.add_argument("-o", dest="output", metavar="FILE", help="write to a file")
    parser.add_argument(
        "--width", type=int, metavar="N", help=f"columns, {NARROWEST} to {WIDEST} (default: the terminal's)"
    )
    parser.add_argument("--json", action="store_true", help="the same as --to json")


def run(args: argparse.Namespace) -> int:
    output = None if args.output is None else Path(args.output)
    if args.width is not None and not NARROWEST <= args.width <= WIDEST:
        raise InputError(f"--width {args.width} is not possible", hint=f"{NARROWEST} to {WIDEST} columns")
    form = _format(args, output)
    if args.notation not in NOTATIONS:
        raise InputError(f"there is no notation {args.notation!r}", hint="one of " + ", ".join(NOTATIONS))
    derivations = derive_model(
        understand(source_of(args.model)),
        args.of,
        layout=args.layout,
        objective=args.objective,
        batch=args.batch,
        unroll=args.unroll,
    )
    text = _write(derivations, form, args)
    if output is None:
        sys.stdout.write(text)
    else:
        _save(output, text)
        print(f"wrote {output}", file=sys.stderr)
    return 0


def _format(args: argparse.Namespace, output: Path | None) -> str:
    if args.json and args.to not in (None, "json"):
        raise InputError(f"--json and --to {args.to} ask for two formats", hint="leave one of them out")
    form = "json" if args.json else args.to
    if form is None:
        form = "terminal" if output is None else ENDINGS.get(output.suffix.lower(), "terminal")
    if form not in FORMATS:
        raise InputError(f"there is no format {form!r}", hint="one of " + ", ".join(FORMATS))
    return str(form)


def _write(derivations: Derivations, form: str, args: argparse.Namespace) -> str:
    if form == "json":
        return json.dumps(derivation_data(derivations), ensure_ascii=False, indent=1) + "\n"
    page = derivation_page(
        derivations,
        notation=args.notation,
        shapes=args.shapes,
        explain=args.explain,
        graph=form in ("html", "markdown"),
        times=form != "terminal",
    )
    match form:
        case "markdown":
            return markdown.render(page)
        case "latex":
            return latex.render(page)
        case "html":
            return html.render(page)
    columns = args.width or shutil.get_terminal_size((80, 24)).columns
    colour = args.output is None and sys.stdout.isatty()
    return terminal.render(page, max(NARROWEST, min(columns, WIDEST)), colour)


def _save(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"cannot write {path}: {reason}", hint="name another file with -o") from None
