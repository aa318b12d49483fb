"""Check derivations of gradients in a document: for every claim whether it is right, and if not, what is
wrong and what would be right.

DOCUMENT is Markdown, LaTeX, a notebook or plain text (- reads it from standard input). The exit code is 0 if
nothing is wrong, 1 if something is, and 2 if a document cannot be read; the others are checked all the same.
"""

from __future__ import annotations

import argparse
import importlib
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from bptt.checking import report_csv, report_html, report_json, report_markdown, report_text
from bptt.checking.annotate import annotate
from bptt.checking.documents import FORMS
from bptt.checking.files import STANDARD_INPUT, Opened, open_document
from bptt.checking.report import Report
from bptt.cli.options import number
from bptt.errors import BpttError, InputError
from bptt.formula.shapes import LAYOUTS
from bptt.lm.model import understand
from bptt.models import source_of

FORMATS = ("terminal", "markdown", "html", "json", "csv")
# What a file's name says of the format of a report, where --to does not.
ENDINGS = {".md": "markdown", ".html": "html", ".htm": "html", ".json": "json", ".csv": "csv"}
NARROWEST, WIDEST = 40, 100
SOUND, WRONG = 0, 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("documents", nargs="+", metavar="DOCUMENT", help="a file, or - for standard input")
    parser.add_argument(
        "--model", metavar="FILE|NAME", help="the equations to judge by (default: those of DOCUMENT)"
    )
    parser.add_argument(
        "--layout", metavar="|".join(LAYOUTS), help="how vectors lie (default: as in DOCUMENT)"
    )
    parser.add_argument(
        "--form", metavar="|".join(FORMS), help="how DOCUMENT is written (default: what its name says)"
    )
    parser.add_argument("--all", action="store_true", help="list also what is correct")
    parser.add_argument(
        "--explain", type=number("--explain", int), metavar="LINE", help="derive what line LINE claims"
    )
    parser.add_argument(
        "--to", metavar="|".join(FORMATS), help="the format (default: terminal, or what FILE's name says)"
    )
    parser.add_argument("-o", dest="output", metavar="FILE", help="write the report to a file")
    parser.add_argument(
        "--annotate", metavar="OUT", help="a copy of DOCUMENT with comments; of several, OUT is a folder"
    )
    parser.add_argument("--quiet", action="store_true", help="print no report, the exit code says it")
    parser.add_argument("--json", action="store_true", help="the same as --to json: a line a document")


def run(args: argparse.Namespace) -> int:
    form = _format(args)
    _check_options(args)
    if args.explain is not None:
        return _explain(args)
    code = SOUND

    def checked() -> Iterator[Report]:
        nonlocal code
        for path in args.documents:
            try:
                document = open_document(path, args.form)
                report = _check(document, args)
                if args.annotate is not None:
                    copy = annotate(report, document.form, document.original)
                    _save(_copy_path(path, args), copy, args.quiet)
            except BpttError as error:
                print(error, file=sys.stderr)
                code = InputError.exit_code
                continue
            code = max(code, SOUND if report.is_sound else WRONG)
            yield report

    texts = _written(checked(), form, args)
    if args.output is not None:
        if whole := "".join(texts):
            _save(Path(args.output), whole, args.quiet)
        return code
    for text in texts:
        if not args.quiet:
            sys.stdout.write(text)
            sys.stdout.flush()
    return code


def _format(args: argparse.Namespace) -> str:
    if args.json and args.to not in (None, "json"):
        raise InputError(f"--json and --to {args.to} ask for two formats", hint="leave one of them out")
    form = "json" if args.json else args.to
    if form is None:
        ending = "" if args.output is None else Path(args.output).suffix.lower()
        form = ENDINGS.get(ending, "terminal")
    if form not in FORMATS:
        raise InputError(f"there is no format {form!r}", hint="one of " + ", ".join(FORMATS))
    return str(form)


