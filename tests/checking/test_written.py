"""LaTeX to the tree of what was written, in the compact notation of `checking.compact`."""

import pytest

from bptt.checking.cursor import TOO_DEEP
from bptt.checking.statements import read_formula
from bptt.checking.written import (
    Bracketed,
    Call,
    Chain,
    Differential,
    Fraction,
    Letter,
    Numeral,
    Terms,
    Unread,
    Written,
    children,
    walk,
)
from checking.compact import compact, formula

NAMES = [
    (r"x", "x"),
    (r"W_e", "W_[e]"),
    (r"W_{e}", "W_[e]"),
    (r"h_{t-1}", "h_[t - 1]"),
    (r"h^{(t)}", "h^[(t)]"),
    (r"h^{(t-1)}_{1,i}", "h_[1, i]^[(t - 1)]"),
    (r"h_{1,i}^{(t-1)}", "h_[1, i]^[(t - 1)]"),
    (r"h_{t-1,i}", "h_[t - 1, i]"),
    (r"\theta_{1,k}^{(t)}", "theta_[1, k]^[(t)]"),
    (r"\boldsymbol{\theta}_2^{(t)}", "theta_[2]^[(t)]"),
    (r"W_{kj}^u", "W_[<k j>]^[u]"),
    (r"W_{ijk}", "W_[<i j k>]"),
    (r"W_{batch}", "W_[batch]"),
    (r"W_{\text{embed}}", "W_[embed]"),
    (r"W_{\mathrm{in}}", "W_[in]"),
    (r"W_{xh}", "W_[<x h>]"),
    (r"W^{r,T}", "W^[r, T]"),
    (r"W_{ji}^{r,T}", "W_[<j i>]^[r, T]"),
    (r"e^{(t)T}", "e^[(t), T]"),
    (r"e^{(t)^T}", "e^[(t), T]"),
    (r"e^{(t)\top}", "e^[(t), top]"),
    (r"{h^{(t)}}^T", "h^[(t), T]"),
    (r"(h^{(t)})^T", "(h^[(t)])^[T]"),
    (r"\left(h^{(t)}\right)^{\intercal}", "(h^[(t)])^[top]"),
    (r"h^(t)", "h^[(t)]"),
    (r"h_t'", "h'_[t]"),
    (r"h^{\prime}", "h'"),
    (r"x^{\langle t-1 \rangle}", "x^[⟨t - 1⟩]"),
    (r"x^{⟨t⟩T}", "x^[⟨t⟩, T]"),
    (r"z^{[l]}", "z^[[l]]"),
    (r"x_i^2", "x_[i]^[2]"),
    (r"x_12", "<x_[1] 2>"),
    (r"x_{<t}", "x_[< t]"),
    (r"x_{1:t}", "x_[1 : t]"),
    (r"x^*", "x^[*]"),
    (r"x^{+}", "x^[+]"),
    (r"hᵀ", "h^[top]"),
    (r"hₜ₋₁", "h_[t - 1]"),
    (r"δ₁⁽ᵗ⁾", "delta_[1]^[(t)]"),
    (r"X.T", "X^[T]"),
    (r"\hat{y}", "yhat"),
    (r"\hat y", "yhat"),
    (r"\hat{\mathbf{y}}^{(t)}_k", "yhat_[k]^[(t)]"),
    (r"\hat{y}_k^{(t)}", "yhat_[k]^[(t)]"),
    (r"\hat{y_k}", "yhat_[k]"),
    (r"\tilde{c}_t", "ctilde_[t]"),
    (r"\bar{h}", "hbar"),
    (r"\vec{x}", "x"),
    (r"ŷ", "yhat"),
    (r"𝐖", "W"),
    (r"\mathcal{J}", "J"),
    (r"\mathbb{R}^{n\times m}", "R^[<n × m>]"),
    (r"ℝⁿ", "R^[n]"),
    (r"\varepsilon", "epsilon"),
    (r"\ell", "ell"),
]
PRODUCTS = [
    (r"a b", "<a b>"),
    (r"a\,b", "<a b>"),
    (r"2x", "<2 x>"),
    (r"A \cdot B", "<A · B>"),
    (r"A \times B", "<A × B>"),
    (r"A \circ B \odot C", "<A ∘ B ∘ C>"),
    (r"A * B", "<A * B>"),
    (r"A \otimes B", "<A ⊗ B>"),
    (r"a / b", "<a / b>"),
    (r"A @ B", "<A @ B>"),
    (r"A B ∘ C D", "<A B ∘ C D>"),
    (r"a - b + c", "a - b + c"),
    (r"-a", "- a"),
    (r"a \cdot -b", "<a · - b>"),
    (r"a + -b", "a + - b"),
    (r"a \pm b", "a ± b"),
]
FRACTIONS = [
    (r"\frac12", "frac[1; 2]"),
    (r"\frac1{2}", "frac[1; 2]"),
    (r"\frac{a}{b}^2", "frac[a; b]^[2]"),
    (r"a^{-\frac{1}{M}}", "a^[- frac[1; M]]"),
    (r"{a \over b}", "frac[a; b]"),
    (r"\frac{\partial J}{\partial U}", "D[J; U]"),
    (r"\dfrac{\partial J^{(t)}}{\partial L_{x^{(t)}}}", "D[J^[(t)]; L_[x^[(t)]]]"),
    (r"\frac{dJ}{dW}", "D[d/d J; W]"),
    (r"\frac{\mathrm{d}J}{\mathrm{d}W^r}", "D[d/d J; W^[r]]"),
    (r"\frac{d\mathcal{J}}{dW^r}", "D[d/d J; W^[r]]"),
    (r"\frac{\delta SCE(x)}{\delta \theta_i}", "D[δ/δ SCE@(x); theta_[i]]"),
    (r"\frac{\partial \theta}{e_i}", "D[∂/ theta; e_[i]]"),
    (r"\frac{\log(f)}{\delta f}", "D[/δ log@(f); f]"),
    (r"\frac{a + b}{\partial x}", "D[/∂ a + b; x]"),
    (r"\frac{\partial}{\partial H_{ij}} (a + b)", "D[·; H_[<i j>]; on (a + b)]"),
    (r"\frac{\partial}{\partial z} \tanh(z) x", "<D[·; z; on tanh@(z)] x>"),
    (r"\frac{\partial}{\partial x} A x + b", "D[·; x; on <A x>] + b"),
    (r"\frac{\partial (a - b)}{\partial \theta}", "D[(a - b); theta]"),
    (r"\frac{\partial \log \frac{a}{b}}{\partial \theta}", "D[log@(frac[a; b]); theta]"),
    (r"\frac{-\partial J}{\partial x}", "- D[J; x]"),
    (r"\frac{\partial^+ h}{\partial W}", "D[∂⁺/∂ h; W]"),
    (r"\frac{\partial^2 J}{\partial x^2}", "D[D[J; x]; x]"),
    (r"\frac{\partial^2 \ell}{\partial s_m \partial s_n}", "D[D[ell; s_[n]]; s_[m]]"),
    (r"\frac{\partial^2 J}{\partial w \, \partial w^T}", "D[D[J; w]; w]"),
    (r"\frac{d^2 f}{dx^2} y", "<D[d/d D[d/d f; x]; x] y>"),
    (r"\frac{\partial^2}{\partial x^2} (a + b)", "D[D[·; x; on (a + b)]; x]"),
    (r"\frac{\partial^3 J}{\partial x^3}", r"?\frac{\partial^3 J}{\partial x^3}?"),
    (r"\nabla_w^2 J", "∇[w; ∇[w; J]]"),
    (r"\nabla^2_{w} J(w)", "∇[w; ∇[w; J@(w)]]"),
    (r"\frac{d}{2}", "frac[d; 2]"),
    (r"\frac{d_k}{d}", "frac[d_[k]; d]"),
    (r"\frac{\delta_1}{\delta_2}", "frac[delta_[1]; delta_[2]]"),
    (r"\frac{1}{d}", "frac[1; d]"),
    (r"\partial J/\partial U", "D[J; U]"),
    (r"∂J/∂b_1", "D[J; b_[1]]"),
    (r"dJ/dW", "D[d/d J; W]"),
    (r"\partial L / \partial W_{ij} x", "<D[L; W_[<i j>]] x>"),
    (r"d / d_k", "<d / d_[k]>"),
    (r"\partial_W L", "D[·; W; on L]"),
    (r"\pdv{J}{W}", "D[J; W]"),
    (r"\nabla_{x} J", "∇[x; J]"),
    (r"\nabla_{W_1} SCE(x)", "∇[W_[1]; SCE@(x)]"),
    (r"\nabla_\theta J(\theta)", "∇[theta; J@(theta)]"),
    (r"\nabla f", "∇[nothing; f]"),
    (r"\nabla^2 f", r"<?\nabla^2? f>"),
]
BARS = [
    (r"\frac{\partial J}{\partial I}\Big|_{(t)}", "at[D[J; I]; (t)]"),
    (r"\frac{\partial J}{\partial I}|_{t}", "at[D[J; I]; t]"),
    (r"\left.\frac{\partial J}{\partial I}\right|_{(t-1)}", "at[D[J; I]; (t - 1)]"),
    (r"\left. H^T \frac{\partial J}{\partial b} \right|_{(t)}", "at[<H^[T] D[J; b]>; (t)]"),
    (r"H^T \frac{\partial J}{\partial b} \bigg|_{(t)}", "<H^[T] at[D[J; b]; (t)]>"),
    (r"\frac{\partial J}{\partial b}\rvert_{t}", "at[D[J; b]; t]"),
    (r"\left.\frac{\partial E}{\partial w}\right|_{w=w_0}", "at[D[E; w]; w = w_[0]]"),
    (r"|V| \cdot D_h", "<|V| · D_[h]>"),
    (r"\|x\|_2^2", "‖x‖_[2]^[2]"),
    (r"\lVert x \rVert", "‖x‖"),
    (r"\left| x \right|", "|x|"),
]
SUMS = [
    (r"\sum_k y_k \log p_k + b", "Σ[k; : <y_[k] log@(p_[k])>] + b"),
    (r"\sum_{i=1}^{N} x_i", "Σ[i = 1; N: x_[i]]"),
    (r"\sum_{i,j,\ell} a_i b_j", "Σ[i, j, ell; : <a_[i] b_[j]>]"),
    (r"\sum_{batch=0}^N x", "Σ[batch = 0; N: x]"),
    (r"\sum_{j \neq i} x_j", "Σ[j ≠ i; : x_[j]]"),
    (r"\sum\limits_k x_k", "Σ[k; : x_[k]]"),
    (r"\prod_{j=k+1}^{t} \frac{\partial h_j}{\partial h_{j-1}}", "Π[j = k + 1; t: D[h_[j]; h_[j - 1]]]"),
    (r"Σ_i y_i", "Σ[i; : y_[i]]"),
    (r"\Sigma(\theta)", "Sigma@(theta)"),
    (r"\boldsymbol{\Sigma}(\theta_1^{(t)})", "Sigma@(theta_[1]^[(t)])"),
    (r"\Sigma_{ij}", "Sigma_[<i j>]"),
    (r"\Sigma^{-1} x", "<Sigma^[- 1] x>"),
]
FUNCTIONS = [
    (r"\log x", "log@(x)"),
    (r"\log \hat{y}_k", "log@(yhat_[k])"),
    (r"\log z \sum_c y_c", "<log@(z) Σ[c; : y_[c]]>"),
    (r"\log\left(\frac{a}{b}\right)", "log@(frac[a; b])"),
    (r"\log \sum_j e^{\theta_j}", "log@(Σ[j; : e^[theta_[j]]])"),
    (r"\log_b p_i", "log_[b]@(p_[i])"),
    (r"\tanh^2 g_t", "tanh^[2]@(g_[t])"),
    (r"\exp(-x)", "exp@(- x)"),
    (r"\text{softmax}(\theta)_k", "softmax@(theta)_[k]"),
    (r"\operatorname{softmax}(h U + b_2)", "softmax@(<h U> + b_[2])"),
    (r"softmax(z)", "softmax@(z)"),
    (r"sigmoid'(z)", "sigmoid'@(z)"),
    (r"\operatorname{sigmoid}^{\prime}\left(z\right)", "sigmoid'@(z)"),
    (r"\sigma'(z)^T", "sigma'@(z)^[T]"),
    (r"\sigma^{\prime}(z_1^{(t-1)})", "sigma'@(z_[1]^[(t - 1)])"),
    (r"\mathrm{diag}(h ∘ (1 - h))", "diag@(<h ∘ (1 - h)>)"),
    (r"diag(v)", "diag@(v)"),
    (r"y\log(x)", "<y log@(x)>"),
    (r"f(x)", "f@(x)"),
    (r"g(W, h)", "g@(W, h)"),
    (r"f_t(1-f_t)", "<f_[t] (1 - f_[t])>"),
    (r"\sigma(1-\sigma)", "<sigma (1 - sigma)>"),
    (r"h(1-h)", "<h (1 - h)>"),
    (r"J(\theta)", "J@(theta)"),
    (r"l(y, t)", "l@(y, t)"),
    (r"p(y|s)", "p@(y | s)"),
    (r"p(x_{t+1} = v_j | x_t, \dots, x_1)", "p@(x_[t + 1] = v_[j] | list[x_[t], …, x_[1]])"),
    (r"\max_i z_i", "max_[i]@(z_[i])"),
    (r"\max(0, x)", "max@(0, x)"),
    (r"\arg\max_\theta J", "argmax_[theta]@(J)"),
    (r"\underset{i}{\max} z_i", "max_[i]@(z_[i])"),
    (r"\underset{i}{\sum} x_i + b", "Σ[i; : x_[i]] + b"),
    (r"\operatorname*{argmax}_i p_i", "argmax_[i]@(p_[i])"),
    (r"\mathcal{N}(0, 1)", "N@(0, 1)"),
    (r"\mathbb{E}[x]", "E@(x)"),
    (r"\mathbb{1}(i=k)", "1@(i = k)"),
    (r"\mathbf{1}[j=o]", "1@(j = o)"),
    (r"\mathbb{1}_{i=k}", "1_[i = k]"),
    (r"1(i = k)", "1@(i = k)"),
    (r"1\{y = k\}", "1@(y = k)"),
    (r"\mathbb{1} - h", "1 - h"),
]
STRUCTURE = [
    (r"\delta_{ij}", "delta_[<i j>]"),
    (r"\mathbb{I}", "I"),
    (r"\overbrace{W h}^{g_t}", "brace[<W h>; g_[t]]"),
    (r"\overbrace{W_{ji}^{r,T}}^{g_{t,i}}", "brace[W_[<j i>]^[r, T]; g_[t, i]]"),
    (r"\underbrace{W_r}_{n \times 1}", "brace[W_[r]; <n × 1>]"),
    (r"\underbrace{a + b}^T c", "<(a + b)^[T] c>"),
    (r"\boxed{a + b}", "a + b"),
    (r"\{(a - b) W\} W_1", "<{<(a - b) W>} W_[1]>"),
    (r"[x_t; h_{t-1}]", "[list[x_[t], h_[t - 1]]]"),
    (r"[a + b] c", "<[a + b] c>"),
    (r"\begin{bmatrix} a & b \\ c & d \end{bmatrix}", "bmatrix[a, b | c, d]"),
    (
        r"\begin{cases} 1 & \text{if } i = j \\ 0 & \text{otherwise} \end{cases}",
        "cases[1 if i = j | 0]",
    ),
    (r"\left\{\begin{array}{ll} a & i=j \\ b & i\neq j \end{array}\right.", "cases[a if i = j | b if i ≠ j]"),
    (r"\left\{ a & i=j \\ b & i \neq j \right.", "cases[a if i = j | b if i ≠ j]"),
    (r"a \cdots b", "<a … b>"),
    (r"\sqrt{x}", "sqrt@(x)"),
    (r"\sqrt[3]{x}", "sqrt^[3]@(x)"),
    (r"\binom{n}{k}", "binom@(n, k)"),
    (r"{\bf x}", "x"),
    (r"{\rm softmax}(x)", "softmax@(x)"),
    (r"\mathbf{ab}", "<a b>"),
    (r"\textcolor{red}{a} b", "<a b>"),
    (r"\cancel{a} b", "<a b>"),
    (r"W\_{ij}", "W_[<i j>]"),
    (r"\left( a \right. + \left. b \right)", "(a + b)"),
]
DAMAGE = [
    (r"\frac{a}{b", "<frac[a; ?{?] b>"),
    (r"(a + b", "<?(? a> + b"),
    (r"a}", "a"),
    (r"\foo{b}", r"<?\foo? b>"),
    (r"(a \text{ such that } b)", r"(<a ?\text{ such that }? b>)"),
    (r"\hat{ab}", r"?\hat{ab}?"),
    (r"\frac{\partial J}{\partial}", "frac[<∂ J>; ∂]"),
    (r"a \cdot", "<a · ??>"),
]
TABLE = [*NAMES, *PRODUCTS, *FRACTIONS, *BARS, *SUMS, *FUNCTIONS, *STRUCTURE, *DAMAGE]


