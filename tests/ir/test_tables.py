"""Every table that is keyed by operations answers for each of them, and docs/operations.md says the same as
the code.
"""

import re
from pathlib import Path

import pytest

from bptt.autodiff.rules import RULES
from bptt.backends.assembly import SELECTION, UNARY
from bptt.backends.kernels import KERNELS
from bptt.ir.build import _CONSTRUCTORS
from bptt.ir.expr import SHAPE_RULES
from bptt.ir.ops import ELEMENTWISE, FACTS, LEAVES, VARYING, Op
from bptt.ir.text import NOTATION

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"

# Table, and the operations for which it declares to have no answer.
TABLES = {
    "facts": (FACTS, set()),
    "shape rules": (SHAPE_RULES, set()),
    "notation": (NOTATION, set()),
    "derivative rules": (RULES, LEAVES),
    "kernels": (KERNELS, LEAVES),
    "instruction selection": (SELECTION | UNARY, set()),
}


@pytest.mark.parametrize("name", TABLES)
def test_every_operation_is_answered(name: str) -> None:
    table, without = TABLES[name]
    assert set(table) | without == set(Op)
    assert not set(table) & without, "an exception that is none"


def test_no_operation_is_selected_twice() -> None:
    assert not set(SELECTION) & set(UNARY)


def test_groups_of_operations() -> None:
    assert VARYING < LEAVES and not LEAVES & ELEMENTWISE
    assert {op for op in LEAVES if not FACTS[op].cheap} == set()
    assert not set(_CONSTRUCTORS) & LEAVES


def test_meanings_are_said_once() -> None:
    assert len({facts.meaning for facts in FACTS.values()}) == len(Op)
    assert len({rule.name for rule in RULES.values()}) == len(RULES)


def page_rows() -> list[list[str]]:
    """The cells of every row of the page that is about an operation."""
    rows = re.findall(r"^\| `([A-Z_]+)` \|(.*)\|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return [[op, *(cell.strip() for cell in rest.split(" | "))] for op, rest in rows]


def test_the_page_has_one_row_for_each_operation_in_order() -> None:
    assert [row[0] for row in page_rows()] == [op.name for op in Op]


@pytest.mark.parametrize("row", page_rows(), ids=lambda row: row[0])
def test_the_page_says_what_the_code_says(row: list[str]) -> None:
    op = Op[row[0]]
    facts = FACTS[op]
    if op in LEAVES:
        _, attribute, _, meaning = row
    else:
        _, _, attribute, meaning, name, formula = row
        assert (name, formula) == (RULES[op].name, RULES[op].formula)
    assert (attribute, meaning) == (facts.attr, facts.meaning)
