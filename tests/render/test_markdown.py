"""Pages in the Markdown of GitHub: what it reads as Markdown and what it leaves alone."""

import re
from pathlib import Path

import pytest

from bptt.formula.tree import BEFORE, Derivative, Symbol
from bptt.render import markdown
from bptt.render.page import Block, Code, Display, Graph, Page, Paragraph, Row, Section, Table
from written import GRAPH, HOSTILE, HOSTILE_PAGE, PAGE, H, U, W_e, h

PAGES = Path(__file__).parent / "pages"


def show(*blocks: Block, timed: bool = True) -> str:
    page = Page("Title", (Section(("A section",), "key", blocks),), "row", timed)
    start = "# Title\n\n## A section\n\n"
    text = markdown.render(page)
    assert text.startswith(start) and text.endswith("\n")
    return text.removeprefix(start).removesuffix("\n")


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (Paragraph(("The state ", h, ".")), "The state $`h_{t}`$."),
        (
            Display((Row(U, h, note=("as ", H, " is")), Row(H, sign="≈")), title="In rows"),
            "*In rows*\n\n```math\n\\begin{aligned}\n"
            "h_{t} &= U &\\qquad& \\text{as } H \\text{ is} \\\\\n&\\approx H\n\\end{aligned}\n```",
        ),
        (
            Table((("Name",), (h,)), ((("a|b",), (Derivative(h, H, BEFORE),)),)),
            "| Name | $`h_{t}`$ |\n| --- | --- |\n"
            r"| a\|b | $`\left.\frac{\partial h_{t}}{\partial H}\right\vert_{(t-1)}`$ |",
        ),
        (Code("a = 1\n"), "```\na = 1\n```"),
        (Code("````\n"), "`````\n````\n`````"),
        (
            Section(("Folded ", Derivative(h, H)), "x", (Paragraph(("Inside.",)),), folded=True),
            "<details>\n<summary><b>Folded ∂h/∂H</b></summary>\n\nInside.\n\n</details>",
        ),
        (Section(("Deeper",), "x", (Paragraph(("Inside.",)),)), "### Deeper\n\nInside."),
        (
            Graph((("h", h, "state"), ("W", W_e, "parameter")), (("W", "h", False), ("h", "h", True))),
            '```mermaid\nflowchart LR\n    n0[["h"]]\n    n1["W_e"]\n    n1 --> n0\n'
            '    n0 -. "next step" .-> n0\n```',
        ),
    ],
)  # fmt: skip
def test_blocks(block: Block, expected: str) -> None:
    assert show(block) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("a_b*c", r"a\_b\*c"),
        ("<b> & `x`", r"&lt;b&gt; &amp; \`x\`"),
        ("5 $ and [a](b)", r"5 <span>$</span> and \[a\](b)"),
        ("- no list", "&#45; no list"),
        ("12. March", "&#49;2. March"),
        ("# no heading", r"\# no heading"),
    ],
)
def test_words_are_words(words: str, expected: str) -> None:
    assert show(Paragraph((words,))) == expected


@pytest.mark.parametrize("page", [PAGE, HOSTILE_PAGE], ids=["page", "hostile"])
def test_mathematics_stands_where_markdown_does_not_look(page: Page) -> None:
    text = markdown.render(page)
    outside = re.sub(r"^(`{3,})\w*\n.*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    assert "```" not in outside
    inline = re.findall(r"\$`[^`$]+`\$", outside)
    assert inline
    rest = re.sub(r"\$`[^`$]+`\$|<span>\$</span>", "", outside)
    assert "$" not in rest and "<script" not in rest
    assert not re.search(r"\\(?!n )[a-z]", rest), "mathematics among the words"
    assert "|" not in "".join(inline)
    assert "operatorname" not in text


def test_cells_of_hostile_tables_are_as_many_as_headers() -> None:
    table = [line for line in markdown.render(HOSTILE_PAGE).splitlines() if line.startswith("|")]
    assert len(table) == 3
    assert [len(re.findall(r"(?<!\\)\|", line)) for line in table] == [2, 2, 2]


def test_labels_of_the_drawing_cannot_end_early() -> None:
    text = show(Graph((("a", Symbol('x"]; click'), "value"),), ()))
    assert 'n0("x#34;#93;#59; click")' in text


def test_the_drawing_has_every_node_and_edge() -> None:
    text = show(GRAPH)
    assert len(re.findall(r"^    n\d+[^ ]", text, flags=re.MULTILINE)) == len(GRAPH.nodes)
    assert len(re.findall(r"^    n\d+ -", text, flags=re.MULTILINE)) == len(GRAPH.edges)


def test_the_page() -> None:
    assert markdown.render(PAGE) == (PAGES / "page.md").read_text(encoding="utf-8")


def test_hostile_words_are_all_there() -> None:
    text = show(Paragraph((HOSTILE,)))
    read = re.sub(r"\\([\\`*_\[\]#|~])", r"\1", text.replace("<span>$</span>", "$"))
    for sign, entity in (("<", "&lt;"), (">", "&gt;"), ("&", "&amp;")):
        read = read.replace(entity, sign)
    assert read == HOSTILE
