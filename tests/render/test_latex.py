"""Formulas and pages in LaTeX: exact strings, what the brackets mean, and that TeX can read it."""

import math
import re
import shutil
import subprocess
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given

from bptt.formula.tree import (
    NOW,
    Add,
    Apply,
    Formula,
    Hadamard,
    Index,
    Indexed,
    Neg,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    Symbol,
    Time,
)
from bptt.render import latex
from bptt.render.latex_formula import sign
from bptt.render.latex_text import escape
from latex_reader import value
from written import FORMULAS, HOSTILE_PAGE, NUMBERS, PAGE, h_before

PAGES = Path(__file__).parent / "pages"
# What amsmath and amssymb know, and MathJax with its AMS extension.
KNOWN = """
    alpha theta sigma delta hat tilde bar top circ cdot times partial ldots sum prod frac sqrt left right vert
    mathrm mathbf underset text tanh exp log begin end qquad approx Biggl Biggr textbf
"""
# What a document has besides.
KNOWN_TO_DOCUMENTS = """
    documentclass usepackage allowdisplaybreaks setlength parindent parskip baselineskip title author date
    maketitle section subsection subsubsection textit parbox small raggedright renewcommand arraystretch hline
    setcounter mathindent tocdepth tableofcontents
    item itemsep ttfamily textless textgreater textbar textbackslash textasciicircum textasciitilde texttt
    ensuremath
"""

TABLE = r"""
2
-0.5
10^{-5}
2.5 \cdot 10^{20}
d_{e} + d_{h} + 1
2 d_{h}
h_{t}
h_{t-1}
h_{0}
W_{e}
b_{1}
\theta
\mathrm{foo\_bar}_{t}
W_{\mathrm{i}}
a^{h}_{t}
\delta^{h}_{t}
\delta^{\hat{y}}_{t}
h_{t-1,i}
U_{ij}
W_{e,ij}
b_{1,i}
\delta^{h}_{t,i}
H_{i,j+d_{e}}
(U^{\top})_{ij}
(h_{t-1} H)_{k}
\left(\frac{\partial J}{\partial h_{t}}\right)_{k}
L_{x_{t}}
(W_{e})_{x_{t}}
(U^{\top})_{x_{t}}
h_{t-1} H + L_{x_{t}} I + b_{1}
h_{t} - h_{t-1} - (h_{t} + b_{1})
h_{t} - a^{h}_{t} + b_{1} - 2 b_{1}
-(-h_{t})
-2 h_{t}
h_{t} \cdot 3
(h_{t} \circ h_{t-1}) H
\sigma \cdot (h_{t} + b_{1})
\left(\sum_{k} h_{t,k}\right) h_{t,i}
(\log h_{t}) h_{t}
\delta^{h}_{t} H^{\top} \circ \sigma'(a^{h}_{t})
h_{t} \circ (1 - h_{t})
\frac{1}{V d_{h}}
h_{t-1}^{2}
(\delta^{h}_{t})^{2}
\sqrt{h_{t}}
(\mathrm{e}^{h_{t,i}})^{2}
h_{t-1}^{\top}
(\delta^{h}_{t})^{\top}
(h_{t} + b_{1})^{\top}
\mathrm{softmax}(z_{t})^{\top}
\delta^{h}_{t} \, \mathrm{diag}(h_{t}) H^{\top}
\sigma(a^{h}_{t})
\tanh'(a^{h}_{t})
\mathrm{ReLU}(a^{h}_{t})
\mathrm{step}(a^{h}_{t})
\mathrm{softplus}(a^{h}_{t})
\mathrm{log\,softmax}(z_{t})
\mathrm{logsumexp}(z_{t})
\mathrm{sum}(z_{t})
\sqrt{h_{t} + 1}
\mathrm{e}^{-a^{h}_{t,i}}
\exp\!\left(\sum_{k} h_{t,k}\right)
\exp'(h_{t})
\log \hat{y}_{t,k}
\log(1 + h_{t})
\mathrm{CE}(y_{t}, \hat{y}_{t})
-\sum_{k=1}^{V} y_{t,k} \log \hat{y}_{t,k}
\sum_{t=1}^{T} h_{t-1}^{\top} \delta^{h}_{t}
\sum_{b=1}^{B} J
\prod_{s=T,\ldots,t+1} (\mathrm{diag}(\tanh'(a^{h}_{s})) H^{\top})
\prod_{s=t+1}^{T} D_{s}
\mathbf{1}[j = k + d_{e}]
\mathbf{1}
1
\mathbf{0}
0
\mathbf{I}_{d_{h}}
[h_{t-1}, e_{t}]
\delta^{c}_{t,d_{e}+1:d_{e}+d_{h}}
(\delta^{h}_{t} H^{\top})_{1:d_{e}}
\begin{bmatrix} H & \mathbf{0} \\ \mathbf{0} & \mathbf{I}_{d_{e}} \end{bmatrix}
\begin{bmatrix} 0.123 & -1.5 \cdot 10^{-7} \\ 1234 & 2 \end{bmatrix}
\frac{\partial J}{\partial U_{ij}}
\left.\frac{\partial J}{\partial H}\right\vert_{(t-1)}
\frac{\partial}{\partial U_{ij}} \left(\sum_{k=1}^{d_{h}} h_{t,k} U_{kj}\right)
\left.\frac{\partial}{\partial h_{t-1}} (h_{t-1} H)\right\vert_{(t-1)}
\frac{\partial}{\partial a^{h}_{t}} \tanh(a^{h}_{t})
\frac{\partial J}{\partial h_{t}} \, \frac{\partial h_{t}}{\partial h_{t-1}}
\mathrm{diag}(h_{t})
""".strip().splitlines()


