"""The report in a terminal: its order, its words, and carets that stand where the fault is."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bptt.checking.documents import Notebook
from bptt.checking.excerpt import excerpt
from bptt.checking.findings import findings, headline, lines_named, remarks
from bptt.checking.report import Claim, Remark, Report
from bptt.checking.report_text import render
from bptt.render.boxes import width
from bptt.source import Source, Span
from checking.reports import notes, span_of

GOLDEN = """\
notes.md: 5 claims: 1 correct, 1 under a convention, 2 wrong (1 follows from
another), 1 undecided

the model as read
  z = x @ W + b
  h = sigmoid(z)
  yhat = softmax(h @ U)
J is the log-likelihood.

what runs through the document
  - J is taken for the log-likelihood: it is nowhere defined (lines 6-8, 12)

line 7, column 34: wrong (order): ∂J/∂h
   7 | \\frac{\\partial J}{\\partial h} &= U^T (y - \\hat{y}) \\\\
     |                                  ^^^
  mend: (y - \\hat{y}) U^T
  why: y - ŷ is a row, and a row stands to the left of the matrix that it is
       multiplied with.
  in numbers: nothing comes out of it (Uᵀ: 7×3, y - ŷ: 1×7); right is [0.31
              -0.12 0.08]
  line 8, column 34: ∂J/∂z follows from line 7
    mend: (y - \\hat{y}) U^T \\circ h \\circ (1 - h)

line 13, column 39: undecided: ∂J/∂q
  13 | Also $\\frac{\\partial J}{\\partial q} = r$.
     |                                       ^
  missing: q and r are not defined in the document
"""
CORRECT = """
what is correct
     6 ≈ ∂J/∂U  correct under a convention
     9 ✓ ∂J/∂W  correct; read as z before its σ
