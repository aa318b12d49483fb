"""LaTeX as people write it, against the same model in the equation language."""

import pytest

from bptt.source import Source
from bptt.syntax import parse, parse_latex, to_latex, unparse


def read(text):
    """The canonical equations of a text in LaTeX, and the remarks about it."""
    document = parse(Source("<test>", text))
    return unparse(document).rstrip("\n"), document.remarks


PROSE = r"""
Our network, with a vocabulary of $|V|$ words and a $d$-dimensional embedding, is
$$\begin{aligned}
  v^{(t)} &= x^{(t)} E, \\
  \mathbf{h}^{(t)} &= \operatorname{sigmoid}\left(\mathbf{h}^{(t-1)} \boldsymbol{R}
    + v^{(t)} I + b_{1}\right), \\[4pt]
  \hat{y}^{(t)} &= \text{softmax}\left(h^{(t)} O + b_2\right).
\end{aligned}$$
It says \[ p\left(x_{t+1} = w_j \mid x_t, \ldots, x_1\right) = \hat{y}_j^{(t)}. \]
Here $E$, $O$ are matrices. The gradients are
$$\frac{\partial J^{(t)}}{\partial O} \quad \frac{\partial J^{(t)}}{\partial b_1}\Big|_{(t)}$$
$$\begin{aligned}
  \frac{\partial J^{(t)}}{\partial b_2} &= \hat{y} - y \\
  &= \text{error} \\
  \delta^{(t)} &= (\hat{y} - y) O^T
\end{aligned}$$
"""


def test_formulas_within_prose():
    equations, remarks = read(PROSE)
    assert equations == (
        "v = x × E\nh = sigmoid(h[t-1] × R + v × I + b1)\nyhat = softmax(h × O + b2)\nx[t+1] ~ yhat"
    )
    assert remarks == ("derivatives are worked out, not read: passed over in line 11, 13, 15",)


GATED = r"""\begin{align*}
  z_t &= \sigma(W_{xz} x_t + W_{hz} h_{t-1} + b_z) \tag{1} \\
  r_t &= \sigma(W_{xr} x_t + W_{hr} h_{t-1} + b_r) \label{eq:reset} \\
  \tilde{h}_t &= \tanh(W_{xh} x_t + W_{hh} (r_t \odot h_{t-1})) \nonumber \\
  h_t &= (1 - z_t) \circ h_{t-1}
         + z_t \circ \tilde{h}_t
\end{align*}"""


def test_gated_unit():
    equations, remarks = read(GATED)
    assert equations == (
        "z = sigmoid(W_xz × x + W_hz × h[t-1] + b_z)\n"
        "r = sigmoid(W_xr × x + W_hr × h[t-1] + b_r)\n"
        "htilde = tanh(W_xh × x + W_hh × (r * h[t-1]))\n"
        "h = (1 - z) * h[t-1] + z * htilde"
    )
    assert remarks == ()


def test_steps_that_are_counted():
    equations, remarks = read(
        r"$$\text{let } h_0 = 0, \quad h_t = \tanh(A x_t + B h_{t-1}) \quad \text{for } t = 1, 2, 3, 4$$ "
        r"$$\text{and } s = C h_4, \quad p = \text{softmax}(s), \quad x_5 \sim p$$"
    )
    assert equations == "h[0] = 0\nh = tanh(A × x + B × h[t-1])\ns = C × h\np = softmax(s)\nx[t+1] ~ p"
    (remark,) = remarks
    assert "the steps end at 4" in remark
    assert "every position of a text is in turn the last step" in remark


def test_classifier_in_a_sentence():
    equations, _ = read(
        r"Take $h = W_{\text{in}} x$, $s = W_{\text{out}} h$, $p = \text{softmax}(s)$, "
        r"$p(y_k = 1 | s) = p_k$ "
        r"with $\text{size}(x) = \text{size}(y) = K$ and $W_{\text{in}} \in \mathbb{R}^{M \times K}$."
    )
    assert equations == ("h = W_in × x\ns = W_out × h\np = softmax(s)\nx[t+1] ~ p\nx : K\ny : K\nW_in : M, K")


def test_overbrace_names_a_quantity():
    equations, _ = read(r"3. \quad h_t = z_t \odot \tanh(\overbrace{A h_{t-1} + B x_t}^{a_t})")
    assert equations == "a = A × h[t-1] + B × x\nh = z * tanh(a)"


