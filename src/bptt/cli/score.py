"""The natural log-probability of each line of a text, one number a line.

Each line is scored on its own, whatever the lines before it. For a model of lines that is ln p(line </s> |
<s>). A model of streams does not predict a line's first token. With --tokens each token has a line: the
token, a tab, its log-probability, and `unknown` where the vocabulary lacks it; an empty line ends each line
of the text.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from bptt.cli.options import add_backend_argument, add_json_argument
from bptt.lm.language_model import LanguageModel, TokenScore
from bptt.text.corpus import STANDARD_INPUT, read_bytes, read_text
from bptt.text.tokenizer import split_lines


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="RUN", help="a run folder or a model file")
    parser.add_argument(
        "text", nargs="?", default=STANDARD_INPUT, metavar="FILE", help="default: standard input"
    )
    parser.add_argument("--tokens", action="store_true", help="each token's log-probability")
    add_backend_argument(parser)
    add_json_argument(parser)


def run(args: argparse.Namespace) -> int:
    lm = LanguageModel.load(args.model, args.backend)
    read = read_bytes if lm.tokenizer.any_bytes else read_text
    lines = lm.score_lines(split_lines(read(args.text)))
    for scores in lines:
        print(_json(scores, args.tokens) if args.json else _plain(scores, args.tokens))
    total, unknown = sum(map(len, lines)), sum(s.unknown for scores in lines for s in scores)
    if unknown:
        print(f"note: {unknown:,} of {total:,} tokens ({unknown / total:.2%}) are unknown", file=sys.stderr)
    return 0


def _plain(scores: Sequence[TokenScore], tokens: bool) -> str:
    if not tokens:
        return f"{_total(scores):.6f}"
    return "".join(
        f"{_visible(s.token)}\t{s.log_probability:.6f}" + ("\tunknown\n" if s.unknown else "\n")
        for s in scores
    )


def _json(scores: Sequence[TokenScore], tokens: bool) -> str:
    result: dict[str, object] = {
        "log_probability": _total(scores),
        "tokens": len(scores),
        "unknown": sum(s.unknown for s in scores),
    }
    if tokens:
        result["scores"] = [[s.token, s.log_probability] for s in scores]
    return json.dumps(result)


def _total(scores: Sequence[TokenScore]) -> float:
    return sum(s.log_probability for s in scores)


def _visible(token: str) -> str:
    """White space as Python spells it, so that a token keeps to its place in the line."""
    return repr(token)[1:-1] if token.isspace() and token != " " else token
