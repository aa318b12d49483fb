"""The page about the language says what is so: its examples are read, its tables are those of the parser."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from bptt.errors import EquationError
from bptt.source import Source
from bptt.syntax import parse, parse_equations, parse_latex, to_latex, unparse
from bptt.syntax.expression import PRECEDENCE
from bptt.syntax.lexer import MAX_CHARACTERS
from bptt.syntax.nesting import MAX_DEPTH
from bptt.syntax.tree import FUNCTIONS, JUXTAPOSED, Binary, Equation, children

PAGE = (Path(__file__).parents[2] / "docs" / "language.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```(eq|latex)( error)?\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
READERS = {"eq": parse_equations, "latex": parse_latex}


@pytest.mark.parametrize("language, error, text", EXAMPLES)
def test_examples(language, error, text):
    source = Source("<example>", text)
    if error:
        with pytest.raises(EquationError):
            parse(source)
        return
    document = READERS[language](source)
    assert parse(source) == document
    assert parse_equations(Source("<canonical>", unparse(document))) == document
    if not any(isinstance(node, Binary) and node.operator == "@" for node in walk(document)):
        assert parse_latex(Source("<latex>", to_latex(document))) == document


def walk(document):
    nodes = [statement.value for statement in document.statements if isinstance(statement, Equation)]
    for node in nodes:
        nodes += children(node)
    return nodes


def test_there_are_examples_of_every_kind():
    kinds = {(language, bool(error)) for language, error, _ in EXAMPLES}
    assert kinds == {("eq", False), ("eq", True), ("latex", False), ("latex", True)}


def rows(heading):
    """The cells of the table whose first column has this heading."""
    table = PAGE[PAGE.index(f"| {heading} |") :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


LEVELS = [(re.findall(r"`([^`]+)`", row[0]), "sign" in row[0], row[2]) for row in rows("operators")]


def applied(operator, sign, left, right):
    """An expression of the operator, and the same with brackets around it."""
    text = f"{left}{operator}" if operator == ".T" else f"-{right}" if sign else f"{left} {operator} {right}"
    return text, f"({text})"


def same(text, bracketed):
    read = [parse_equations(Source("<row>", f"v = {t}")) for t in (text, bracketed)]
    return read[0] == read[1]


def test_the_table_names_every_operator():
    binary = [operator for operators, sign, _ in LEVELS if not sign for operator in operators]
    assert sorted(binary) == sorted([*PRECEDENCE, ".T"])


@pytest.mark.parametrize("tighter, looser", list(pairwise(LEVELS)))
def test_precedence_is_that_of_the_table(tighter, looser):
    for strong in tighter[0]:
        for weak in looser[0]:
            if looser[1]:  # the sign: -a ** b is -(a ** b)
                plain, bracketed = applied(strong, False, "a", "b")
                assert same(f"-{plain}", f"-{bracketed}")
            elif tighter[1]:
                assert same(f"-a {weak} b", f"(-a) {weak} b")
                assert same(f"b {weak} -a", f"b {weak} (-a)")
            else:
                plain, bracketed = applied(strong, False, "a", "b")
                assert same(f"c {weak} {plain}", f"c {weak} {bracketed}")
                assert same(f"{plain} {weak} c", f"{bracketed} {weak} c")


@pytest.mark.parametrize("operators, sign, associates", LEVELS)
def test_association_is_that_of_the_table(operators, sign, associates):
    if sign or operators == [".T"]:
        return
    for first in operators:
        for second in operators:
            left, right = f"(a {first} b) {second} c", f"a {first} (b {second} c)"
            assert same(f"a {first} b {second} c", left if associates == "left" else right)
            assert not same(left, right)


def test_the_sign_of_the_undecided_product():
    (statement,) = parse_equations(Source("<row>", "v = a × b")).statements
    assert statement.value.operator == JUXTAPOSED


def test_every_function_is_on_the_page():
    listed = [name for row in rows("function") for name in re.findall(r"`([a-z_]+)", row[0])]
    assert sorted(listed) == sorted(FUNCTIONS)


@pytest.mark.parametrize("row", rows("canonical"))
def test_spellings(row):
    canonical = re.findall(r"`([^`]+)`", row[0])
    for spelling in re.findall(r"`([^`]+)`", row[1]):
        if spelling == "sigma":
            continue
        (statement,) = parse_equations(Source("<row>", f"v = {spelling}")).statements
        text = unparse(statement).removeprefix("v = ")
        assert text in canonical or spelling == "a³", spelling


@pytest.mark.parametrize("row", rows("statement"))
def test_statements(row):
    for text in re.findall(r"`([^`]+)`", row[0]):
        assert unparse(parse_equations(Source("<row>", text))) == text + "\n"


def test_limits_are_those_of_the_page():
    assert f"nest {MAX_DEPTH} levels deep" in PAGE
    assert f"{MAX_CHARACTERS} characters" in PAGE
    at_most = " + ".join(["a"] * MAX_DEPTH)
    assert parse_equations(Source("<row>", f"v = {at_most}")).statements
    with pytest.raises(EquationError):
        parse_equations(Source("<row>", f"v = {at_most} + a"))