@pytest.mark.parametrize(("text", "expected"), TABLE, ids=[text for text, _ in TABLE])
def test_a_formula_is_read_as_it_was_written(text: str, expected: str) -> None:
    assert formula(text) == expected


def alone(text: str) -> Written:
    (statement,) = read_formula(text)
    assert statement.left is not None and not statement.links
    return statement.left


@pytest.mark.parametrize("spelling", [r"\mathbf{h}", r"\boldsymbol h", r"\bm{h}", "{\\bf h}", "𝐡"])
def test_faces_are_kept_beside_the_name(spelling: str) -> None:
    assert alone(spelling) == Letter("h", alone(spelling).span, face="bold")


@pytest.mark.parametrize(
    ("text", "face"),
    [(r"\mathcal{J}", "calligraphic"), (r"\mathbb{R}", "blackboard"), (r"\mathrm{d}", "upright"), ("x", "")],
)
def test_the_face_of_a_letter(text: str, face: str) -> None:
    node = alone(text)
    assert isinstance(node, Letter) and node.face == face


@pytest.mark.parametrize(
    "spellings",
    [
        (r"\frac{\partial J}{\partial U}", r"\dfrac{∂J}{∂U}", r"\partial J/\partial U", r"{∂ J \over ∂ U}"),
        (r"\hat{\mathbf{y}}_k", r"{\mathbf{\hat y}}_k"),
        (r"W^{(t)T}", r"W^{(t)^T}", r"{W^{(t)}}^T"),
        (r"\left(a+b\right)^T", r"(a+b)^{T}", r"\bigl(a + b\bigr)^T", r"\big( a+b \big)^{ T }"),
        (r"\sigma'(z)", r"\sigma^{\prime}\left(z\right)", r"σ′(z)", r"\sigma^\prime (z)"),
        (r"\text{softmax}(z)", r"\operatorname{softmax}(z)", r"\mathrm{softmax}\left(z\right)", "softmax(z)"),
        (r"A \odot B", r"A \circ B", "A ⊙ B", "A ∘ B"),
        (r"h^\top", r"h^{\intercal}", "hᵀ", "h^⊤"),
        (r"\sum_{i} x_i", r"\sum\limits_i x_i", "∑_i x_i"),
        ("a \\leq b", "a ≤ b", "a \\le b"),
    ],
    ids=lambda spellings: spellings[0],
)  # fmt: skip
def test_spellings_of_one_and_the_same(spellings: tuple[str, ...]) -> None:
    def plain(text: str) -> list[str]:
        (statement,) = read_formula(text)
        return [compact(statement.left), *(f"{link.sign} {compact(link.right)}" for link in statement.links)]

    assert len({tuple(plain(text)) for text in spellings}) == 1


