"""Chains of relations as their authors meant them: rows, lists, words between, left sides carried on."""

import time

import pytest

from bptt.checking.statements import read, read_file
from bptt.checking.written import Reading, Statement, Unread, walk
from bptt.source import Source
from checking.compact import compact, compact_statement, statements


def reading(text: str) -> Reading:
    return read(Source("notes.md", text))


def shown(text: str) -> list[str]:
    """The statements of a document that say something."""
    return [compact_statement(one) for one in reading(text).statements if one.links]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", ["a"]),
        ("a = b = c", ["a = b = c"]),
        (r"a \approx b \leq c", ["a ≈ b ≤ c"]),
        (r"a := b, \quad c \triangleq d", ["a := b", "c ≡ d"]),
        (r"a &= b \\ c &= d", ["a = b", "c = d"]),
        (r"a &= b \\ &= c \\ &= d", ["a = b = c = d"]),
        (r"a & = b & \text{(1)} \\ & = c & \text{(2)}", ["a = b = c"]),
        (r"a =& b \\ =& c", ["a = b = c"]),
        (r"a \\ &= b", ["a = b"]),
        (r"a &= \\ b &= \\ c", ["a = b = c"]),
        (r"a &= b \\ &+ c \\ &\quad - d", ["a = b + c - d"]),
        (r"a &= b + \\ & c", ["a = b + c"]),
        (r"a &= b \\ &\times c", ["a = <b × c>"]),
        (r"a &= b \\ -c &= d", ["a = b", "- c = d"]),
        (r"a &= b \text{ (why)} \\ &\quad + c", ["a = b + c"]),
        (r"a &= b, \\ &= c.", ["a = b = c"]),
        (r"a &= b \quad (\text{as above}) \\ &= c", ["a = b = c"]),
        (r"a &= \left( b \right. \\ & \left. + c \right) d", ["a = <(b + c) d>"]),
        (r"a &= (b \\ &+ c) d", ["a = <(b + c) d>"]),
        (r"a &= b \nonumber \\ c &= d \tag{3} \label{eq:c}", ["a = b", "c = d"]),
        (r"a = b \implies c = d", ["a = b", "c ⟹ = d"]),
        (r"\implies a = b = c", ["a ⟹ = b = c"]),
        (r"a &= b \\ &\implies = c", ["a = b ⟹ = c"]),
        (r"a = b ⟹ c = d ⇒ e = f", ["a = b", "c ⟹ = d", "e ⟹ = f"]),
        (r"\therefore a = b", ["a ⟹ = b"]),
        (r"a = b, c = d; e = f", ["a = b", "c = d", "e = f"]),
        (r"a = b \quad \text{and} \quad c = d", ["a = b", "c = d"]),
        (r"a = b \text{ et } c = d", ["a = b", "c = d"]),
        (r"a = b \mathrm{if} c \neq d", ["a = b if c ≠ d"]),
        (r"\text{loss} = \text{CE}(y, p)", ["loss = CE@(y, p)"]),
        (r"a = \frac{b}{c} \quad \text{where } c = \sum_k d_k", ["a = frac[b; c]", "c = Σ[k; : d_[k]]"]),
        (r"\text{let } h_0 = 0, \quad h_t = \tanh(x) \quad \text{for } t=1,2,3",
         ["h_[0] = 0", "h_[t] = tanh@(x) if t = list[1, 2, 3]"]),
        (r"i, j = 1, \dots, n", ["list[i, j] = list[1, …, n]"]),
        (r"a, b \in \mathbb{R}^n, c \in \mathbb{R}", ["list[a, b] ∈ R^[n]", "c ∈ R"]),
        (r"\frac{\partial J}{\partial U} \quad \frac{\partial J}{\partial b}", ["D[J; U]", "D[J; b]"]),
        (r"1. \quad a = b", ["a = b"]),
        (r"\bullet \quad a &= b", ["a = b"]),
        (r"\begin{aligned} \bullet \quad a &= b \bullet c \end{aligned}", ["a = <b · c>"]),
        (r"\boxed{a &= b}", ["a = b"]),
        (r"\begin{cases} a = b \\ c &= d = e \end{cases}", ["a = b", "c = d = e"]),
        (r"\left\{ \begin{array}{l} a = b \\ {c = d} \end{array} \right.", ["a = b", "c = d"]),
        (r"x = \begin{cases} a & b = c \\ d & b = e \end{cases}", ["x = cases[a if b = c | d if b = e]"]),
        (r"\begin{array}{rcl} a &=& b \\ c &=& d \end{array}", ["a = b", "c = d"]),
        (r"\begin{aligned}[t] a &= b \end{aligned}", ["a = b"]),
        (r"a \leftarrow a - \eta b", ["a ← a - <eta b>"]),
        (r"PP = e^H, \quad BCE = a", ["PP = e^[H]", "BCE = a"]),
        (r"AB = C", ["<A B> = C"]),
        (r"D_h << |V|", ["D_[h] ≪ |V|"]),
        (r"x \sim \mathcal{N}(0, 1)", ["x ~ N@(0, 1)"]),
        (r"a \overset{\text{def}}{=} b", ["a = b"]),
        (r"\left.\left.\frac{dJ}{da}\right|_{(t)} \quad \frac{\partial J}{\partial b}\right|_{(t)}",
         ["at[D[d/d J; a]; (t)]", "at[D[J; b]; (t)]"]),
        (r"x_1 = \text{\"I\"}, x_2 = y", ["x_[1] = ?\\text{\\\"I\\\"}?", "x_[2] = y"]),
        (r"\circ", []),
        (r"|_{(t)}", []),
        ("", []),
    ],
)  # fmt: skip
def test_statements_of_a_formula(text: str, expected: list[str]) -> None:
    assert statements(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"\frac{\partial J}{\partial b &= x \\ c &= d", ["<D[∂/ J; ?{?] ∂ b> = x", "c = d"]),
        (r"a &= \left( b + c \\ d &= e", ["a = <?\\left(? b> + c", "d = e"]),
        (r"a &= b} \\ c &= d", ["a = b", "c = d"]),
        (r"a &= b \right) \\ c &= d", ["a = <b ?\\right)?>", "c = d"]),
        (r"\begin{aligned} a &= b \\ c &= d", ["a = b", "c = d"]),
        (r"a &= b \end{split} \\ c &= d", ["a = b", "c = d"]),
        (r"\begin{split} a &= \left\{ b & i \neq k \\ \end{split} \right.", ["a = cases[b if i ≠ k]"]),
        (r"a = x \circ \square", ["a = <x ∘ ?\\square?>"]),
        (r"a = \unknown + b", ["a = ?\\unknown? + b"]),
        (r"a = b + ", ["a = b + ??"]),
        (r"a = ", ["a = ??"]),
        (r"= b", ["nothing = b"]),
    ],
)
def test_damage_stays_where_it_is(text: str, expected: list[str]) -> None:
    assert statements(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$$a = b$$\n\n$$= c$$", ["a = b", "… a = c"]),
        ("$a = b$, then\n\n$$= c$$\n\n$$= d$$", ["a = b", "… a = c", "… a = d"]),
        ("$$a + b$$\n\n$$= c$$", ["… a + b = c"]),
        ("$$a = b$$\n\nreorder so multiplication\nmakes sense\n\n$$= c$$", ["a = b", "… a = c"]),
        ("$$a = b$$\n\n↓\n\n$$c = d$$", ["a = b", "c ⟹ = d"]),
        ("$$a =$$\n\n$$b + c$$", ["a = b + c"]),
        ("$$a =$$\n\n$$b = c$$", ["a = b = c"]),
        # A definition that is put in between is not what derivatives go on.
        (
            r"$$\frac{\partial J}{\partial h} = x$$ $$g = \tanh(z)$$ $$= \frac{\partial J}{\partial g} y$$",
            ["D[J; h] = x", "g = tanh@(z)", "… D[J; h] = <D[J; g] y>"],
        ),
        (r"$$g = W x$$ $$= \dots$$", ["g = <W x>", "… g = …"]),
        # A letter that is only named does not become a left side.
        ("$$a = b$$\n\nif $k$ is the label:\n\n$$= c$$", ["a = b", "… a = c"]),
        ("$$a = b$$\n\nwhere $k = 1$, then\n\n$$= c$$", ["a = b", "k = 1", "… a = c"]),
        ("$$a = b$$\n\nb) $k + 1 = l$\n\n$$= c$$", ["a = b", "k + 1 = l", "… k + 1 = c"]),
        ("> $$\n> a\n> = b\n> $$", ["a = b"]),
    ],
)
def test_displays_go_on_with_what_stands_before_them(text: str, expected: list[str]) -> None:
    assert shown(text) == expected


