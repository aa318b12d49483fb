"""What equations mean: the model that comes out of a text."""

import pytest

from bptt.ir import build
from bptt.ir.dims import VOCABULARY, Dim
from bptt.ir.expr import Expr
from bptt.ir.model import Model
from bptt.ir.ops import Op
from bptt.ir.traversal import topological
from bptt.lowering import lower
from bptt.source import Source
from bptt.syntax import parse

V, E, H = VOCABULARY, Dim.named("e"), Dim.named("h")
ELMAN = """size e = 64, h = 128
e = x @ L
h = sigmoid(h[t-1] @ H + e @ I + b1)
yhat = softmax(h @ U + b2)
"""


def lowered(text: str, name: str = "model.eq") -> Model:
    return lower(parse(Source(name, text)))


def shape(model: Model, name: str) -> str:
    return "(" + ", ".join(map(str, model.definitions[name].shape)) + ")"


def cross_entropy(yhat: Expr) -> Expr:
    return build.neg(build.total(build.mul(build.token("y"), build.apply(Op.LOG, yhat))))


def test_elman_in_full() -> None:
    model = lowered(ELMAN, "elman.eq")
    x, h_before = build.token("x"), build.carry("h", (H,))
    e = build.contract(x, build.param("L", (V, E)), (0, 0))
    inside = build.add(
        build.contract(h_before, build.param("H", (H, H)), (0, 0)),
        build.contract(e, build.param("I", (E, H)), (0, 0)),
        build.param("b1", (H,)),
    )
    h = build.apply(Op.SIGMOID, inside)
    logits = build.add(build.contract(h, build.param("U", (H, V)), (0, 0)), build.param("b2", (V,)))
    yhat = build.apply(Op.SOFTMAX, logits)
    assert model.name == "elman"
    assert model.definitions == {"e": e, "h": h, "yhat": yhat}
    assert list(model.definitions) == ["e", "h", "yhat"]
    assert model.params == {"L": (V, E), "H": (H, H), "I": (E, H), "b1": (H,), "U": (H, V), "b2": (V,)}
    (state,) = model.states
    assert (state.name, state.variable, state.lag, state.shape) == ("h", "h", 1, (H,))
    assert state.update is h and state.initial is None
    assert model.output == "yhat" and model.layout == "row"
    assert model.objective is cross_entropy(yhat)
    assert model.dims == {"h": ("h",), "e": ("e",)}
    assert model.sizes == {"e": 64, "h": 128}
    assert model.remarks == ()
    assert (model.spans["h"].line, model.spans["U"].line, model.spans["U"].column) == (3, 4, 20)


def test_columns() -> None:
    model = lowered("e = L @ x\nh = tanh(H @ h[t-1] + I @ e)\nyhat = softmax(U @ h)\n")
    assert model.layout == "column"
    assert model.params == {"L": (E, V), "H": (H, H), "I": (H, E), "U": (V, H)}
    assert model.definitions["e"] is build.contract(build.token("x"), build.param("L", (E, V)), (0, 1))


def test_latex_is_the_same_language() -> None:
    model = lowered(
        r"""\begin{align}
        h_t &= \tanh(W x_t + U h_{t-1} + b) \\
        \hat{y}_t &= \mathrm{softmax}(C h_t)
        \end{align}""",
        "paper.tex",
    )
    same = lowered("h = tanh(W @ x + U @ h[t-1] + b)\nyhat = softmax(C @ h)\n")
    assert model.definitions == same.definitions


def test_order_by_dependence() -> None:
    model = lowered("yhat = softmax(h @ U)\nh = tanh(e @ W)\ne = x @ L\n")
    assert list(model.definitions) == ["e", "h", "yhat"]


def test_two_steps_back() -> None:
    model = lowered("h = tanh(x @ L + h[t-2] @ H)\nh[0] = start\nyhat = softmax(h @ U)\n")
    near, far = model.states
    assert (near.name, far.name) == ("h", "h@2")
    assert near.update is model.definitions["h"]
    assert far.update is build.carry("h", (H,))
    assert near.initial is far.initial is build.param("start", (H,))


@pytest.mark.parametrize(
    ("start", "initial"),
    [
        ("0", None),
        ("0.5", build.broadcast(build.const(0.5), (H,))),
        ("tanh(s)", build.apply(Op.TANH, build.param("s", (H,)))),
    ],
)
def test_starts(start: str, initial: Expr | None) -> None:
    model = lowered(f"h = tanh(x @ L + h[t-1] @ H)\nh[0] = {start}\nyhat = softmax(h @ U)\n")
    assert model.states[0].initial is initial


