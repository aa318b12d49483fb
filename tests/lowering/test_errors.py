"""Every mistake is one diagnostic at the right place."""

import pytest

from bptt.errors import EquationError
from bptt.lowering import lower
from bptt.source import Source
from bptt.syntax import parse

OUTPUT = "yhat = softmax(h @ U + b)\n"


def check_error(text: str, line: int, column: int, message: str, *also: str, name: str = "model.eq") -> None:
    """`text` is refused at that place with that message; the diagnostic shows all of `also`."""
    with pytest.raises(EquationError) as caught:
        lower(parse(Source(name, text)))
    shown = str(caught.value)
    place = caught.value.diagnostic.labels[0].span
    assert (place.line, place.column, caught.value.diagnostic.message) == (line, column, message), shown
    for part in also:
        assert part in shown


NAMES = [
    ("h = tanh(x @ L)\nh = relu(x @ L)\n" + OUTPUT, 2, 1, "h is defined twice", "first here", "again here"),
    ("x = h @ W\n", 1, 1, "x cannot be defined: it is the token at time t"),
    ("y = h @ W\n", 1, 1, "y cannot be defined: it is the token that follows x"),
    ("V = h @ W\n", 1, 1, "V cannot be defined: it is the vocabulary"),
    (
        "h = sigmoid(h @ H + x @ L)\n" + OUTPUT,
        1, 13, "h is defined by itself", "at the same time t", "write h[t-1]",
    ),
    ("a = sigmoid(c @ A)\nc = a @ C\n", 2, 5, "the definitions go in a circle: a needs c needs a", "a[t-1]"),
    ("h = tanh(h[t+1] @ H)\n" + OUTPUT, 1, 10, "h[t+1] lies in the future"),
    ("h = tanh(h[t-101] @ H)\n" + OUTPUT, 1, 10, "h[t-101] lies too far back", "at most 100"),
    ("h = tanh(x @ L[t-1])\n" + OUTPUT, 1, 14, "L[t-1] is used, but nothing defines L", "write L"),
    (
        "h = tanh(x @ L + hh[t-1] @ H)\n" + OUTPUT,
        1, 18, "hh[t-1] is used, but nothing defines hh", "did you mean h?",
    ),
    ("h = tanh(y[t-1] @ L)\n" + OUTPUT, 1, 10, "y[t-1] is not available", "it is the token x"),
    ("h = tanh(x[t-1] + x @ L)\n" + OUTPUT, 1, 10, "x[t-1] can only be multiplied by a matrix", "u[t-1]"),
    ("h = x @ L\nk = x[t-1] @ h.T\n" + OUTPUT, 2, 5, "x[t-1] can only be multiplied by a matrix"),
    ("h = tanh(x @ L)\nh[0] = 0\n" + OUTPUT, 2, 1, "h[0] is given, but h[t-1] is never used"),
    ("h = tanh(x @ L)\nk[0] = 0\n" + OUTPUT, 2, 1, "k[0] is given, but nothing defines k"),
    (
        "h = tanh(h[t-1] @ H)\nh[0] = x @ L\n" + OUTPUT,
        2, 8, "h[0] cannot depend on x", "known only at time t",
    ),
    ("h = tanh(h[t-1] @ H + x @ L)\nh[0] = h[t-1]\n" + OUTPUT, 2, 8, "h[0] cannot depend on h[t-1]"),
    ("h = tanh(x @ L + y @ L)\n" + OUTPUT, 1, 18, "yhat depends on y, the token to be predicted, through h"),
    ("h = tanh(x @ L)\nyhat = softmax(h @ U + y)\n", 2, 24, "yhat depends on y, the token to be predicted"),
    ("h = tanh(x @ L)\nJ = sum(h)\n" + OUTPUT, 2, 1, "J does not depend on yhat"),
]  # fmt: skip

