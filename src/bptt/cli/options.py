"""Options made from the fields of `TrainConfig`, and options that several commands share."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import fields
from types import NoneType, UnionType
from typing import Any, get_args, get_type_hints

from bptt.errors import InputError
from bptt.lm.config import TrainConfig, option_name


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
    """One option per field; those that are not given leave no trace in the parsed arguments."""
    types = get_type_hints(TrainConfig)
    for f in fields(TrainConfig):
        option, kind, facts = option_name(f.name), types[f.name], f.metadata
        default = "" if f.default in (None, (), False) else f" (default: {f.default})"
        common: dict[str, Any] = {
            "default": argparse.SUPPRESS,
            "help": facts["help"] + default,
            "dest": f.name,
        }
        if kind is bool:
            parser.add_argument(option, action="store_true", **common)
        elif f.name == "size":
            parser.add_argument(option, action="extend", type=sizes, metavar=facts["metavar"], **common)
        else:
            metavar = "|".join(facts["choices"]) or facts["metavar"]
            parser.add_argument(option, type=_reader(option, kind), metavar=metavar, **common)


def config_options(args: argparse.Namespace) -> dict[str, Any]:
    """The options that were given, by field."""
    given = {f.name: getattr(args, f.name) for f in fields(TrainConfig) if hasattr(args, f.name)}
    if "size" in given:
        given["size"] = tuple(given["size"])
    return given


def _reader(option: str, kind: Any) -> Callable[[str], Any]:
    plain = next(t for t in get_args(kind) if t is not NoneType) if isinstance(kind, UnionType) else kind

    def read(text: str) -> Any:
        try:
            return plain(text)
        except ValueError:
            wanted = "a whole number" if plain is int else "a number"
            raise InputError(f"{option} {text} is not {wanted}") from None

    return read


def sizes(text: str) -> list[tuple[str, int]]:
    """The names and numbers of a --size; InputError if it is not understood."""
    found = []
    for part in text.split(","):
        name, _, number = part.strip().partition("=")
        if not name or not number.isdecimal():
            raise InputError(
                f"--size {text} is not understood",
                hint="it is a name and a number: --size h=256, or e=64,h=256",
            )
        found.append((name, int(number)))
    return found


def number(option: str, kind: type[int] | type[float]) -> Callable[[str], Any]:
    """What reads the value of an option that is a number; InputError if it is none."""
    return _reader(option, kind)


def add_json_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")


def add_backend_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--backend", default="auto", metavar="auto|native|reference", help="what runs the equations"
    )