@pytest.mark.parametrize(
    "note, equations",
    [
        ("", "h = tanh(A × x)"),
        (r"_{\text{pre-activation}}", "h = tanh(A × x)"),
        (r"_{n \times 1}", "h = tanh(A × x)"),
        ("^{k}", "h = tanh(A × x)"),
    ],
)
def test_other_notes_are_passed_over(note, equations):
    assert read(rf"h_t = \tanh(\underbrace{{A x_t}}{note})")[0] == equations


@pytest.mark.parametrize(
    "latex, equations",
    [
        # times
        (r"h_t = A h_{t-1}", "h = A × h[t-1]"),
        (r"h^{(t)} = A h^{(t-1)}", "h = A × h[t-1]"),
        (r"h^(t) = A h^(t-1)", "h = A × h[t-1]"),
        (r"h_{(t)} = A h_{(t-2)}", "h = A × h[t-2]"),
        (r"h^{\langle t\rangle} = A h^{\langle t-1\rangle}", "h = A × h[t-1]"),
        (r"h^{<t>} = A h^{⟨t-1⟩}", "h = A × h[t-1]"),
        (r"h_1^{(t)} = h_{1,t-1} + h_{2}^{(t-1)}", "h1 = h1[t-1] + h2[t-1]"),
        (r"h^{(0)} = c \\ h^{(t)} = h^{(t-1)} A", "h[0] = c\nh = h[t-1] × A"),
        (r"h_0 = 0, h_t = h_{t-1} A", "h[0] = 0\nh = h[t-1] × A"),
        (r"h^{(1)} = A x, h^{(2)} = B h^{(1)}", "h1 = A × x\nh2 = B × h1"),
        # labels, accents, fonts
        (r"a = W^e x + W^{(r)} y + W^{uv} y", "a = W_e × x + W_r × y + W_uv × y"),
        (r"a = W_{\text{embed}} x + W_{x h} b_{1}", "a = W_embed × x + W_xh × b1"),
        (r"\hat y_t = \bar{\mathbf{h}}_t + \widetilde{c}_{t}", "yhat = hbar + ctilde"),
        (r"\boldsymbol{\theta}_2 = \mathbf{h W}_t", "theta2 = h × W"),
        (r"\mathrm{emb} = x L", "emb = x × L"),
        (r"θ = ŷ b₁ ∘ h²", "theta = yhat × b1 * h ** 2"),
        # transposes and powers
        (r"a = W^T b^\top + c^{\intercal} + d^{\mathsf{T}}", "a = W.T × b.T + c.T + d.T"),
        (r"a = h^{(t-1)T} W^{r,T} + (e_t)^T", "a = h[t-1].T × W_r.T + e.T"),
        (r"a = h_t^2 + x^{n} + W^{2} + (W)^{n}", "a = h ** 2 + x ** n + W ** 2 + W ** n"),
        # products
        (r"a = W x \odot y \cdot z", "a = W × x * y × z"),
        (r"a = 2 x W + x \cdot 3", "a = (2 * x) × W + x * 3"),
        (r"a = W(x + y)", "a = W × (x + y)"),
        (r"a = xW_1 + b_1", "a = x × W1 + b1"),
        (r"a = -x W + -y", "a = -x × W + -y"),
        (r"a = (\mathbf{1} - z) * \mathbb{1}", "a = (1 - z) * 1"),
        # functions
        (
            r"a = \sigma(x) + \operatorname{sigmoid}(x) + sigmoid(xW)",
            "a = sigmoid(x) + sigmoid(x) + sigmoid(x × W)",
        ),
        (r"a = \ln x + \log(x) + \exp\left( x \right)", "a = log(x) + log(x) + exp(x)"),
        (r"a = \tanh^2 x_t + \sqrt{x}", "a = tanh(x) ** 2 + sqrt(x)"),
        (r"a = \mathrm{ReLU}(x) + \text{foo}(x, y)", "a = relu(x) + foo(x, y)"),
        (r"a = f(x) + \sigma", "a = f(x) + sigma"),
        (r"a = e^{x} - e^{-x}", "a = exp(x) - exp(-x)"),
        (r"a = \frac{x}{1 + \dfrac{y}{2}} / z", "a = x / (1 + y / 2) / z"),
        # brackets
        (r"a = \left[ x \right] + \big\{ y + {z} \big\}", "a = x + (y + z)"),
        (r"a = W [h_{t-1}; x_t] + [b, c]", "a = W × [h[t-1], x] + [b, c]"),
        (r"a = W \begin{bmatrix} h_{t-1} \\ x_t \end{bmatrix}", "a = W × [h[t-1], x]"),
        # the objective
        (r"J^{(t)} = \text{CE}(y^{(t)}, \hat{y}^{(t)})", "J = -sum(y * log(yhat))"),
        (r"J(\theta) = CE(\hat y, y)", "J = -sum(y * log(yhat))"),
        (r"J = -\sum_i y_i \log \hat y_i", "J = -sum(y * log(yhat))"),
        (r"J = -\sum_{j=1}^{|V|} y_j^{(t)} \cdot \log(\hat{y}_j^{(t)})", "J = -sum(y * log(yhat))"),
        (r"J = \sum_c y_c \log p_c", "J = sum(y * log(p))"),
        # between and around equations
        (r"(2)\; a := x W; \; b \gets a.", "a = x × W\nb = a"),
        (r"a_t = b_t \text{ where } b_t = x_t \quad (7)", "a = b\nb = x"),
        (r"a_t = b_t \text{ with } b_t = x_t \text{ for all } t", "a = b\nb = x"),
        (r"a_t = x_t \quad \forall t \geq 1", "a = x"),
        (r"\boxed{a &= x W} \implies b = a", "a = x × W\nb = a"),
        ("a_t = x_t\nb_t = a_t\n  + x_t\nc_t\n  = b_t", "a = x\nb = a + x\nc = b"),
        ("% a_t = y_t\na_t = x_t % why\n\\\\ b_t = a_t", "a = x\nb = a"),
        # shapes, sizes, outputs
        (r"h_t \in \mathbb{R}^n, W, U \in \R^{n \times |V|}", "h : n\nW : n, V\nU : n, V"),
        (r"\text{size}(h) = 128, \operatorname{size}(e) = d_e", "size h = 128\ne : d_e"),
        (r"c \in \mathbb{R} \\ b \in \mathbb{R}^{1 \times 3}", "c : ()\nb : 1, 3"),
        (r"p = x W, P(x_{t+1} \mid x_t) = p", "p = x × W\nx[t+1] ~ p"),
        (r"x_{t+1} \sim \hat{y}_t", "x[t+1] ~ yhat"),
        (r"\delta_t = x_t W", "delta = x × W"),
    ],
)
def test_forms(latex, equations):
    document = parse_latex(Source("<test>", latex))
    assert unparse(document).rstrip("\n") == equations


