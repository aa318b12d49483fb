"""Documents that nobody meant: refused or read in part, in bounded time, and never with a traceback."""

import random
import time
from contextlib import suppress
from pathlib import Path

import pytest

from bptt.checking.check import check_document
from bptt.checking.documents import document_source
from bptt.errors import BpttError
from checking.test_any_document import PIECES

DOCUMENTS = sorted(
    p for p in (Path(__file__).parent / "documents").glob("*.*") if p.suffix in (".md", ".tex")
)
MODEL = (
    r"$$z = W x + b, \quad h = \tanh(z), \quad s = U h, \quad p = \text{softmax}(s), \quad J = CE(y, p)$$"
    "\n\n"
)
CLAIM = MODEL + r"$$\frac{\partial J}{\partial b} = "
MANY = 100_000
SECONDS = 4.0  # of processor time, on a slow machine

HOSTILE = {
    "a megabyte of braces": "{" * 1_000_000,
    "a megabyte of braces in a formula": "$$" + "{}" * 500_000 + "$$",
    "deep nesting": "$$" + "{" * MANY + "x" + "}" * MANY + "$$",
    "deep brackets": CLAIM + "(" * 9000 + "x" + ")" * 9000 + "$$",
    "deep fractions": CLAIM + r"\frac{" * 2500 + "x" + "}{y}" * 2500 + "$$",
    "deep scripts": "$$a" + "_{a" * 4000 + "}" * 4000 + "$$",
    "scripts in a row": "$$a" + "_{1}" * 4000 + "$$",
    "bars in a row": "$$a=" + "|_t" * 6000 + "$$",
    "accents": "$$" + r"\hat{" * 2500 + "a" + "}" * 2500 + "$$",
    "commands that are each other": r"\newcommand{\a}{\b\b}\newcommand{\b}{\a\a}$$\a = \b$$",
    "a command that doubles its argument": r"\newcommand{\a}[1]{\a{#1#1}}$$\a{x}$$",
    "commands that double": "".join(
        rf"\newcommand{{\a{chr(97 + i)}}}{{\a{chr(98 + i)}\a{chr(98 + i)}}}" for i in range(25)
    )
    + r"$$\aa$$",
    "any bytes": bytes(range(256)) * 4000,
    "zeros": "\x00" * 1_000_000,
    "zeros in a formula": "$$" + "\x00" * 15_000 + "$$",
    "half characters": "$$\ud800 = \udfff$$",
    "nothing is closed": r"$$ a = \left( \frac{ \begin{cases} \begin{aligned} \text{ \sqrt[ " * 2000,
    "dollars": "$ " * 500_000,
    "beginnings": r"\begin{align}" * 50_000,
    "comments": "<!--" * 200_000,
    "headers": "<!-- bptt:" * 100_000,
    "a long header": "<!-- bptt: " + "a=a\n" * 20_000 + "-->",
    "ticks": "``` " * 200_000,
    "percents": "% " * 400_000,
    "a chain of equalities": CLAIM + "x = " * 4000 + "x$$",
    "many claims": MODEL + r"$$\frac{\partial J}{\partial b} = U^T(p-y)$$" * 2000,
    "many equations": "".join(f"$$a_{{{i}}} = W_{{{i}}} a_{{{i + 1}}}$$" for i in range(1000))
    + r"$$\frac{\partial J}{\partial a_1} = a_2$$",
    "many cases": CLAIM + r"\begin{cases}" + r" x & i=j \\" * 1000 + r"\end{cases}$$",
    "many sums": CLAIM + r"\sum_i " * 2500 + "x$$",
    "a long number": CLAIM + "9" * 10_000 + "$$",
    "towers": CLAIM + r"9^{9^{9^{99999}}} x^{99999999} 99^{9999}$$",
    "long indices": CLAIM + "x_{999999999999}^{(999999999999)} = x_{" + "9" * 400 + "}$$",
    "long sums": CLAIM + r"\sum_{t=1}^{999999999} h_t = \prod_{k=1}^{10000000} h_k$$",
    "what doubles": MODEL
    + "$$v_a = x$$"
    + "".join(f"$$v_{chr(98 + i)} = v_{chr(97 + i)} \\circ v_{chr(97 + i)}$$" for i in range(25))
    + r"$$\frac{\partial J}{\partial b} = v_z$$",
    "what defines itself": r"$$a = a + a$$ $$J = J$$ $$W = W^T W$$ $$b = c, c = b$$"
    r"$$\frac{\partial J}{\partial a} = 1$$",
    "conditions": "for $i=k$ " * 5000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_documents_take_no_time(name: str) -> None:
    begin = time.process_time()
    with suppress(BpttError):
        check_document(document_source("notes.md", HOSTILE[name]))
    assert time.process_time() - begin < SECONDS


@pytest.mark.parametrize("seed", range(24))
def test_damaged_documents_are_judged_without_an_error(seed: int) -> None:
    rng = random.Random(seed)
    path = DOCUMENTS[seed % len(DOCUMENTS)]
    text = path.read_text(encoding="utf-8")
    for _ in range(rng.randint(1, 12)):
        place = rng.randrange(len(text) + 1)
        piece = rng.choice(
            [*PIECES, "_{t-1}", "^T", "_{ij}", "^{(t)}", "=", "dW", r"\sum_i", r"\begin{cases}"]
        )
        other = rng.randrange(len(text) + 1)
        inserted = rng.choice([piece, "", text[other : other + rng.randint(1, 60)]])
        text = text[:place] + inserted + text[place + rng.randint(0, 5) :]
    report = check_document(document_source(path.name, text))
    for claim in report.claims:
        assert claim.verdict in ("correct", "convention", "wrong", "undecided")
        assert claim.verdict != "undecided" or claim.missing