FUNCTIONS = [
    ("h = sigmiod(x @ L)\n" + OUTPUT, 1, 5, "unknown function sigmiod", "did you mean sigmoid?"),
    ("h = zoom(x @ L)\n" + OUTPUT, 1, 5, "unknown function zoom", "there are sigmoid, tanh"),
    ("k = x @ K\nh = k(x @ L)\n" + OUTPUT, 2, 5, "unknown function k", "k is a value: write k * (…)"),
    ("h = tanh(x @ L, 2)\n" + OUTPUT, 1, 5, "tanh takes one argument, not 2"),
    ("h = dropout(x @ L)\n" + OUTPUT, 1, 5, "dropout takes a value and a rate, not 1"),
    ("h = dropout(x @ L, 1)\n" + OUTPUT, 1, 20, "the rate of dropout has to be a number from 0 to below 1"),
    ("h = dropout(x @ L, p)\n" + OUTPUT, 1, 20, "the rate of dropout has to be a number from 0 to below 1"),
    ("h = (x @ L) ** k\n" + OUTPUT, 1, 16, "an exponent has to be a number"),
    ("h = x @ L\ng = softmax(sum(h))\n" + OUTPUT, 2, 13, "softmax of a scalar"),
    ("h = x @ L\ng = softmax(h.T @ h)\n" + OUTPUT, 2, 13, "softmax of a matrix", "(h, h)"),
]

LAYOUT = [
    (
        "e = x @ L\nh = tanh(e @ I + H @ h[t-1])\n" + OUTPUT,
        2, 22, "row and column vectors are mixed", "row vector on the left", "column vector on the right",
    ),
    ("e = L @ x\nh = tanh(e @ I)\n", 2, 10, "row and column vectors are mixed"),
    (
        "e = x @ L\nk = e.T\nh = e + k\n" + OUTPUT,
        3, 5, "a row and a column are mixed", "row (e)", "column (e)",
    ),
    ("e = x @ L\nk = e.T\nh = tanh(k @ W)\n" + OUTPUT, 3, 10, "a column vector stands left of the matrix W"),
    ("e = x @ L\nh = x @ K\nq = h @ e\n" + OUTPUT, 3, 5, "inner sizes differ: h and 1", "a @ b.T"),
]  # fmt: skip

SIZES = [
    (
        "I : k, h\nL : V, e\ne = x @ L\nh = tanh(e @ I)\n" + OUTPUT,
        4, 10, "inner sizes differ: e and k", "(e) (k, h)", "note: I is stated as (k, h) (line 1)",
    ),
    (
        "size e = 3, h = 4\ne = x @ L\nh = tanh(h[t-1] @ H) * e\n" + OUTPUT,
        3, 1, "h and its value have different sizes: h and e", "h is given as 4 (line 1)",
    ),
    (
        "size e = 3, h = 4\ne = x @ L\nh = tanh(x @ H)\nk = h + e\n" + OUTPUT,
        4, 5, "sizes differ: h and e", "h is given as 4 (line 1)",
    ),
    (
        "e = x @ L\nh = tanh([h[t-1], e])\n" + OUTPUT,
        2, 1, "h and its value have different sizes: h and e + h",
    ),
    ("e = x @ L\nS = e.T @ e\nh = e + S\n" + OUTPUT, 3, 5, "shapes differ: a vector and a matrix", "(e, e)"),
    (
        "L : h, V\nh = tanh(x @ L)\n" + OUTPUT,
        2, 10, "inner sizes differ: V and h", "L is stated as (h, V) (line 1)",
    ),
    (
        "H : 3, 4\nh = tanh(h[t-1] @ H + x @ L)\n" + OUTPUT,
        2, 1, "h and its value have different sizes: 3 and 4",
    ),
    ("yhat = softmax(x @ L @ W)\n", 1, 20, "nothing determines the size of L", "e = x @ L"),
    ("h = x @ L\nyhat = softmax(h @ U + sum(w))\n", 2, 28, "nothing determines the size of w"),
    (
        "h = tanh(h[t-1] @ H + x @ L)\nh[0] = tanh(L)\n" + OUTPUT,
        2, 8, "h[0] has to have the shape of h", "(V, h)",
    ),
    ("size V = 9\nh = tanh(x @ L)\n" + OUTPUT, 1, 6, "V cannot be given: it is the size of the vocabulary"),
    (
        "size hh = 9\nh = tanh(x @ L)\n" + OUTPUT,
        1, 6, "no vector is called hh, so it has no size to give", "mean h?",
    ),
    ("size L = 9\nh = tanh(x @ L)\n" + OUTPUT, 1, 6, "L is no vector, so it has no size to give"),
    ("size h = 9, h = 8\nh = tanh(x @ L)\n" + OUTPUT, 1, 13, "the size h is given twice"),
    (
        "size c = 9\ne = x @ L\nc = [h[t-1], e]\nh = tanh(c @ W)\n" + OUTPUT,
        1, 6, "the size of c cannot be given: it is e + h",
    ),
    ("size h = 9\nh = tanh(x @ L)\nyhat = softmax(h)\n", 3, 1, "yhat is no distribution over the vocabulary"),
    ("W : h, h\nh = tanh(x @ L)\n" + OUTPUT, 1, 1, "W is given a shape, but no equation uses it"),
    (
        "LL : V, h\nh = tanh(x @ L)\n" + OUTPUT,
        1, 1, "LL is given a shape, but no equation uses it", "mean L?",
    ),
    ("x : h\nh = tanh(x @ L)\n" + OUTPUT, 1, 1, "the size of x cannot be h"),
    ("x : 9\nh = tanh(x @ L)\n" + OUTPUT, 1, 1, "x is a vector of size V: the token at time t"),
    ("b : h, h, h\nh = tanh(x @ L)\n" + OUTPUT, 1, 1, "b is given 3 dimensions"),
]  # fmt: skip