@pytest.mark.parametrize(
    "latex, equations, remark",
    [
        (r"a = x W = y", "a = x × W", "line 1: of several right sides of `a`, the first is read"),
        ("$a = x W$\n\n$= y$", "a = x × W", "line 3: a further right side is not read"),
        (r"x \in \{0,1\}^V \\ a = x", "a = x", r"line 1: the set in `x \in \{0,1\}^V` is not read"),
        (r'a = x, x_1 = \text{"To"}', "a = x", r'line 1: `x_1 = \text{"To"}` is an example, and not read'),
        (r"a = x \\ CE(y, p) = - y \log p", "a = x", "definition of the cross-entropy is known"),
        (r"a = x \\ \nabla_x J = a \\ \frac{dJ}{dx} = a", "a = x", "passed over in line 1"),
    ],
)
def test_what_is_passed_over_is_said(latex, equations, remark):
    document = parse_latex(Source("<test>", latex))
    assert unparse(document).rstrip("\n") == equations
    assert any(remark in said for said in document.remarks)


def test_spans_are_the_characters_as_written():
    text = r"Let $\hat{y}^{(t)} = \text{softmax}(\mathbf{h}_t U)$ and so on."
    (statement,) = parse_latex(Source("<test>", text)).statements
    assert statement.target.span.text == r"\hat{y}^{(t)}"
    assert statement.value.span.text == r"\text{softmax}(\mathbf{h}_t U)"
    assert statement.value.function_span.text == r"\text{softmax}"
    assert statement.value.arguments[0].right.span.column == text.index("U") + 1
    assert statement.span.start == text.index(r"\hat")


def test_to_latex_reads_like_a_paper():
    text = (
        "size h = 8\nL : V, e\nh[0] = 0\ne = x @ L\n"
        "h = sigmoid(h[t-1] @ H + 2 * e * W_in + b1)\nx[t+1] ~ yhat\n"
    )
    assert to_latex(parse(Source("<test>", text))) == (
        r"""\begin{aligned}
\operatorname{size}(h) &= 8 \\
L &\in \mathbb{R}^{V \times e} \\
h^{(0)} &= 0 \\
e^{(t)} &= x^{(t)} L \\
h^{(t)} &= \sigma\left(h^{(t-1)} H + 2 e^{(t)} \odot W_{\mathrm{in}} + b_{1}\right) \\
x^{(t+1)} &\sim \hat{y}^{(t)}
\end{aligned}"""
    )