def test_earlier_tokens_are_carried_as_their_products() -> None:
    model = lowered("h = tanh(x @ A + x[t-1] @ B + x[t-2] @ C + x[t-3] @ B)\nyhat = softmax(h @ U)\n")
    b = build.contract(build.token("x"), build.param("B", (V, H)), (0, 0))
    c = build.contract(build.token("x"), build.param("C", (V, H)), (0, 0))
    assert [(s.name, s.lag) for s in model.states] == [
        ("u", 1), ("u@2", 2), ("u@3", 3), ("u2", 1), ("u2@2", 2),
    ]  # fmt: skip
    assert model.definitions["u"] is b and model.definitions["u2"] is c
    assert model.remarks[0] == "x[t-1] @ B is read as u[t-1] with u = x @ B"


def test_earlier_tokens_in_columns() -> None:
    model = lowered("h = tanh(A @ x + B @ x[t-1])\nyhat = softmax(U @ h)\n")
    assert model.layout == "column"
    assert model.definitions["u"] is build.contract(build.token("x"), build.param("B", (H, V)), (0, 1))


def test_matrix_memory() -> None:
    model = lowered(
        "k = x @ K\nv = x @ W\nq = x @ Q\nS = 0.9 * S[t-1] + k.T @ v\no = q @ S\nyhat = softmax(o @ U)\n"
    )
    definitions = model.definitions
    assert (shape(model, "S"), shape(model, "o")) == ("(k, v)", "(v)")
    written = build.outer(definitions["k"], definitions["v"])
    before = build.carry("S", definitions["S"].shape)
    assert definitions["S"] is build.add(build.mul(build.const(0.9), before), written)
    assert definitions["o"] is build.contract(definitions["q"], definitions["S"], (0, 0))
    assert model.dims == {"k": ("k", "q"), "v": ("v", "o")}


def test_scalar_products() -> None:
    model = lowered("k = x @ K\nq = x @ Q\na = q @ k.T\nh = a * k\nyhat = softmax(h @ U)\n")
    assert shape(model, "a") == "()"
    assert model.definitions["a"] is build.contract(model.definitions["q"], model.definitions["k"], (0, 0))


def test_concatenation() -> None:
    model = lowered("e = x @ L\nh = tanh([e, h[t-1], sum(e)] @ W)\nyhat = softmax(h @ U)\n")
    assert model.params["W"] == (E + H + Dim.number(1), H)


def test_mean_divides_by_the_size() -> None:
    model = lowered("h = x @ L\nm = mean(h)\nyhat = softmax(h @ U * m)\n")
    assert model.definitions["m"] is build.div(build.total(model.definitions["h"]), build.size(H))


def test_dropout_masks_are_numbered() -> None:
    model = lowered(
        "h = dropout(dropout(x @ L, 0.5) @ W, 0.25)\nyhat = softmax(h @ U)\nsize h = 3\nL : V, 8\n"
    )
    masks = {e.attr for e in topological([model.definitions["h"]]) if e.op is Op.MASK}
    assert masks == {(0, 0.5), (1, 0.25)}


def test_shapes_of_parameters_follow_from_what_they_meet() -> None:
    model = lowered(
        "h = tanh(d * h[t-1] + x @ L)\na = sigmoid(sum(h * w) + c)\nyhat = softmax(a * (h @ U))\n"
    )
    assert model.params["d"] == model.params["w"] == (H,)
    assert model.params["c"] == ()


def test_stated_shapes() -> None:
    model = lowered(
        "W : k, h\nL : V, 7\nw : h, 1\nh = tanh(x @ L @ A @ W)\nyhat = softmax(h @ U * (h @ w))\nA : 7, k\n"
    )
    assert model.params["A"] == (Dim.number(7), Dim.named("k"))
    assert model.params["w"] == (H,)
    assert model.dims == {"h": ("h",), "k": ("k",)}


def test_a_new_name_in_a_stated_shape_is_an_alias() -> None:
    model = lowered("W : n, m\ne = x @ L\nh = tanh(e @ W)\nyhat = softmax(h @ U)\nsize n = 5, h = 6\n")
    assert model.dims == {"e": ("e", "n"), "h": ("h", "m")}
    assert model.sizes == {"e": 5, "h": 6}


def test_other_names_for_the_vocabulary() -> None:
    model = lowered("x : N\nL : N, e\ne = x @ L\nyhat = softmax(e @ U)\nU : e, N\n")
    assert model.params == {"L": (V, E), "U": (E, V)}
    assert model.dims == {"e": ("e",)}


def test_an_objective_without_an_output_layer() -> None:
    model = lowered("h = tanh(x @ L)\nJ = -sum(y * log(yhat)) + 0.1 * sum(h)\n")
    assert model.remarks == ("no output is given; added: yhat = softmax(h @ U + b)",)
    assert set(model.params) == {"L", "U", "b"}