def test_words_and_sections() -> None:
    text = r"# One" "\n" r"Let $a = b$ and $$c = d \quad \text{where } e = f$$" "\n# Two\nThus $g$."
    found = [(one.words, one.section) for one in reading(text).statements]
    assert found == [("Let", 1), ("and", 1), ("where", 1), ("Thus", 2)]
    assert reading(text).headings == ("", "One", "Two")


def test_capitals_that_are_called_once_are_a_name_everywhere() -> None:
    text = r"$\nabla_\theta SCE = y$ where $SCE(\theta, y) = x$, and $HIJ$"
    assert [compact_statement(one) for one in reading(text).statements] == [
        "∇[theta; SCE] = y",
        "SCE@(theta, y) = x",
        "<H I J>",
    ]


def test_places_of_statements() -> None:
    text = "Let\n\n$$\\begin{aligned} a &= b \\\\ &= c + d \\end{aligned}$$"
    (statement,) = reading(text).statements
    assert statement.span.text == "a &= b \\\\ &= c + d"
    assert [link.span.text for link in statement.links] == ["= b", "= c + d"]
    assert statement.links[1].right.span.text == "c + d"


def whole(statement: Statement) -> bool:
    sides = [statement.left, *(link.right for link in statement.links)]
    return not any(isinstance(part, Unread) for side in sides if side is not None for part in walk(side))