"""


def report(text: str, *claims: Claim, **more: object) -> Report:
    source = claims[0].span.source if claims else Source("a.md", text)
    return Report(source, "", "", claims, **more)  # type: ignore[arg-type]


def wrong_at(source: Source, line: int, follows_from: int | None = None) -> Claim:
    start = sum(len(one) + 1 for one in source.text.split("\n")[: line - 1])
    return Claim(
        source.span(start, start + 1), f"∂J/∂q{line}", "wrong", kind="sign", follows_from=follows_from
    )


def test_what_is_printed() -> None:
    assert render(notes()) == GOLDEN


def test_all_claims_if_asked_for() -> None:
    assert render(notes(), everything=True) == GOLDEN + CORRECT


def test_a_target_that_is_wide_has_its_verdict_below() -> None:
    source = Source("a.md", "x\ny\n")
    long = "∂J/∂" + "q" * 60
    claims = (
        Claim(source.span(0, 1), long, "correct"),
        Claim(source.span(2, 3), "∂J/∂y", "correct", reading="y, twice"),
    )
    *_, first, below, second = render(report("", *claims), everything=True).splitlines()
    assert first == f"     1 ✓ {long}"
    assert below.strip() == "correct" and below.index("correct") == second.index("correct")


def test_colour_changes_no_text() -> None:
    plain, coloured = render(notes(), everything=True), render(notes(), colour=True, everything=True)
    assert "\x1b[" in coloured and "\x1b" not in plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


@pytest.mark.parametrize("columns", [40, 60, 100])
def test_lines_fit(columns: int) -> None:
    found = notes()
    words = replace(found.claims[1], reason="because of this and that " * 20, reading="so or so " * 30)
    found = replace(found, claims=(found.claims[0], words, *found.claims[2:]))
    lines = render(found, columns, everything=True).splitlines()
    assert max(map(width, lines)) <= columns
    assert not any(line != line.rstrip() for line in lines)


# The first line.


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        ([], "a.md: no claims about derivatives were found"),
        (["correct"], "a.md: 1 claim: 1 correct"),
        (["wrong", "correct", "wrong"], "a.md: 3 claims: 1 correct, 2 wrong"),
        (["undecided"] * 2, "a.md: 2 claims: 2 undecided"),
    ],
)
def test_counts(verdicts: list[str], said: str) -> None:
    source = Source("a.md", "abc")
    claims = [Claim(source.span(n, n + 1), "", verdict) for n, verdict in enumerate(verdicts)]
    assert headline(report("", *claims)) == said


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ((3,), "line 3"),
        ((3, 4), "lines 3, 4"),
        ((5, 3, 4, 4, 9), "lines 3-5, 9"),
        ((1, 2, 3, 7, 8, 9, 10), "lines 1-3, 7-10"),
    ],
)
def test_lines_are_named(numbers: tuple[int, ...], said: str) -> None:
    assert lines_named(numbers) == said


# Roots and what follows from them.


def test_a_chain_is_listed_under_its_root() -> None:
    source = Source("a.md", "a\nb\nc\nd\ne\n")
    claims = [wrong_at(source, *at) for at in [(1,), (2, 1), (3,), (4, 2), (5, 3)]]
    found = findings(report("", *claims))
    assert [(f.root.line, [c.line for c in f.consequences]) for f in found] == [(1, [2, 4]), (3, [5])]
    out = render(report("", *claims))
    assert "3 follow from others" in out
    assert "line 4, column 1: ∂J/∂q4 follows from line 2" in out
    assert out.index("∂J/∂q4") < out.index("line 3, column 1")


def test_two_on_one_line() -> None:
    source = Source("a.md", "a\n")
    claims = Claim(source.span(0, 1), "p", "wrong"), Claim(source.span(0, 1), "q", "wrong", follows_from=1)
    (found,) = findings(report("", *claims))
    assert found.root.target == "p" and [c.target for c in found.consequences] == ["q"]


def test_what_follows_from_no_wrong_claim_is_shown_by_itself() -> None:
    source = Source("a.md", "a\nb\nc\n")
    out = render(report("", wrong_at(source, 2, 1)))
    assert "line 2, column 1: wrong (sign)" in out and "follows from: line 1" in out


@given(st.lists(st.one_of(st.none(), st.integers(0, 9)), min_size=1, max_size=8))
def test_every_wrong_claim_is_shown_once(before: list[int | None]) -> None:
    source = Source("a.md", "a\n" * 8)
    claims = [wrong_at(source, line, b) for line, b in enumerate(before, 1)]
    found = findings(report("", *claims))
    shown = [c.line for f in found for c in (f.root, *f.consequences)]
    assert sorted(shown) == list(range(1, len(before) + 1))


# Conventions.


def test_a_convention_is_said_once_with_its_lines() -> None:
    source = Source("a.md", "a\nb\nc\nd\n")
    claims = [
        Claim(source.span(n, n + 1), "q", "convention", convention=c)
        for n, c in ((0, "C"), (2, "D"), (4, "C"))
    ]
    assert remarks(report("", *claims)) == [Remark("C", (1, 3)), Remark("D", (2,))]
    said = Remark("C, as in line 1", (1, 3, 4))
    assert remarks(report("", *claims, remarks=(said,))) == [said, Remark("D", (2,))]
    same = Remark("in other words", (3, 1))
    assert remarks(report("", *claims, remarks=(same,))) == [same, Remark("D", (2,))]


def test_a_claim_in_a_notebook_names_its_cell() -> None:
    source = Notebook("a.ipynb", "one\n\ntwo\nthree\n", cells=((0, 1), (5, 4)))
    out = render(report("", Claim(span_of(source, "three"), "q", "wrong")))
    assert "line 4, column 1 (cell 4, line 2, column 1): wrong" in out


# Carets.


def rows(text: str, start: int, end: int, columns: int = 80) -> list[tuple[str, str]]:
    return excerpt(Source("a.md", text).span(start, end), columns)


def marked(row: tuple[str, str]) -> str:
    """What stands above the carets."""
    line, carets = row
    start, stop = carets.index("^"), len(carets)
    found, at = "", 0
    for character in line:
        # A mark takes no column: it belongs to the letter before it.
        if start <= at < stop or (start < at == stop and not width(character)):
            found += character
        at += width(character)
    return found


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("a = b c", "b"),
        ("\ta =\tb c", "b c"),
        ("导数 a 是 = b c", "b"),
        ("导数 = 导 c", "导"),
        ("h\u0302 = b\u0302 c", "b\u0302"),
        ("x" * 500 + " = abc " + "y" * 500, "abc"),
        ("导" * 500 + " = abc " + "导" * 500, "abc"),
        ("= abc " + "y" * 500, "abc"),
        ("y" * 500 + "= abc", "abc"),
        ("\t" * 90 + "= abc", "abc"),
    ],
)
def test_carets_stand_below_the_fault(text: str, part: str) -> None:
    start = text.rindex(part)
    (row,) = rows(text, start, start + len(part))
    assert marked(row) == part
    assert width(row[0]) <= 80


def test_a_fault_wider_than_the_page_is_shown_from_its_beginning() -> None:
    (row,) = rows("a = " + "bcd" * 60, 4, 184)
    assert row[0].startswith("   1 | …bcdbcd") and row[0].endswith("…")
    assert width(row[0]) == 80 and width(row[1]) == 79
    assert set(marked(row)) <= set("bcd")


def test_a_fault_over_several_lines() -> None:
    text = "x\n  = a +\n\n    b\n  + c\n + d\n"
    found = rows(text, text.index("a"), text.index("d") + 1)
    assert [marked(row) for row in found if row[1]] == ["a +", "b"]
    assert [row[0] for row in found] == ["   2 |   = a +", "   4 |     b", "     | …"]


def test_space_around_a_fault_is_not_marked() -> None:
    text = "=\n\n a b \n"
    (row,) = rows(text, 1, len(text))
    assert row[0] == "   3 |  a b" and marked(row) == "a b"


def test_an_empty_fault_has_one_caret() -> None:
    ((_, carets),) = rows("a = ", 4, 4)
    assert carets.count("^") == 1


def test_nothing_in_a_document_steers_the_terminal() -> None:
    text = "a\x1b[2J\u202e\x07 = b\x9b c"
    source = Source("a\x1bb.md", text)
    hostile = Claim(span_of(source, "b"), text, "wrong", mend=text, reason=text, reading=text, missing=text)
    fine = replace(hostile, verdict="correct")
    found = Report(source, text, "cross-\x1bentropy", (hostile, fine), (Remark(text),))
    out = render(found, everything=True)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", out)
    assert out.count("[2J") >= 7


SIGNS = st.sampled_from("ab \\{}^_=\t导数é\u0301ŷ∂")


@given(st.text(SIGNS, min_size=1, max_size=300), st.data(), st.integers(40, 100))
def test_carets_at_random(text: str, data: st.DataObject, columns: int) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, min(len(text), start + 15)))
    part = text[start:end].strip()
    (row,) = rows(text, start, end, columns)
    assert width(row[0]) <= columns
    # Where a fault begins or ends between a letter and its mark, the two are marked together.
    if part and not part.startswith("\u0301"):
        assert marked(row).strip("\u0301") == part.replace("\t", "    ").strip("\u0301")


def test_claims_are_marked_where_no_fault_is_known() -> None:
    source = Source("a.md", "q = r + s\n")
    claim = Claim(span_of(source, "r + s"), "q", "wrong", kind="sign")
    (_, *lines) = render(report("", claim)).splitlines()
    assert lines[2:4] == ["   1 | q = r + s", "     |     ^^^^^"]


def test_spans_are_of_the_document() -> None:
    span = notes().claims[1].fault
    assert isinstance(span, Span) and (span.line, span.column, span.text) == (7, 34, "U^T")