def test_places_of_a_formula() -> None:
    text = r"H^T \frac{\partial J^{(t)}}{\partial b_1} + c"
    terms = alone(text)
    assert isinstance(terms, Terms) and terms.span.text == text
    chain = terms.terms[0]
    assert isinstance(chain, Chain) and chain.span.text == r"H^T \frac{\partial J^{(t)}}{\partial b_1}"
    derivative = chain.factors[1]
    assert (
        isinstance(derivative, Differential)
        and derivative.span.text == r"\frac{\partial J^{(t)}}{\partial b_1}"
    )
    assert derivative.top is not None and derivative.top.span.text == "J^{(t)}"
    assert derivative.bottom.span.text == "b_1"


def test_the_place_and_reason_of_what_cannot_be_read() -> None:
    (found,) = (part for part in walk(alone(r"a + \foo b")) if isinstance(part, Unread))
    assert (found.text, found.reason, found.span.column) == (r"\foo", "this command is not known", 5)


def test_a_letter_before_a_bracket_is_a_function_or_a_factor() -> None:
    assert isinstance(alone(r"\sigma(z)"), Call)
    factor = alone("W(z + b)")
    assert isinstance(factor, Chain) and isinstance(factor.factors[1], Bracketed)


def test_numbers() -> None:
    product = alone("0.5 x")
    assert isinstance(product, Chain) and product.factors[0] == Numeral(0.5, product.span)
    assert compact(alone(".25x")) == "<0.25 x>"
    half = alone(r"\frac12")
    assert isinstance(half, Fraction) and (half.top.span.text, half.bottom.span.text) == ("1", "2")


