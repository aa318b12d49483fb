"""What LaTeX says that is not understood gives one diagnostic, at its place in the text, with what to do."""

import pytest

from bptt.errors import EquationError
from bptt.source import Source
from bptt.syntax import parse_latex


@pytest.mark.parametrize(
    "text, line, column, message, marked",
    [
        (r"$x$ and $y$", 1, 1, "no equations", ""),
        ("Let $h = x", 1, 5, "never closed", "$"),
        ("so\n\\begin{align} a &= b", 2, 1, "never closed", r"\begin{align}"),
        (r"h_t = \tanh(W x_t", 1, 12, "never closed", "("),
        (r"h_t = \frac{a}{b", 1, 15, "never closed", "{"),
        ("h_t = \\tanh(W x_t\np_t = W h_t", 1, 12, "never closed", "("),
        (r"$h_t = \tanh(W x_t \\ p_t = W h_t$", 1, 13, "never closed", "("),
        (r"h_t = a}", 1, 8, "closes no brace", "}"),
        (r"h_t = \tanh(x))", 1, 15, "not understood here", ")"),
        (r"W_r", 1, 1, "no equation", "W_r"),
        (r"h_t \tanh(x)", 1, 1, "no equation", r"h_t \tanh(x)"),
        ("a_t = x_t \\\\\nb_t \\approx a_t", 2, 5, r"`\approx` makes no equation", r"\approx"),
        (r"= a", 1, 1, "nothing stands to the left", "= a"),
        (r"h_t + 1 = a", 1, 1, "left side of an equation is a single name", "h_t + 1"),
        (r"W x = a", 1, 1, "left side of an equation is a single name", "W x"),
        (r"$$h_t = $$", 1, 8, "expression is missing", ""),
        (r"h_t = a +", 1, 9, "operand is missing after `+`", "+"),
        (r"h_t = W \otimes x", 1, 9, "not understood", r"\otimes"),
        (r"h_t = W \foo x", 1, 9, "not understood", r"\foo"),
        (r"h_t = |x|", 1, 7, "not understood", "|"),
        (r"h_t = \sigma'(x)", 1, 13, "not understood", "'"),
        (r"h_t = W^{-1} x", 1, 8, "no inverse", "^{-1}"),
        (r"h_t = h_{t,j}", 1, 8, "index is not understood", "_{t,j}"),
        (r"J = -\log \hat{y}_k", 1, 18, "index is not understood", "_k"),
        (r"h_t = (x)_i", 1, 10, "index on an expression", "_i"),
        (r"h_t = h_{t-1}^{(t)}", 1, 7, "two times", "h_{t-1}^{(t)}"),
        (r"h_t = x_t + h_2", 1, 14, "one fixed step", "_2"),
        (r"h_t = x_t + h_0", 1, 13, "only on the left side", "h_0"),
        (r"h_t = a t", 1, 9, "`t` is the time step", "t"),
        (r"h_t = e^{x_t} e", 1, 7, "could be two things", "e^{x_t}"),
        (r"s = \sum_j W_{kj} h_j", 1, 5, "sum over an index", r"\sum"),
        (r"J = -\sum_i y_i \log \hat{y}_k", 1, 29, "index is not understood", "_k"),
        (r"J = -\sum_i y_i \log \theta", 1, 6, "sum over an index", r"\sum"),
        (r"J = \text{CE}(a, b)", 1, 5, "cross-entropy", r"\text{CE}(a, b)"),
        (r"a = \tanh W x", 1, 5, "where does the argument", r"\tanh W x"),
        (r"a = \tanh", 1, 5, "lacks its argument", r"\tanh"),
        (r"a = \log_2(x)", 1, 9, "mark on `log`", "_2"),
        (r"a = \sqrt[3]{x}", 1, 10, "square roots", "["),
        (r"a = \sqrt", 1, 5, "lacks an argument", r"\sqrt"),
        (r"a = \hat{W x}", 1, 5, "accent", r"\hat"),
        (r"a = \begin{cases} b \end{cases}", 1, 5, "not understood", r"\begin{cases}"),
        (r"a = 3.5.2", 1, 5, "two numbers", "3.5.2"),
        (r"a = (b, c)", 1, 5, "hold one expression", "(b, c)"),
        (r"x \sim p \\ h_t \sim p", 1, 13, "only the next token", r"h_t \sim p"),
        (r"p(x_{t+1} | x_t) = \text{softmax}(s)", 1, 20, "not a single name", r"\text{softmax}(s)"),
        (r"\text{size}(h) = n + 1", 1, 1, "size is not understood", r"\text{size}(h) = n + 1"),
        (r"a_", 1, 2, "nothing follows", "_"),
        (r"a_{} = b", 1, 2, "index is empty", "_{}"),
    ],
)
def test_diagnostic(check_error, text, line, column, message, marked):
    check_error(text, line, column, message, marked, reader=parse_latex)


@pytest.mark.parametrize(
    "piece",
    ["(", "{", "-", "x^{", "[a, ", r"\frac{", r"\tanh ", "a + ", "a ", r"\overbrace{", r"\hat{", "e^{"],
)
def test_nesting_is_bounded(piece):
    with pytest.raises(EquationError):
        parse_latex(Source("<test>", "h = " + piece * 20_000 + "a"))
