"""List the shipped models, or print the equations of one."""

from __future__ import annotations

import argparse
import json

from bptt.cli.options import add_json_argument
from bptt.models import shipped, source_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="the model to print")
    add_json_argument(parser)


def run(args: argparse.Namespace) -> int:
    if args.name is not None:
        text = source_of(args.name).text
        print(json.dumps({"name": args.name, "equations": text}) if args.json else text.rstrip("\n"))
        return 0
    titles = shipped()
    if args.json:
        print(json.dumps([{"name": name, "title": title} for name, title in titles.items()]))
        return 0
    width = max(map(len, titles))
    for name, title in titles.items():
        print(f"{name:<{width}}  {title}")
    return 0
