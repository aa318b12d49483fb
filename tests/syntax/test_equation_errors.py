"""Each mistake in the equation language gives one diagnostic, at its place, with what to do."""

import pytest

from bptt.errors import EquationError
from bptt.source import Source
from bptt.syntax import parse_equations
from bptt.syntax.lexer import MAX_CHARACTERS
from bptt.syntax.nesting import MAX_DEPTH


@pytest.mark.parametrize(
    "text, line, column, message, marked",
    [
        ("", 1, 1, "no equations", ""),
        ("# only a comment\n", 1, 1, "no equations", ""),
        ("h = (a + b\nc = d", 1, 5, "never closed", "("),
        ("h = tanh(a\n", 1, 9, "never closed", "("),
        ("h = [a, (b + c]", 1, 15, "does not close", "]"),
        ("h = a)", 1, 6, "closes no bracket", ")"),
        ("h = a ! b", 1, 7, "unexpected character `!`", "!"),
        ("h = a^2", 1, 6, "unexpected character `^`", "^"),
        ("h = a; c = d", 1, 6, "unexpected character `;`", ";"),
        ("h = aé", 1, 6, "unexpected character `é`", "é"),
        ("h = a'", 1, 6, "unexpected character `'`", "'"),
        ("h = a + ", 1, 7, "operand is missing after `+`", "+"),
        ("h = a + * b", 1, 9, "operand is missing before `*`", "*"),
        ("h = ", 1, 3, "operand is missing after `=`", "="),
        ("h = f()", 1, 7, "operand is missing before `)`", ")"),
        ("h == a", 1, 3, "`==`", "=="),
        ("e = x\nh + a", 2, 3, "`=` is missing after `h`", "+"),
        ("h", 1, 1, "`=` is missing after `h`", "h"),
        ("h.T = a", 1, 2, "`=` is missing", ".T"),
        ("h = a c = d", 1, 7, "second statement", "c"),
        ("h = a = b", 1, 7, "second `=`", "="),
        ("h = a b", 1, 7, "operator is missing", "b"),
        ("h = (a b)", 1, 8, "operator is missing", "b"),
        ("h = 2(a)", 1, 6, "operator is missing", "("),
        ("shape H h", 1, 1, "unknown statement `shape`", "shape"),
        ("= a", 1, 1, "nothing stands to the left", "="),
        ("2 = a", 1, 1, "cannot begin a statement", "2"),
        ("h = h[1]", 1, 6, "not a time", "[1]"),
        ("h = h[t*2]", 1, 6, "not a time", "[t*2]"),
        ("h = h[t-k]", 1, 6, "not a time", "[t-k]"),
        ("h = h[0]", 1, 6, "only on the left side", "[0]"),
        ("h[t-1", 1, 2, "never closed", "["),
        ("h = f(a)[t-1]", 1, 9, "only a name can have a time", "["),
        ("h = t @ W", 1, 5, "`t` is the time step", "t"),
        ("h = tanh", 1, 5, "`tanh` is a function", "tanh"),
        ("softmax = a", 1, 1, "`softmax` is a function", "softmax"),
        ("size h = 0", 1, 10, "positive whole number", "0"),
        ("size h = 1.5", 1, 10, "positive whole number", "1.5"),
        ("size h = -3", 1, 10, "positive whole number", "-3"),
        ("size e = 4, h = k", 1, 17, "positive whole number", "k"),
        ("size h", 1, 6, "`=` after `h` is missing", "h"),
        ("size h = 4 e = 5", 1, 12, "second statement", "e"),
        ("H : h,", 1, 3, "dimension is missing", ":"),
        ("H : h, 2.5", 1, 8, "positive whole number", "2.5"),
        ("y ~ p", 1, 1, "only the next token", "y"),
        ("h = [a]", 1, 5, "at least two parts", "[a]"),
        ("h = (a, b)", 1, 5, "holds one expression", "(a, b)"),
        ("h = 1e999", 1, 5, "too large", "1e999"),
    ],
)
def test_diagnostic(check_error, text, line, column, message, marked):
    check_error(text, line, column, message, marked, reader=parse_equations)


def test_the_look_of_a_diagnostic(check_error):
    error = check_error("e = x @ L\nh = tanh(a]", 2, 11, "does not close")
    assert str(error) == (
        "<test>:2:11: error: `]` does not close `(`\n"
        "   2 | h = tanh(a]\n"
        "     |         ^ ^\n"
        "     |         opened here\n"
        "  hint: write `)`"
    )


@pytest.mark.parametrize("piece", ["(", "-", "[a, ", "f(", "a ** ", "a + ", "a @ "])
def test_nesting_is_bounded(piece):
    with pytest.raises(EquationError, match=f"nested more than {MAX_DEPTH} levels"):
        parse_equations(Source("<test>", "h = " + piece * 20_000 + "a"))


def test_length_is_bounded(check_error):
    check_error("#" * (MAX_CHARACTERS + 1), 1, 1, "a model may have", reader=parse_equations)
