"""Annotated copies: where the comments stand, and that without them the document is what it was."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bptt.checking.annotate import annotate
from bptt.checking.documents import document_source
from bptt.checking.report import VERDICTS, Claim, Report
from bptt.source import Source
from checking.reports import NOTES, notes, span_of

END = re.compile(r"(\r\n|\r|\n)")
ADDED = re.compile(r"(> |% bptt: )[✓≈✗?] line \d+")


def without(text: str) -> str:
    """The text without the lines that were added; an end that stands before the first of them, where the
    document ends without one, was added as well.
    """
    parts = END.split(text)
    kept: list[str] = []
    for line, end in zip(parts[::2], [*parts[1::2], ""], strict=True):
        if ADDED.match(line):
            if not end:
                kept[-1:] = []
        else:
            kept += [line, end]
    return "".join(kept)


def marked(text: str, *parts: str, form: str = "markdown", verdict: str = "wrong") -> list[str]:
    """The lines of the annotated text, those that were added as `*` and the numbers of their lines."""
    source = Source("a.md", text)
    claims = tuple(Claim(span_of(source, part), "q", verdict) for part in parts)
    lines = annotate(Report(source, "", "", claims), form).split("\n")
    numbers = [re.match(r"(?:> |% bptt: ). line (\d+)", line) for line in lines]
    return ["*" + found[1] if found else line for line, found in zip(lines, numbers, strict=True)]


MARKDOWN = r"""where $\sigma$ is the logistic function.
> ≈ line 6: ∂J/∂U: correct under a convention; J is taken for the log-likelihood\
> ✗ line 7 (order): ∂J/∂h: y - ŷ is a row, and a row stands to the left of the matrix that it is multiplied with; mend: $(y - \hat{y}) U^T$\
> ✗ line 8 (order): ∂J/∂z: the factors stand in the wrong order; follows from line 7; mend: $(y - \hat{y}) U^T \circ h \circ (1 - h)$\
> ✓ line 9: ∂J/∂W: correct; read as z before its σ

