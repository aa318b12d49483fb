"""Where the formulas of a document are: Markdown, LaTeX, notebooks and plain texts, whole and damaged."""

import json

import pytest

from bptt.checking.documents import MAX_FORMULA, Document, Notebook, document_source, read_document
from bptt.errors import InputError
from bptt.source import Source


def document(text: str, name: str = "notes.md") -> Document:
    return read_document(document_source(name, text))


def formulas(text: str, name: str = "notes.md") -> list[str]:
    return [segment.span.text.strip() for segment in document(text, name).segments]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one $a$ two $b$", ["a", "b"]),
        ("$$a = b$$", ["a = b"]),
        ("$$\na = b\n$$ and $c$", ["a = b", "c"]),
        (r"\(a\) and \[b\]", ["a", "b"]),
        (r"\\(a\\) and \\[ b \\]", ["a", "b"]),
        ("\\begin{align*}\na &= b\n\\end{align*}", ["a &= b"]),
        (r"\begin{equation}a\end{equation} \begin{eqnarray}b\end{eqnarray}", ["a", "b"]),
        (r"$$\begin{aligned} a &= b \end{aligned}$$", [r"\begin{aligned} a &= b \end{aligned}"]),
        ("```math\na = b\n```", ["a = b"]),
        ("GitHub's $`a_1`$ too", ["a_1"]),
    ],
)
def test_formulas_are_found_between_their_delimiters(text: str, expected: list[str]) -> None:
    assert formulas(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "```python\ncost = '$a$'\n```",
        "~~~\n$a$\n~~~",
        "`$a$`",
        "``$a$ ` $b$``",
        "<!-- $a$ -->",
        "no mathematics here",
        r"an escaped \$a\$",
        "it costs $5 and not $10",
        "from $5 to $10, or $2.50.",
        "a fee of $3 million, $4 for you",
    ],
)
def test_what_is_no_formula_is_passed(text: str) -> None:
    assert formulas(text + "\n\nbut $x$ is") == ["x"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("% $a$\n$b$ 100\\% $c$", ["b", "c"]),
        ("\\begin{verbatim}\n$a$\n\\end{verbatim}\n$b$", ["b"]),
        ("\\begin{lstlisting}[language=C]\n$a$\n\\end{lstlisting} $b$", ["b"]),
        ("``quoted'' $b$ `so'", ["b"]),
        ("a line \\\\[2pt] and $b$", ["b"]),
    ],
)
def test_latex_has_comments_and_listings(text: str, expected: list[str]) -> None:
    assert formulas(text, "notes.tex") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("∂J/∂U = hᵀ (ŷ − y)", ["∂J/∂U = hᵀ (ŷ − y)"]),
        (
            r"\frac{\partial J}{\partial U} = h^T (\hat y - y)",
            [r"\frac{\partial J}{\partial U} = h^T (\hat y - y)"],
        ),
        ("Let h = tanh(W x)\nwhere x = 1\n\n- a = b", ["h = tanh(W x)", "x = 1", "a = b"]),
        ("The gradient of the loss is = to\nδ = ŷ − y", ["δ = ŷ − y"]),
        ("only words\nand more words", []),
    ],
)
def test_a_text_without_delimiters_is_read_line_by_line(text: str, expected: list[str]) -> None:
    assert formulas(text, "<stdin>") == expected


def test_a_percentage_of_markdown_is_no_comment() -> None:
    assert formulas("100% of $x$") == ["x"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a lone $ here\n\nand $x$", ["x"]),
        ("a lone $ here and $x$ too", ["x"]),
        ("it costs 5$ today, or $y=2$", ["y=2"]),
        ("$$a = b\n\nSome words follow here.\n\n$$c = d$$", ["a = b", "c = d"]),
        ("$$a = b\n\n# Heading\n\n$c$", ["a = b", "c"]),
        ("$$\na\n\n= b\n$$ and $c$", ["a\n\n= b", "c"]),
        ("\\begin{align} a &= b\n\nwords\n\n$c$", ["a &= b", "c"]),
        ("\\[ a\n\nwords and more words of prose\n\n$c$", ["a", "c"]),
        ("```\n$a$ never closed", []),
    ],
)
def test_after_damage_the_next_paragraph_is_read(text: str, expected: list[str]) -> None:
    assert formulas(text) == expected


def test_what_is_never_closed_is_told() -> None:
    found = document("first\n\n$$a = b\n\nSome words follow here, and more.")
    assert [(part.text, part.reason, part.span.line) for part in found.unread] == [
        ("$$", "this is never closed", 3)
    ]


def test_words_before_a_formula_and_its_section() -> None:
    text = (
        "$a$\n# One\nLet $b$ be, where $c$.\n\n## Two: $d$\n\nIf $k$ is the true label:\n\n$$e$$\n\n$$f$$\n"
    )
    found = document(text)
    assert found.headings == ("", "One", "Two: d")
    assert [(one.span.text, one.words, one.section, one.display) for one in found.segments] == [
        ("a", "", 0, False),
        ("b", "Let", 1, False),
        ("c", "be, where", 1, False),
        ("d", "", 2, False),
        ("k", "If", 2, False),
        ("e", "is the true label:", 2, True),
        ("f", "", 2, True),
    ]


def test_sections_of_latex() -> None:
    found = document("\\section{One} $a$ \\subsection*{Two} % $no$\n $b$", "notes.tex")
    assert found.headings == ("", "One", "Two")
    assert [(one.span.text, one.section) for one in found.segments] == [("a", 1), ("b", 2)]


def test_a_notebook_gives_its_markdown_cells() -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Title\n", "Let $a$."]},
        {"cell_type": "code", "source": ["x = '$no$'"]},
        {"cell_type": "markdown", "source": "one\n\n  $$b$$"},
    ]
    source = document_source("notes.ipynb", json.dumps({"cells": cells}))
    assert isinstance(source, Notebook)
    first, second = read_document(source).segments
    assert (first.span.text, second.span.text) == ("a", "b")
    assert source.cell_place(first.span.start) == (1, 2, 6)
    assert source.cell_place(second.span.start) == (3, 3, 5)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"cells": [1]}', "[" * 100_000, "not json"])
def test_a_notebook_that_is_none(text: str) -> None:
    with pytest.raises(InputError, match="not a Jupyter notebook"):
        document_source("notes.ipynb", text)


def test_bytes_are_decoded_and_lines_end_alike() -> None:
    source = document_source("a.md", "\ufeffŷ $a$\r\n$b$\rc".encode() + b"\xff")
    assert source.text == "ŷ $a$\n$b$\nc\ufffd"


def test_a_formula_without_end_is_not_read() -> None:
    found = document(f"$${'x' * (MAX_FORMULA + 1)}$$ and $y$")
    assert [segment.span.text for segment in found.segments] == ["y"]
    assert [part.reason for part in found.unread] == ["this formula is too long"]


def test_mathematics_without_end_is_bounded() -> None:
    found = document("$$" + "x " * 9000 + "$$\n\n")
    assert len(found.segments) == 1
    many = document(("$$" + "x " * 9000 + "$$\n\n") * 20)
    assert len(many.segments) < 20
    assert [part.reason for part in many.unread] == ["from here on there is more mathematics than is read"]


def test_a_document_that_nobody_wrote_is_refused() -> None:
    with pytest.raises(InputError, match="characters"):
        document_source("a.md", "a" * 6_000_000)


def test_spans_are_those_of_the_source() -> None:
    source = Source("a.md", "Let\n\n  $$a + b$$")
    (segment,) = read_document(source).segments
    assert (segment.span.line, segment.span.column, segment.span.text) == (3, 5, "a + b")
