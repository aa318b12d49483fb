"""The equation language: what is read, and its canonical spelling."""

import pytest

from bptt.source import Source
from bptt.syntax import parse, parse_equations, unparse
from bptt.syntax.tree import (
    JUXTAPOSED,
    Binary,
    Call,
    Document,
    Equation,
    InitialState,
    Name,
    Negate,
    Number,
    OutputStatement,
    ShapeStatement,
    SizeStatement,
    Transpose,
)
from strategies import SPAN


def name(id, lag=0):
    return Name(id, lag, span=SPAN)


def binary(operator, left, right):
    return Binary(operator, left, right, SPAN, SPAN)


def read(text):
    return parse_equations(Source("<test>", text))


def value(text):
    (statement,) = read(f"v = {text}").statements
    return statement.value


def test_every_statement():
    document = read(
        "# a comment\n"
        "size e = 64, h = 128\n"
        "H : h, 32  # checked\n"
        "c : ()\n"
        "\n"
        "h[0] = 0\n"
        "h = tanh(h[t-1] @ H)\n"
        "x[t+1] ~ yhat\n"
    )
    assert document == Document(
        (
            SizeStatement(name("e"), 64, SPAN),
            SizeStatement(name("h"), 128, SPAN),
            ShapeStatement(name("H"), (name("h"), Number(32.0, SPAN)), SPAN),
            ShapeStatement(name("c"), (), SPAN),
            InitialState(name("h"), Number(0.0, SPAN), SPAN),
            Equation(name("h"), Call("tanh", (binary("@", name("h", 1), name("H")),), SPAN, SPAN), SPAN),
            OutputStatement(name("yhat"), SPAN),
        ),
        document.source,
    )


@pytest.mark.parametrize(
    "text, tree",
    [
        ("-a**2", Negate(binary("**", name("a"), Number(2.0, SPAN)), SPAN)),
        ("a @ b * c", binary("*", binary("@", name("a"), name("b")), name("c"))),
        ("a * b @ c", binary("*", name("a"), binary("@", name("b"), name("c")))),
        ("-a @ b", binary("@", Negate(name("a"), SPAN), name("b"))),
        ("a - b - c", binary("-", binary("-", name("a"), name("b")), name("c"))),
        ("a / b * c", binary("*", binary("/", name("a"), name("b")), name("c"))),
        ("a ** b ** c", binary("**", name("a"), binary("**", name("b"), name("c")))),
        ("a ** b.T", binary("**", name("a"), Transpose(name("b"), SPAN))),
        ("a @ b.T", binary("@", name("a"), Transpose(name("b"), SPAN))),
        ("a × b", binary(JUXTAPOSED, name("a"), name("b"))),
        ("f(x)", Call("f", (name("x"),), SPAN, SPAN)),
        ("h[t]", name("h")),
        ("h[t-2]", name("h", 2)),
        ("h[ t + 1 ]", name("h", -1)),
        ("2.5e-3", Number(0.0025, SPAN)),
        ("2.T", Transpose(Number(2.0, SPAN), SPAN)),
    ],
)
def test_expressions(text, tree):
    assert value(text) == tree


@pytest.mark.parametrize(
    "spelling, canonical",
    [
        ("a ∘ b", "a * b"),
        ("a ⊙ b", "a * b"),
        ("a · b", "a * b"),
        ("a − b", "a - b"),
        ("θ @ Ω", "theta @ Omega"),
        ("σ(x)", "sigmoid(x)"),
        ("sigma(x)", "sigmoid(x)"),
        ("ReLU(x) + ln(x)", "relu(x) + log(x)"),
        ("σ", "sigma"),
        ("ŷ", "yhat"),
        ("y\u0302", "yhat"),
        ("y_hat", "yhat"),
        ("h\u0303", "htilde"),
        ("b₁", "b1"),
        ("b_1", "b1"),
        ("W_1_2", "W12"),
        ("W_e", "W_e"),
        ("a²", "a ** 2"),
        ("a^T", "a.T"),
        ("aᵀ @ b^⊤", "a.T @ b.T"),
        ("((a + b)) * c", "(a + b) * c"),
        ("(a * b) + (c)", "a * b + c"),
        ("a - (b - c)", "a - (b - c)"),
        ("(-a) ** 2 + a ** (-b)", "(-a) ** 2 + a ** (-b)"),
        ("h[t-0] + 1.50", "h + 1.5"),
        ("softmax(a +\n  b, [c,\n d])", "softmax(a + b, [c, d])"),
    ],
)
def test_spellings(spelling, canonical):
    assert unparse(value(spelling)) == canonical


def test_spans_are_the_characters_as_written():
    text = "# ŷ first\nŷ = softmax((h @ U) + b₁)"
    (statement,) = read(text).statements
    plus = statement.value.arguments[0]
    assert statement.target.span.text == "ŷ"
    assert statement.span.text == "ŷ = softmax((h @ U) + b₁)"
    assert statement.value.function_span.text == "softmax"
    assert plus.left.span.text == "(h @ U)"
    assert plus.left.operator_span.text == "@"
    assert (plus.right.span.text, plus.right.span.line, plus.right.span.column) == ("b₁", 2, 23)


def test_unparse_gathers_sizes_and_ends_lines():
    text = "size e = 64, h = 128\ne = x @ L\nsize V = 3\n"
    assert unparse(read(text)) == text


def test_a_comment_does_not_make_the_text_latex():
    assert unparse(parse(Source("<test>", "h = x @ W  # costs $5, not \\frac{1}{2}"))) == "h = x @ W\n"


def test_windows_line_ends():
    assert len(read("e = x @ L\r\nh = tanh(e)\r\n").statements) == 2