def mathematics(document: str) -> str:
    """A document without what only looks like a command."""
    return re.sub(r"\\[^A-Za-z]", "", document)


def check(text: str, known: str = KNOWN) -> None:
    """Braces, growing brackets and environments are closed, and there are no commands but these."""
    used = set(re.findall(r"\\([A-Za-z]+)", mathematics(text)))
    assert used <= set(known.split())
    depth = 0
    for brace in re.findall(r"[{}]", mathematics(text)):
        depth += 1 if brace == "{" else -1
        assert depth >= 0
    assert depth == 0
    for line in re.split(r"\\\\(?![^{}]*\\end\{bmatrix\})", text):
        assert len(re.findall(r"\\left[^a-z]", line)) == len(re.findall(r"\\right(?:[^a-z]|\\vert)", line)), (
            line
        )
    opened: list[str] = []
    for kind, name in re.findall(r"\\(begin|end)\{([a-z*]+)\}", text):
        if kind == "begin":
            opened.append(name)
        else:
            assert opened.pop() == name
    assert not opened


@pytest.mark.parametrize(("formula", "expected"), list(zip(FORMULAS, TABLE, strict=True)), ids=TABLE)
def test_formulas(formula: Formula, expected: str) -> None:
    assert latex.show(formula, timed=True) == expected
    check(expected)


def test_there_is_a_formula_of_every_kind() -> None:
    assert {type(formula) for formula in FORMULAS} == set(get_args(Formula))


def test_time_t_is_left_out_where_nothing_has_a_step_before() -> None:
    assert latex.show(Symbol("h", (), NOW), timed=False) == "h"
    assert latex.show(h_before, timed=False) == "h_{t-1}"
    assert latex.show(Symbol("h", (), Time("s")), timed=False) == "h_{s}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("=", "="), ("≈", r"\approx"), ("= … +", r"= \ldots +"), ("is", r"\mathrel{\text{is}}"), ("", "")],
)
def test_signs(text: str, expected: str) -> None:
    assert sign(text) == expected


def test_numbers_as_indices_are_kept_apart() -> None:
    assert latex.show(Indexed(Symbol("U"), (Index("1"), Index("12"))), True) == "U_{1,12}"


POINT = {"u": 1.3, "v_{t-1}": 0.7, "a^{h}_{t}": 2.1, "h_{t,i}": 0.4}


