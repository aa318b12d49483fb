"""Draw text from a trained model."""

from __future__ import annotations

import argparse
import json
import secrets
import sys

from bptt.cli.options import add_backend_argument, add_json_argument, number
from bptt.lm.language_model import LanguageModel


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="RUN", help="a run folder or a model file")
    parser.add_argument("--prompt", default="", metavar="TEXT", help="what the text begins with")
    parser.add_argument(
        "--length",
        type=number("--length", int),
        default=500,
        metavar="N",
        help="how many tokens (default: 500)",
    )
    parser.add_argument(
        "--temperature",
        type=number("--temperature", float),
        default=1.0,
        metavar="T",
        help="less than 1 is more careful, 0 takes the likeliest token (default: 1)",
    )
    parser.add_argument(
        "--top-k",
        type=number("--top-k", int),
        default=0,
        metavar="K",
        help="only the K likeliest tokens (default: all)",
    )
    parser.add_argument(
        "--top-p",
        type=number("--top-p", float),
        default=1.0,
        metavar="P",
        help="only the likeliest tokens that together have this probability",
    )
    parser.add_argument(
        "--seed",
        type=number("--seed", int),
        metavar="N",
        help="the same seed draws the same text (default: a new one)",
    )
    add_backend_argument(parser)
    add_json_argument(parser)


def run(args: argparse.Namespace) -> int:
    lm = LanguageModel.load(args.model, args.backend)
    seed = secrets.randbelow(1 << 31) if args.seed is None else args.seed
    text = lm.sample(args.prompt, args.length, args.temperature, args.top_k, args.top_p, seed)
    if args.json:
        print(json.dumps({"text": text, "seed": seed}))
        return 0
    sys.stdout.write(text if text.endswith("\n") else text + "\n")
    return 0