Also $\frac{\partial J}{\partial q} = r$.
> ? line 13: ∂J/∂q: undecided; q and r are not defined in the document
"""  # noqa: E501
LATEX = r"""\frac{\partial J}{\partial U} &= h^T (y - \hat{y}) \\
% bptt: ≈ line 6: ∂J/∂U: correct under a convention; J is taken for the log-likelihood
\frac{\partial J}{\partial h} &= U^T (y - \hat{y}) \\
% bptt: ✗ line 7 (order): ∂J/∂h: y - ŷ is a row, and a row stands to the left of the matrix that it is multiplied with; mend: (y - \hat{y}) U^T
\frac{\partial J}{\partial z} &= U^T (y - \hat{y}) \circ h (1 - h) \\
% bptt: ✗ line 8 (order): ∂J/∂z: the factors stand in the wrong order; follows from line 7; mend: (y - \hat{y}) U^T \circ h \circ (1 - h)
\frac{\partial J}{\partial W} &= x^T \frac{\partial J}{\partial z}
% bptt: ✓ line 9: ∂J/∂W: correct; read as z before its σ
\end{aligned}$$
"""  # noqa: E501


def test_comments_in_markdown() -> None:
    found = annotate(notes())
    assert found.endswith(MARKDOWN)
    assert without(found) == NOTES


def test_comments_in_latex() -> None:
    found = annotate(notes(), "latex")
    assert LATEX in found
    assert without(found) == NOTES


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("$a = b$\n", ["$a = b$", "*1", ""]),
        ("$a = b$", ["$a = b$", "*1"]),
        # The rest of a paragraph would be taken for a part of the quotation.
        ("$a = b$\nand so on\n\nnext", ["$a = b$", "and so on", "*1", "", "next"]),
        ("$$\na = b\n$$\nwhere\n\nx", ["$$", "a = b", "$$", "where", "*2", "", "x"]),
        ("$$a = b\n\n$$\n\nx", ["$$a = b", "", "$$", "*1", "", "x"]),
        ("\\[\na = b\n\nc\\]\n\nx", ["\\[", "a = b", "", "c\\]", "*2", "", "x"]),
        (
            "\\begin{align}\na = b\n\nc\\end{align}\n",
            ["\\begin{align}", "a = b", "", "c\\end{align}", "*2", ""],
        ),
        # What only looks like the end or the beginning of a display.
        ("$$\na = b \\\\[2pt]\n$$\n\nx", ["$$", "a = b \\\\[2pt]", "$$", "*2", "", "x"]),
        ("\\$$5$ and $a = b$\n\nx", ["\\$$5$ and $a = b$", "*1", "", "x"]),
        ("`$$` $a = b$\n\nx", ["`$$` $a = b$", "*1", "", "x"]),
        ("$$\\begin{aligned} a = b$$\n\nx", ["$$\\begin{aligned} a = b$$", "*1", "", "x"]),
        ("```\n$$\n```\n\n$a = b$\n\nx", ["```", "$$", "```", "", "$a = b$", "*5", "", "x"]),
        ("~~~ math\na = b\n\n```\n~~~\n\nx", ["~~~ math", "a = b", "", "```", "~~~", "*2", "", "x"]),
        ("$$\na = b\n```\n$$\n\nx", ["$$", "a = b", "```", "$$", "*2", "", "x"]),
        # A display that is never closed.
        ("$$\na = b\n\nx", ["$$", "a = b", "", "x", "*2"]),
    ],
)
def test_where_they_stand(text: str, lines: list[str]) -> None:
    assert marked(text, "a = b") == lines


def test_a_claim_over_several_lines_has_its_comment_behind_the_last() -> None:
    assert marked("a\n= b\n+ c\nd", "b\n+ c", form="latex") == ["a", "= b", "+ c", "*2", "d"]


def test_they_stand_in_the_order_of_the_report() -> None:
    assert marked("$a = b$\n$c = d$\n", "a = b", "c = d") == ["$a = b$", "$c = d$", "*1", "*2", ""]
    assert marked("$a = b$ $c = d$\n", "c = d", "a = b", form="latex") == ["$a = b$ $c = d$", "*1", "*1", ""]


@pytest.mark.parametrize(
    ("mend", "said"),
    [("a\n  b", "mend: $a b$"), (r"\text{as $x$}", r"mend: `\text{as $x$}`"), ("", "q: the factors stand")],
)
def test_mends_are_formulas_in_a_line(mend: str, said: str) -> None:
    source = Source("a.md", "$a = b$")
    claim = Claim(span_of(source, "b"), "q", "wrong", kind="order", mend=mend)
    *_, line = annotate(Report(source, "", "", (claim,))).split("\n")
    assert said in line and ("mend" in line) == bool(mend)


def test_words_are_no_markdown_and_stay_on_their_line() -> None:
    source = Source("a.md", "$a = b$")
    claim = Claim(span_of(source, "b"), "∂J/∂a_*i*", "wrong", reason="so\n# and <b>")
    for form, said in (
        ("markdown", r"∂J/∂a\_\*i\*: so \# and &lt;b&gt;"),
        ("latex", "∂J/∂a_*i*: so # and <b>"),
    ):
        assert annotate(Report(source, "", "", (claim,)), form).split("\n")[1:] == [
            {"markdown": "> ", "latex": "% bptt: "}[form] + "✗ line 1: " + said
        ]


PIECES = st.sampled_from(
    ["a = b", "$", "$$", "\\\\", "\\[", "\\]", "\\begin{align}", "\\end{align}", "```", "~~~", "`", " ", "> ",
     "% ", "é", "\ufeff", "\t", "\n", "\n\n", "\r\n", "\r\n\r\n", "\r", "x"]
)  # fmt: skip


@given(
    st.lists(PIECES, min_size=1, max_size=40).map("".join),
    st.sampled_from(["markdown", "text", "latex"]),
    st.data(),
)
def test_without_its_comments_a_copy_is_the_document(original: str, form: str, data: st.DataObject) -> None:
    source = document_source("a.md", original)
    places = st.tuples(*[st.integers(0, len(source.text))] * 2).map(sorted)
    drawn = data.draw(st.lists(st.tuples(places, st.sampled_from(VERDICTS)), max_size=5))
    claims = tuple(
        Claim(source.span(*place), "q", verdict, mend="x\ny", reason="so\nit is") for place, verdict in drawn
    )
    copy = annotate(Report(source, "", "", claims), form, original)
    assert without(copy) == original
    assert len([line for line in END.split(copy) if ADDED.match(line)]) == len(claims)


def test_line_ends_stay_as_they_are() -> None:
    original = "\ufeff$a = b$\r\n\r\n$c = d$\r\n"
    source = document_source("a.md", original)
    claims = tuple(Claim(span_of(source, part), "q", "correct") for part in ("b", "d"))
    copy = annotate(Report(source, "", "", claims), "markdown", original)
    assert copy == ("\ufeff$a = b$\r\n> ✓ line 1: q: correct\r\n\r\n$c = d$\r\n> ✓ line 3: q: correct\r\n")