def computed(formula: Formula) -> float:
    """The number that a formula of numbers stands for; NaN where there is none."""
    match formula:
        case Number(number):
            return number
        case Symbol() | Indexed():
            return POINT[latex.show(formula, True)]
        case Neg(a):
            return -computed(a)
        case Add(terms):
            return math.fsum(map(computed, terms))
        case Product(factors) | Hadamard(factors):
            return math.prod(map(computed, factors))
        case Quotient(a, b):
            below = computed(b)
            return computed(a) / below if below else math.nan
        case Power(a, exponent):
            return power(computed(a), exponent)
        case Apply(function, a):
            return FUNCTIONS[function](computed(a))
        case Sum(body=body):
            return 3 * computed(body)
    raise TypeError(formula)


def power(base: float, exponent: float) -> float:
    if math.isnan(base) or (base == 0 and exponent < 0) or (base < 0 and exponent == 0.5):
        return math.nan
    return min(base**exponent, 1e100) if abs(base) < 1e30 else math.nan


FUNCTIONS = {
    "exp": lambda a: math.exp(a) if a < 200 else math.nan,
    "log": lambda a: math.log(a) if a > 0 else math.nan,
    "sqrt": lambda a: math.sqrt(a) if a >= 0 else math.nan,
    "sigmoid": lambda a: 1 / (1 + math.exp(-a)) if abs(a) < 200 else math.nan,
}


@given(NUMBERS)
def test_what_is_read_is_what_was_meant(formula: Formula) -> None:
    """Read back by the rules of reading: neither do brackets lack, nor do signs run together."""
    text = latex.show(formula, True)
    check(text)
    expected = computed(formula)
    if math.isfinite(expected) and abs(expected) < 1e30:
        assert value(text, POINT, FUNCTIONS) == pytest.approx(expected, rel=1e-9, abs=1e-9), text


@pytest.mark.parametrize("page", [PAGE, HOSTILE_PAGE], ids=["page", "hostile"])
def test_pages_are_closed_and_know_no_other_commands(page: object) -> None:
    document = latex.render(page)
    check(document, KNOWN + KNOWN_TO_DOCUMENTS)
    assert document.isascii()


def test_the_fragment_is_for_mathjax() -> None:
    fragment = latex.fragment(PAGE)
    check(fragment)
    assert fragment.count("$$") % 2 == 0
    assert "documentclass" not in fragment and "parbox" not in fragment


def test_the_page() -> None:
    assert latex.render(PAGE) == (PAGES / "page.tex").read_text(encoding="utf-8")


def test_long_lines_are_broken_before_signs() -> None:
    document = latex.render(PAGE)
    lines = [line for line in document.splitlines() if line.startswith(r"&\qquad")]
    assert len(lines) >= 4
    assert all(re.match(r"&\\qquad (\+|-|\\circ|\\parbox)", line) for line in lines)
    assert max(map(len, lines)) < 400
    assert r"(h_{0}^{\top} " in document and r"h_{t}) \circ h_{t}" in document


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("50% of $1 & #2", r"50\% of \$1 \& \#2"),
        ("a_b^c ~ {d}", r"a\_b\textasciicircum{}c \textasciitilde{} \{d\}"),
        ("\\input{x}", r"\textbackslash{}input\{x\}"),
        ("ŷ, ŷ and θ̂", r"\^{y}, \^{y} and \ensuremath{\hat{\theta}}"),
        ("σ′ ∘ Hᵀ", r"\ensuremath{\sigma}\ensuremath{'} \ensuremath{\circ} H\ensuremath{^{\top}}"),
        ("Gödel, Erdős, Čech – naïve", r'G\"{o}del, Erd\H{o}s, \v{C}ech -- na\"{i}ve'),
        ("中\x07", r"\texttt{U+4E2D}"),
    ],
)  # fmt: skip
def test_words(words: str, expected: str) -> None:
    assert escape(words) == expected


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex here")
@pytest.mark.parametrize("page", [PAGE, HOSTILE_PAGE], ids=["page", "hostile"])
def test_documents_compile(page: object, tmp_path: Path) -> None:
    (tmp_path / "page.tex").write_text(latex.render(page), encoding="ascii")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=100, check=False)
    output = done.stdout.decode("utf-8", errors="replace")
    assert done.returncode == 0, output[-2000:]
    assert (tmp_path / "page.pdf").stat().st_size > 1000