def test_a_named_size_is_a_number_in_equations() -> None:
    model = lowered("K : V, d\nk = x @ K\nyhat = softmax(k @ U / sqrt(d))\n")
    sizes = [e for e in topological([model.definitions["yhat"]]) if e.op is Op.SIZE]
    assert sizes == [build.size(Dim.named("k"))]


def test_all_vectors_of_a_size_are_its_names() -> None:
    model = lowered("g = sigmoid(x @ G)\nh = g * h[t-1]\nz = h + g\nyhat = softmax(z @ U)\nsize z = 9\n")
    assert model.dims == {"h": ("h", "g", "z")}
    assert model.sizes == {"h": 9}


def test_output_layer_is_added() -> None:
    model = lowered("h = tanh(x @ U + h[t-1] @ W + b)\n")
    assert model.output == "yhat" and shape(model, "yhat") == "(V)"
    assert model.remarks == ("no output is given; added: yhat = softmax(h @ Wy + b2)",)
    assert model.params["Wy"] == (H, V) and model.params["b2"] == (V,)


def test_output_layer_is_added_in_columns_upon_the_last_layer() -> None:
    model = lowered("h = tanh(W @ x + H @ h[t-1])\nk = tanh(K @ h + M @ k[t-1])\n")
    assert model.remarks == ("no output is given; added: yhat = softmax(U @ k + b)",)


@pytest.mark.parametrize(
    "text",
    [
        "h = x @ L\np = softmax(h @ U)\n",
        "h = x @ L\np = exp(log_softmax(h @ U))\n",
        "h = x @ L\ns = h @ U\np = exp(s) / sum(exp(s))\n",
        "h = x @ L\nq = softmax(h @ Q)\nr = softmax(h @ R)\na = sigmoid(sum(h))\np = a * q + (1 - a) * r\n",
        "h = x @ L\nq = softmax(h)\np = softmax(q @ U)\n",
        "x[t+1] ~ p\nh = x @ L\np = softmax(h @ U)\nq = softmax(h @ W)\n",
        "h = x @ L\nr = softmax(h @ W)\np = softmax(h @ U)\nq = sum(r)\nJ = -sum(y * log(p))\n",
        "h = x @ L\np = softmax(h @ U)\nentropy = -sum(p * log(p))\n",
    ],
)
def test_output_is_found(text: str) -> None:
    assert lowered(text).output == "p"


def test_weights_of_attention_are_no_output() -> None:
    model = lowered("v = x @ W\na = softmax(x @ A)\no = a * v\n")
    assert model.remarks == ("no output is given; added: yhat = softmax(o @ U + b)",)
    assert model.dims == {"v": ("v", "a", "o")}


def test_a_scalar_gate_by_a_stated_shape() -> None:
    model = lowered("h = c * h[t-1] + x @ L\nc = sigmoid(h[t-1] @ w + d)\nw : h, 1\nyhat = softmax(h @ U)\n")
    assert shape(model, "c") == "()" and model.params["d"] == () and model.params["w"] == (H,)


def test_own_objective() -> None:
    model = lowered("h = x @ L\nyhat = softmax(h @ U)\nc = -sum(y * log(yhat))\nJ = c + 0.1 * sum(h ** 2)\n")
    yhat, h = model.definitions["yhat"], model.definitions["h"]
    penalty = build.mul(build.const(0.1), build.total(build.power(h, 2.0)))
    assert model.objective is build.add(cross_entropy(yhat), penalty)


def test_weights_can_be_computed_from_parameters() -> None:
    model = lowered("M = A @ B\nh = tanh(x @ L + h[t-1] @ M)\nyhat = softmax(h @ U)\nA : h, r\n")
    assert model.layout == "row" and shape(model, "M") == "(h, h)"
    assert model.dims == {"h": ("h",), "r": ("r",)}


def test_juxtaposition_with_a_scalar_is_scaling() -> None:
    text = r"""
    $$h_t = \tanh(W x_t + U h_{t-1})$$
    $$s_t = \sigma(w^\top h_t)$$ with $w \in \mathbb{R}^{d}$,
    $$p_t = s_t \, \mathrm{softmax}(A h_t) + (1 - s_t) \, \mathrm{softmax}(C h_t)$$
    """
    model = lowered(text, "paper.tex")
    assert model.output == "p" and shape(model, "s") == "()"
    assert model.dims == {"h": ("h", "d")}


def test_a_definition_that_nothing_uses_is_remarked_on() -> None:
    text = "e = x @ L\nh = tanh(ee @ W + h[t-1] @ H)\nyhat = softmax(h @ U)\nJ = -sum(y * log(yhat))"
    model = lowered(text)
    assert model.remarks == ("e is defined (line 1), and nothing uses it",)