OUTPUTS = [
    ("h = tanh(x @ L)\nyhat = h @ U\n", 2, 1, "yhat is no distribution", "softmax"),
    (
        "h = tanh(x @ L)\nyhat = log_softmax(h @ U)\n",
        2, 1, "yhat is no distribution", "these are its logarithms",
    ),
    (
        "h = tanh(x @ L)\na = sigmoid(h @ w)\nyhat = a * softmax(h @ U) + (1 - a) * softmax(h @ W)\n",
        3, 1, "yhat is no distribution", "a weight has to be a scalar", "w : h, 1",
    ),
    (
        "h = tanh(x @ L)\na = tanh(sum(h))\nyhat = a * softmax(h @ U) + (1 - a) * softmax(h @ W)\n",
        3, 1, "yhat is no distribution",
    ),
    (
        "h = tanh(x @ L)\na = sigmoid(sum(h))\nyhat = a * softmax(h @ U) + (2 - a) * softmax(h @ W)\n",
        3, 1, "yhat is no distribution",
    ),
    ("p = softmax(x @ L)\nq = softmax(x @ K)\n", 1, 1, "several definitions could be the output: p, q"),
    ("k = x @ K\nS = S[t-1] + k.T @ k\n", 2, 1, "nothing is the distribution of the next token"),
    ("x[t+1] ~ q\nh = tanh(x @ L)\n", 1, 10, "q is stated to be the output, but nothing defines it"),
    ("x[t+1] ~ p\np = softmax(x @ L)\nx[t+1] ~ q\nq = softmax(x @ K)\n", 3, 1, "two outputs are stated"),
    ("h = tanh(x @ L)\nJ = y * log(yhat)\n" + OUTPUT, 2, 1, "J has to be one number for each token", "(V)"),
]  # fmt: skip

TEX = [
    (r"$$h_t = \tanh(W x_t + h_{t-1} U)$$", 1, 23, "row and column vectors are mixed"),
    (
        "$$z_t = \\sigma(W x_t)$$\n$$h_t = z_t h_{t-1} + z_t$$\n$$p_t = \\mathrm{softmax}(U h_t)$$\n",
        2, 9, "two column vectors stand side by side", r"\odot",
    ),
    (r"$$h_t = \tanh(W x_t + U h_{t+1})$$", 1, 25, "h_{t+1} lies in the future"),
    (r"$$h_t = \tanh(W x_t + U h_t)$$", 1, 25, "h is defined by itself"),
    ("$$h_t = \\tanh(W x_t)$$\n$$h_t = \\tanh(U x_t)$$", 2, 3, "h is defined twice"),
]  # fmt: skip


@pytest.mark.parametrize("case", [*NAMES, *FUNCTIONS, *LAYOUT, *SIZES, *OUTPUTS], ids=lambda case: case[3])
def test_equations(case: tuple) -> None:
    check_error(*case)


@pytest.mark.parametrize("case", TEX, ids=lambda case: case[3])
def test_latex(case: tuple) -> None:
    check_error(*case, name="model.tex")


def test_the_diagnostic_in_full() -> None:
    text = (
        "size e = 64, h = 128\ne = x @ L\nh = sigmoid(h[t-1] @ H + x @ I + b1)\nk = h @ K + e @ K\nK : h, k\n"
        + OUTPUT
    )
    with pytest.raises(EquationError) as caught:
        lower(parse(Source("rnn.eq", text)))
    assert str(caught.value) == (
        "rnn.eq:4:13: error: inner sizes differ: e and h\n"
        "   4 | k = h @ K + e @ K\n"
        "     |             ^   ^\n"
        "     |             (e) (h, k)\n"
        "  note: e is given as 64 (line 1)\n"
        "  note: h is given as 128 (line 1)\n"
        "  note: K is stated as (h, k) (line 5)"
    )
