"""Whatever the text: a document or an EquationError within the text, and soon."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import documents

from bptt.errors import EquationError
from bptt.source import Source
from bptt.syntax import parse, parse_equations, parse_latex, to_latex, unparse
from bptt.syntax.lexer import MAX_CHARACTERS

READERS = (parse, parse_equations, parse_latex)
PIECES = (
    list("{}()[]_^$\\&,;=+-*/.~@:|'<>tTxhe013 \n#%\"é𝒳\x00") + ["ŷ", "θ", "₁", "²", "ᵀ", "∈", "h\u0302"]
    + r"\\ \frac \sqrt \sum \text{ \mathrm{ \left( \right. \begin{aligned} \end{aligned} \begin{bmatrix} \end{bmatrix} "
    r"\begin{cases} \hat \mathbf{ \mathbf ^{(t)} _{t-1} \in \mathbb{R} \mathbb \sim \overbrace{ \tanh \log e^ p( \quad "
    r"\text{size}( \text{let} t=1,2,3 \partial \delta \sigma \$ \[ \] size h[t-1] h[0] CE( f( \operatorname{a\_b}".split()
)  # fmt: skip


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
        "{", "(", "[", "^(", "x^{", "x_{", "a", "ŷ", "a\n", "h = a\n", "h = a \\\\", "a+", "- ", "p(", "t=1,", "W_a, ",
        r"\text{", r"\left(", r"\frac{a}", r"\hat{", "$", r"\begin{equation}", r"\begin{bmatrix}", r"\mathbf{",
    ],
)  # fmt: skip
def test_work_grows_with_the_length_only(piece):
    """Long texts of one piece: the quadratic ways that a lexer or a search for brackets can have take minutes."""
    text = ("h = " + piece * (MAX_CHARACTERS // 4))[: MAX_CHARACTERS // 4]
    start = time.process_time()
    for reader in (parse_equations, parse_latex):
        try:
            reader(Source("<long>", text))
        except EquationError as error:
            assert error.diagnostic.labels[0].span.line >= 1
    assert time.process_time() - start < 10
