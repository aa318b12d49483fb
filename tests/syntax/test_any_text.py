"""Whatever the text: a document or an EquationError within the text, and soon."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bptt.errors import EquationError
from bptt.source import Source
from bptt.syntax import parse, parse_equations, parse_latex, to_latex, unparse
from bptt.syntax.lexer import MAX_CHARACTERS
from strategies import documents

READERS = (parse, parse_equations, parse_latex)
PIECES = [
    *"{}()[]_^$\\&,;=+-*/.~@:|'<>tTxhe013 \n#%\"é𝒳\x00ŷθ₁²ᵀ∈",
    *[
        r"\\",
        r"\frac",
        r"\sqrt",
        r"\sum",
        r"\text{",
        r"\mathrm{",
        r"\left(",
        r"\right.",
        r"\begin{aligned}",
        r"\end{aligned}",
        r"\begin{bmatrix}",
    ],
    *[
        r"\end{bmatrix}",
        r"\begin{cases}",
        r"\hat",
        r"\mathbf{",
        r"\mathbf",
        r"^{(t)}",
        r"_{t-1}",
        r"\in",
        r"\mathbb{R}",
        r"\mathbb",
        r"\sim",
        r"\tanh",
    ],
    *[
        r"\log",
        r"\overbrace{",
        r"e^",
        r"p(",
        r"\quad",
        r"\text{size}(",
        r"\text{let}",
        r"t=1,2,3",
        r"\partial",
        r"\delta",
        r"\sigma",
        r"\$",
        r"\[",
        r"\]",
        r"CE(",
        r"f(",
    ],
    *[r"h[t-1]", r"h[0]", r"size", r"\operatorname{a\_b}"],
    "h\u0302",
]


def check(text):
    source = Source("<any>", text)
    for reader in READERS:
        try:
            document = reader(source)
        except EquationError as error:
            assert str(error)
            for label in error.diagnostic.labels:
                assert 0 <= label.span.start <= label.span.end <= len(text)
        else:
            assert unparse(document) and to_latex(document)


@given(st.text(max_size=60))
def test_random_text(text):
    check(text)


@given(st.binary(max_size=60))
def test_random_bytes(data):
    check(data.decode("latin-1"))


@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_random_pieces(text):
    check(text)


@given(documents(), st.sampled_from([unparse, to_latex]), st.randoms(use_true_random=False))
def test_mutated_models(document, write, random: random.Random):
    text = write(document)
    for _ in range(random.randint(1, 4)):
        place = random.randrange(len(text) + 1)
        text = text[:place] + random.choice([*PIECES, ""]) + text[place + random.randint(0, 3) :]
    check(text)


@pytest.mark.parametrize(
    "piece",
    [
        "{", "(", "[", "^(", "x^{", "x_{", "a", "ŷ", "a\n", "h = a\n", "h = a \\\\", "a+", "- ", "p(", "t=1,",
        "W_a, ", "$", r"\text{", r"\left(", r"\frac{a}", r"\hat{", r"\mathbf{", r"\begin{equation}",
        r"\begin{bmatrix}",
    ],
)  # fmt: skip
def test_work_grows_with_the_length_only(piece):
    """Long texts of one piece: where the work grows with the square of the length, this takes minutes."""
    text = ("h = " + piece * (MAX_CHARACTERS // 10))[: MAX_CHARACTERS // 10]
    start = time.process_time()
    for reader in (parse_equations, parse_latex):
        try:
            reader(Source("<long>", text))
        except EquationError as error:
            assert error.diagnostic.labels[0].span.line >= 1
    assert time.process_time() - start < 5
