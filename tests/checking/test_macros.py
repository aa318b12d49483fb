"""An author's own commands are expanded; what comes of them has the place of their use."""

from itertools import pairwise

import pytest

from bptt.checking.statements import read
from bptt.checking.written import Differential, Letter, Reading, Unread, walk
from bptt.source import Source
from checking.compact import compact_statement


def reading(text: str) -> Reading:
    return read(Source("notes.tex", text))


def shown(text: str) -> list[str]:
    return [compact_statement(statement) for statement in reading(text).statements]


@pytest.mark.parametrize(
    ("definition", "use", "expected"),
    [
        (r"\newcommand{\vh}{\mathbf{h}}", r"\vh_t", "h_[t]"),
        (r"\newcommand\vh{h}", r"\vh^{(t)}", "h^[(t)]"),
        (r"\newcommand{\pd}[2]{\frac{\partial #1}{\partial #2}}", r"\pd{J}{W_1}", "D[J; W_[1]]"),
        (r"\newcommand{\pd}[2][J]{\frac{\partial #1}{\partial #2}}", r"\pd{W}", "D[J; W]"),
        (r"\newcommand{\pd}[2][J]{\frac{\partial #1}{\partial #2}}", r"\pd[L]{W}", "D[L; W]"),
        (r"\newcommand*{\T}{^{\top}}", r"h\T", "h^[top]"),
        (r"\renewcommand{\vec}[1]{\mathbf{#1}}", r"\vec{x}", "x"),
        (r"\providecommand{\R}{\mathbb{R}}", r"x \in \R^n", "x ∈ R^[n]"),
        (r"\def\half{\frac12}", r"\half x", "<frac[1; 2] x>"),
        (r"\def\inner#1#2{#1^T #2}", r"\inner ab", "<a^[T] b>"),
        (r"\DeclareMathOperator{\softmax}{softmax}", r"\softmax(z)", "softmax@(z)"),
        (r"\DeclareMathOperator*{\argmin}{arg\,min}", r"\argmin_x f", "argmin_[x]@(f)"),
        (r"\newcommand{\a}{\b}\newcommand{\b}{x + y}", r"2 (\a)", "<2 (x + y)>"),
        (r"\newcommand{\twice}[1]{#1 + #1}", r"\twice{h_{t}}", "h_[t] + h_[t]"),
        (r"\newcommand{\power}[1]{x^{#12}}", r"\power{n}", "x^[<n 2>]"),
    ],
)
def test_definitions_are_expanded(definition: str, use: str, expected: str) -> None:
    assert shown(f"{definition}\n\nThus ${use}$.") == [expected]


def test_a_definition_may_stand_in_a_formula() -> None:
    assert shown(r"$$ \newcommand{\E}{\mathcal{E}} \E = 1 $$ and $\E$") == ["E = 1", "E"]


def test_a_commented_definition_is_none() -> None:
    assert shown("% \\newcommand{\\log}{x}\n$\\log y$") == ["log@(y)"]


def test_places_point_at_the_use() -> None:
    text = r"\newcommand{\pd}[2]{\frac{\partial #1}{\partial #2}}  $a = \pd{J}{W}$"
    (statement,) = reading(text).statements
    derivative = statement.links[0].right
    assert isinstance(derivative, Differential)
    assert derivative.span.text == r"\pd{J}{W}"
    assert derivative.bottom.span.text == "W"
    assert isinstance(derivative.top, Letter) and derivative.top.span.text == "J"


@pytest.mark.parametrize(
    "definition",
    [
        r"\newcommand{\a}{\a}",
        r"\newcommand{\a}{x \a \a}",
        r"\newcommand{\a}{\b}\newcommand{\b}{\a}",
        r"\newcommand{\a}[1]{\a{#1 #1}}",
    ],
)
def test_a_command_that_is_defined_by_itself_is_refused(definition: str) -> None:
    found = reading(f"{definition} $x = \\a{{y}}$ and then $c = d$")
    assert {part.reason for part in found.unread} == {"this command is defined by itself"}
    assert any(isinstance(part, Unread) for part in walk(found.statements[0].links[0].right))
    assert compact_statement(found.statements[-1]) == "c = d"


def test_expansion_is_bounded() -> None:
    names = "abcdefghijklmnopqrstuvwxyz"
    bombs = "".join(rf"\newcommand{{\{one}}}{{\{two}\{two}}}" for one, two in pairwise(names))
    found = reading(bombs + r" $\a$ and $x = \foo$ and $u = v$")
    assert {part.reason for part in found.unread} == {"this expands to too much"}
    assert compact_statement(found.statements[-1]) == "u = v"


@pytest.mark.parametrize(
    "text",
    [r"\newcommand{\a}{", r"\newcommand{\a}[", r"\newcommand", r"\def\a", r"\newcommand{\a}[2]{#1} $\a$"],
)
def test_unfinished_definitions_are_harmless(text: str) -> None:
    assert all(compact_statement(statement) for statement in reading(text + "\n\n$x = y$").statements)
    assert shown(text + "\n\n$x = y$")[-1] == "x = y"