@pytest.mark.parametrize(
    "text",
    [
        r"\frac{1}{" * 500 + "x" + "}" * 500,
        "(" * 500 + "x" + ")" * 500,
        "x_{" * 500 + "y" + "}" * 500,
        r"\sqrt" * 500 + "x",
        r"\sum " * 500 + "x",
        r"\log " * 500 + "x",
        r"\hat " * 500 + "x",
        "-" * 500 + "x",
    ],
    ids=lambda text: text[:8],
)
def test_deep_nesting_is_bounded_and_told(text: str) -> None:
    for statement in read_formula(text):
        level = [statement.left]
        depth = 0
        reasons = set()
        while level:
            reasons |= {node.reason for node in level if isinstance(node, Unread)}
            level = [part for node in level if node is not None for part in children(node)]
            depth += 1
        assert depth < 150
        assert reasons


def test_what_is_nested_too_deeply_is_named() -> None:
    reasons = [part.reason for part in walk(alone("(" * 99 + "x" + ")" * 99)) if isinstance(part, Unread)]
    assert reasons == [TOO_DEEP]
    after = alone("(" * 99 + "x" + ")" * 99 + r" \frac{a}{b}")
    assert isinstance(after, Chain) and isinstance(after.factors[-1], Fraction)


def test_walk_goes_through_every_part_once() -> None:
    names = [
        part.name
        for part in walk(alone(r"\sum_{i=a}^b \frac{c_d}{e} \left. f g' \right|_{h}"))
        if isinstance(part, Letter)
    ]
    assert sorted(names) == list("abcdefghi")
