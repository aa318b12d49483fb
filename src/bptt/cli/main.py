"""The `bptt` command: finds the subcommand, runs it, and shows a user's mistake as one diagnostic.

Exit codes: 0, 1 (the work ran and the answer is no), 2 (bad input), 130 (interrupted).
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from bptt.errors import BpttError, InputError

# Subcommand: its module in this package, and what `bptt --help` says of it. Modules are loaded when they are
# called.
COMMANDS = {
    "models": ("models", "list the shipped models, or print the equations of one"),
    "train": ("train", "train a model on a text"),
    "evaluate": ("evaluate", "perplexity of a trained model on a text"),
    "sample": ("sample", "draw text from a trained model"),
    "score": ("score", "log-probability of each line of a text"),
    "derive": ("derive", "the gradients of a model, derived and explained"),
    "check": ("check", "check the gradients that a document derives"),
    "gradcheck": ("gradcheck", "check every gradient of a model"),
    "flow": ("flow", "how far gradients reach back in time"),
    "show": ("show", "the program that the compiler makes of a model"),
    "cost": ("cost", "what a model costs: operations, memory, and what dominates"),
}

# Names that other programs give to options of ours.
OTHER_NAMES = {
    "--learning-rate": "--lr",
    "--batch-size": "--batch",
    "--bptt": "--window",
    "--sequence-length": "--window",
    "--max-steps": "--steps",
    "--hidden-size": "--size",
    "--tokenizer": "--tokens",
    "--output": "--run",
}

INTERRUPTED = 130


class Parser(argparse.ArgumentParser):
    """An argparse parser whose mistakes are diagnostics of ours, with the nearest option that there is."""

    def error(self, message: str) -> NoReturn:
        raise InputError(message, hint=f"{self.prog} --help shows what there is")

    def parse_all(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Like `parse_args`; an option that is none is an InputError that names the nearest."""
        parsed, extra = self.parse_known_intermixed_args(arguments)
        if not extra:
            return parsed
        options = {option: option for option in self._option_string_actions if option.startswith("--")}
        options |= {other: ours for other, ours in OTHER_NAMES.items() if ours in options}
        near = difflib.get_close_matches(extra[0].split("=")[0], options, 1)
        kind = "option" if extra[0].startswith("-") else "argument"
        hint = f"did you mean {options[near[0]]}?" if near else f"{self.prog} --help shows what there is"
        raise InputError(f"{self.prog} knows no {kind} {extra[0]}", hint=hint)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; the exit code."""
    try:
        code = _dispatch(list(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
        return code
    except BpttError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has gone (`bptt … | head`). What is still buffered must not fail again when Python exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _dispatch(arguments: list[str]) -> int:
    parser = _overview()
    if not arguments:
        parser.print_help(sys.stderr)
        return InputError.exit_code
    if arguments[0].startswith("-"):
        parser.parse_all(arguments)
        return 0
    name = arguments[0]
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, 1)
        raise InputError(
            f"there is no command {name!r}",
            hint=f"did you mean {near[0]}?" if near else "bptt --help lists the commands",
        )
    module_name, summary = COMMANDS[name]
    module = importlib.import_module(f"bptt.cli.{module_name}")
    parser = Parser(
        prog=f"bptt {name}",
        description=module.__doc__ or summary,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    return int(module.run(parser.parse_all(arguments[1:])))


def _overview() -> Parser:
    width = max(map(len, COMMANDS))
    listed = "\n".join(f"  {name:<{width}}  {summary}" for name, (_, summary) in COMMANDS.items())
    parser = Parser(
        prog="bptt",
        usage="bptt COMMAND …",
        description="Language models from their equations.\n\ncommands:\n" + listed,
        epilog="bptt COMMAND --help shows what a command takes.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"bptt {_version()}")
    return parser


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("bptt")
    except PackageNotFoundError:
        return "(not installed)"