def _check_options(args: argparse.Namespace) -> None:
    """What would be wrong with every document is said once, and before any work is done."""
    if args.layout not in (None, *LAYOUTS):
        raise InputError(f"there is no layout {args.layout!r}", hint="one of " + ", ".join(LAYOUTS))
    if args.form not in (None, *FORMS):
        raise InputError(f"there is no form {args.form!r}", hint="one of " + ", ".join(FORMS))
    if args.model is not None:
        understand(source_of(args.model))
    if args.explain is not None and len(args.documents) > 1:
        raise InputError("--explain takes one document", hint="a line is one of one document")
    targets = [] if args.output is None else [Path(args.output)]
    if args.annotate is not None:
        copies = [_copy_path(path, args) for path in args.documents]
        if len(set(copies)) < len(copies):
            where = "documents of the same name" if Path(args.annotate).is_dir() else "several documents"
            raise InputError(
                f"{where} cannot all be written to {args.annotate}",
                hint="of several documents, OUT is a folder",
            )
        targets += copies
    for target in targets:
        if any(_is_same(target, path) for path in args.documents):
            raise InputError(f"{target} is the document itself", hint="name another file to write to")


def _is_same(target: Path, path: str) -> bool:
    try:
        return path != STANDARD_INPUT and target.samefile(path)
    except (OSError, ValueError):  # one of them is not there, or has a name that no file can have
        return False


def _copy_path(path: str, args: argparse.Namespace) -> Path:
    """Where the annotated copy goes: to OUT, or under the document's own name into it if it is a folder."""
    out = Path(args.annotate)
    return out / ("stdin.md" if path == STANDARD_INPUT else Path(path).name) if out.is_dir() else out


def _check(document: Opened, args: argparse.Namespace) -> Report:
    if document.form == "notebook" and args.annotate is not None:
        raise InputError(
            f"{document.source.name} is a notebook, and these cannot be annotated",
            hint="make Markdown of it: jupyter nbconvert --to markdown",
        )
    check: Callable[..., Report] = importlib.import_module("bptt.checking.check").check_document
    return check(document.source, model=args.model, layout=args.layout, form=document.form)


def _explain(args: argparse.Namespace) -> int:
    """Prints what `explain_line` says of the line: it is text, each line of it ended."""
    document = open_document(args.documents[0], args.form)
    last = document.source.text.rstrip("\n").count("\n") + 1
    if not 1 <= args.explain <= last:
        raise InputError(
            f"{document.source.name} has no line {args.explain}", hint=f"its lines are 1 to {last}"
        )
    explain: Callable[..., str] = importlib.import_module("bptt.checking.explain").explain_line
    text = explain(
        document.source, args.explain, model=args.model, layout=args.layout, form=document.form,
        columns=_columns(), colour=sys.stdout.isatty(),
    )  # fmt: skip
    sys.stdout.write(text)
    return SOUND


def _written(reports: Iterator[Report], form: str, args: argparse.Namespace) -> Iterator[str]:
    """The reports as text, each as soon as it is there, except in HTML, where all are one page."""
    if form == "html":
        found = list(reports)
        if found:
            yield report_html.render(found)
        return
    colour = args.output is None and sys.stdout.isatty()
    for count, report in enumerate(reports):
        match form:
            case "json":
                yield report_json.render(report)
            case "csv":
                yield report_csv.header() * (count == 0) + report_csv.render(report)
            case "markdown":
                yield "\n" * (count > 0) + report_markdown.render(report, args.all)
            case _:
                yield "\n\n" * (count > 0) + report_text.render(report, _columns(), colour, args.all)


def _columns() -> int:
    return max(NARROWEST, min(shutil.get_terminal_size((80, 24)).columns, WIDEST))


def _save(path: Path, text: str, quiet: bool) -> None:
    try:
        path.write_bytes(text.encode())
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"cannot write {path}: {reason}", hint="name another file") from None
    if not quiet:
        print(f"wrote {path}", file=sys.stderr)
