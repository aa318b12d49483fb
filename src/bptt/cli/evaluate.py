"""How well a trained model predicts a text: perplexity, nats and bits per token, bits per character.

Each text begins anew. A model of lines reads each line as a sentence. Words that the vocabulary lacks are
scored as the unknown token, and counted. Results of several texts are added up.
"""

from __future__ import annotations

import argparse
import json

from bptt.cli.figures import show_nats, show_perplexity
from bptt.cli.options import add_backend_argument, add_json_argument
from bptt.errors import InputError
from bptt.lm.language_model import LanguageModel
from bptt.lm.scoring import Score
from bptt.text.corpus import read_bytes, read_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="RUN", help="a run folder or a model file")
    parser.add_argument("texts", nargs="+", metavar="TEXT", help="files to score, - for standard input")
    parser.add_argument(
        "--fast",
        action="store_true",
        help="read a long text in parts, each after a little of what is before it: nearly as exact",
    )
    add_backend_argument(parser)
    add_json_argument(parser)


def run(args: argparse.Namespace) -> int:
    lm = LanguageModel.load(args.model, args.backend)
    read = read_bytes if lm.tokenizer.any_bytes else read_text
    score = Score()
    for name in args.texts:
        score += lm.evaluate(read(name), exact=not args.fast)
    if not score.tokens:
        raise InputError("there is nothing to predict in " + ", ".join(args.texts))
    print(json.dumps(score.as_dict()) if args.json else describe(score))
    return 0


def describe(score: Score) -> str:
    """The score in words and numbers, one a line."""
    return "\n".join(
        f"{name:<19}{value:>14}"
        for name, value in (
            ("tokens", f"{score.tokens:,}"),
            ("perplexity", show_perplexity(score.nats_per_token, 3)),
            ("nats per token", show_nats(score.nats_per_token)),
            ("bits per token", show_nats(score.bits_per_token)),
            ("bits per character", show_nats(score.bits_per_character)),
            ("unknown", f"{score.unknown:,} ({score.unknown_rate:.2%})"),
        )
    )