COLUMNS = r"""
**Setup.** Let $\mathbf{z}^{[l]} = \mathbf{W}^{[l]}\mathbf{a}^{[l-1]} + \mathbf{b}^{[l]}$ with
$\mathbf{a}^{[l]} = g^{[l]}(\mathbf{z}^{[l]})$.

\\[ \boldsymbol\delta^{[l]} := \frac{\partial \mathcal{L}}{\partial \mathbf{z}^{[l]}}
 = \left((\mathbf{W}^{[l+1]})^{\top}\boldsymbol\delta^{[l+1]}\right)\circ g'(\mathbf{z}^{[l]}) \\]

\begin{equation}
\begin{split}
\frac{\partial\mathcal L}{\partial\mathbf W^{[l]}} &= \boldsymbol\delta^{[l]}\,(\mathbf a^{[l-1]})^{\top}\\
\frac{\partial\mathcal L}{\partial\mathbf b^{[l]}} &= \boldsymbol\delta^{[l]}
\end{split}
\end{equation}
"""
EINSTEIN = r"""
$$
\frac{\partial L}{\partial W_{ij}} = \frac{\partial L}{\partial a_k}\frac{\partial a_k}{\partial W_{ij}}
= \delta_k\, \delta_{ki} x_j = \delta_i x_j, \qquad \frac{\partial L}{\partial x_j} = \delta_i W_{ij}
$$
"""
ROWS = r"""
\begin{eqnarray*}
 E &=& \frac12 \sum_k (y_k - t_k)^2 \nonumber \\
 \frac{\mathrm{d}E}{\mathrm{d}y_k} &=& y_k - t_k
\end{eqnarray*}
Es gilt also $\partial E/\partial W = h^{\mathsf T}(y - t)$，其中 $h = \sigma(x W_1 + b_1)$。
"""
TIMES = r"""
$$ a^{\langle t \rangle} = \tanh(W_{aa}a^{\langle t-1\rangle} + W_{ax}x^{\langle t\rangle} + b_a) $$
$$ da_{next} = \frac{\partial J}{\partial a^{⟨t⟩}}, \quad
 dW_{ax} = \left(da_{next} * (1-\tanh^2(z))\right) x^{⟨t⟩T} $$
$$ \frac{\partial L}{\partial W_{hh}} = \sum_{t=1}^T \frac{\partial l_t}{\partial h_t} \sum_{k=1}^{t}
 \left(\prod_{j=k+1}^{t}\frac{\partial h_j}{\partial h_{j-1}}\right) \frac{\partial^+ h_k}{\partial W_{hh}} $$
"""
SOFTMAX = r"""
\begin{align}
\frac{\partial p_i}{\partial z_j}
 &= \begin{cases} p_i(1-p_i) & \text{if } i=j \\ -p_i p_j & i\neq j\end{cases} \\
&= p_i(\mathbf{1}[i=j] - p_j), \\
\intertext{so that}
\frac{\partial L}{\partial z_j} &= -\sum_i y_i \frac{1}{p_i}\frac{\partial p_i}{\partial z_j}
 = p_j \underbrace{\sum_i y_i}_{=1} - y_j
\end{align}
"""
NUMERATOR = r"""
$$\frac{\partial \ell}{\partial \mathbf{x}}
 = \frac{\partial \ell}{\partial \mathbf{y}}\,\mathbf{A} \in \mathbb{R}^{1\times n},
\qquad \frac{\partial \mathbf{x}^\intercal \mathbf{A}\mathbf{x}}{\partial \mathbf{x}}
 = \mathbf{x}^\intercal(\mathbf{A} + \mathbf{A}^\intercal)$$
$$\begin{array}{rcl}
 \nabla_{W} J &=& X^T(\hat{Y}-Y)/m \\
 \nabla_b J &=& \mathbf{1}^T (\hat Y - Y)/m
\end{array}$$
"""
UNICODE = """
$∂J/∂U = hᵀ(ŷ − y)$ and $∂J/∂h = (ŷ − y)Uᵀ ∘ σ′(z)$, $hₜ = tanh(W hₜ₋₁)$, $L = −∑ᵢ yᵢ log ŷᵢ$, $𝐖 ∈ ℝ^{m×n}$
"""


