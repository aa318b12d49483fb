"""Whatever the text: it is read without an exception, in bounded time, and places lie within each other."""

import time

from hypothesis import given
from hypothesis import strategies as st

from bptt.checking.statements import read_file
from bptt.checking.written import Unread, children

PIECES = [
    *"{}()[]|._^&=+-,;'/:*#%~1dxhfσ∂ᵀŷ𝐱₁⁽↓`$ \n",
    "\\left", "\\right", "\\left.", "\\right|", "\\Big|", "\\|", "\\\\", "\n\n", "$$", "12", "\x00",
    "```math\n", "\n```\n", "\\frac", "\\partial", "\\nabla", "\\sum", "\\log", "\\hat", "\\mathbf",
    "\\rm", "\\over", "\\sqrt", "\\boxed{", "\\text{", "\\overset", "\\underbrace", "\\substack",
    "\\implies", "\\quad", "\\cdot", "\\circ", "\\mathbb{1}", "\\begin{cases}", "\\end{cases}",
    "\\begin{aligned}", "\\end{aligned}", "\\begin{align}", "\\end{align}", "\\newcommand{\\x}[1]{",
    "#1", "\\x", "\\def", "\\tag", "\\middle", "\\not", "\\(", "\\)", "\\[", "\\]", "<!--", "-->",
    "\\frac{\\partial J}{\\partial W}", "h_{t-1}", "\\theta_{1,k}^{(t)}", "\\sigma'(", "\\section{",
]  # fmt: skip
GOOD = r"""# Gradients
Let $h^{(t)} = \sigma(h^{(t-1)} H + e^{(t)} I + b_1)$, $\hat{y} = \text{softmax}(h U)$, it costs $5.

$$\begin{aligned} \frac{\partial J}{\partial U} &= \left(\mathbf{h}^{(t)}\right)^T (\mathbf{y} - \hat{y}) \\
\left.\frac{\partial J}{\partial b_1}\right|_{(t)}
 &= \sum_{k=1}^{n} \frac{\partial J}{\partial h_k} \delta_{ik} \sigma'(z_i)
 \quad \text{where } z = \underbrace{h W}_{1 \times n} \end{aligned}$$

$$= \boxed{\{(y - \hat{y}) U^T \circ h \circ (1 - h)\} H^T} \implies \nabla_\theta J = \mathbb{1}(i = k)$$

\begin{align} p(y | s) &= \prod_c p_c^{y_c} \\ &= \begin{bmatrix} 1 & 0 \\ 0 & |x| \end{bmatrix} \end{align}
"""

soups = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)
truncated = st.tuples(st.integers(0, len(GOOD)), st.integers(0, len(GOOD))).map(
    lambda cut: GOOD[min(cut) : max(cut)]
)
edits = st.lists(
    st.tuples(st.integers(0, len(GOOD)), st.integers(0, 4), st.sampled_from(["", *PIECES])), max_size=8
)


def mutated(changes: list[tuple[int, int, str]]) -> str:
    text = GOOD
    for start, length, piece in changes:
        text = text[:start] + piece + text[start + length :]
    return text


documents = st.one_of(
    soups, soups.map(lambda soup: f"$${soup}$$\n\n$a = b$"), truncated, edits.map(mutated), st.text()
)


@given(documents)
def test_any_document_is_read(text: str) -> None:
    begin = time.process_time()
    found = read_file("notes.md", text)
    assert time.process_time() - begin < 2
    end = len(found.source.text)
    for part in found.unread:
        assert 0 <= part.span.start <= part.span.end <= end
    for statement in found.statements:
        outer = statement.span
        assert 0 <= outer.start <= outer.end <= end
        nodes = []
        for link in statement.links:
            assert outer.start <= link.span.start <= link.right.span.start
            assert link.right.span.end <= link.span.end <= outer.end
            nodes.append(link.right)
        if statement.left is not None:
            assert statement.carried or outer.start <= statement.left.span.start <= outer.end
            nodes.append(statement.left)
        while nodes:
            node = nodes.pop()
            assert not isinstance(node, Unread) or node.reason
            for part in children(node):
                assert node.span.start <= part.span.start <= part.span.end <= node.span.end
                nodes.append(part)


@given(soups)
def test_what_comes_after_a_paragraph_is_read_nevertheless(soup: str) -> None:
    # What opens a listing or a comment on purpose may go on to the end.
    for opening in ("```", "<!--", "\\newcommand", "\\def"):
        soup = soup.replace(opening, "")
    found = read_file(
        "notes.md", f"Let $${soup}\n\n# Next section\n\nHere is the formula $u_{{1}} = v$ of it."
    )
    assert found.statements
    last = found.statements[-1]
    assert last.span.text == "u_{1} = v"


@given(st.binary(max_size=300))
def test_any_bytes_are_read(data: bytes) -> None:
    read_file("notes.txt", data)
    read_file("notes.tex", b"$$" + data + b"$$")