@pytest.mark.parametrize(
    ("text", "links"),
    [(COLUMNS, 6), (EINSTEIN, 4), (ROWS, 4), (TIMES, 4), (SOFTMAX, 4), (NUMERATOR, 5), (UNICODE, 5)],
    ids=["columns", "einstein", "rows", "times", "softmax", "numerator", "unicode"],
)
def test_styles_are_read_whole(text: str, links: int) -> None:
    found = reading(text)
    assert found.unread == ()
    assert [compact_statement(one) for one in found.statements if not whole(one)] == []
    assert sum(len(one.links) for one in found.statements) == links


HOSTILE = {
    "braces": "{" * 1_000_000,
    "braces in a formula": "$" + "{" * 19_000 + "$",
    "dollars": "$" * 500_000,
    "lone dollars": "$ " * 200_000,
    "fractions": "$$" + r"\frac" * 100_000 + "$$",
    "nested fractions": ("$$" + r"\frac{1}{" * 1900 + "x" + "}" * 1900 + "$$\n\n") * 3,
    "brackets": ("$$" + "(" * 9000 + ")" * 9000 + "$$\n\n") * 3,
    "bars": ("$$" + "|x" * 9000 + "$$\n\n") * 3,
    "comments": "<!-- " * 100_000,
    "listings": r"\begin{verbatim}" * 20_000,
    "environments": r"\begin{align} " * 20_000,
    "definitions": r"\newcommand{\a}{" * 20_000,
    "rows": ("$$" + "\\\\" * 9000 + "$$\n\n") * 3,
    "table": "$$\\begin{matrix}" + ("1 & " * 50 + "\\\\") * 90 + "\\end{matrix}$$",
    "ticks": "` " * 200_000,
    "headings": "# a\n" * 50_000,
    "bytes": bytes(range(256)) * 2000,
    "carried": "$$= \\frac{\\partial a}{\\partial b}$$\n\n" * 2000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_documents_take_little_time(name: str) -> None:
    begin = time.process_time()
    read_file("notes.md", HOSTILE[name])
    assert time.process_time() - begin < 2


def test_a_left_side_alone_is_no_claim() -> None:
    (statement,) = reading("Here $x + y$ stands alone.").statements
    assert compact(statement.left) == "x + y" and statement.links == ()
