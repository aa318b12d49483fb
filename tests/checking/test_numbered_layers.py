"""Layers that are counted above their letters, by numbers or by l."""

from bptt.checking.check import check_document
from bptt.source import Source


def verdicts(text: str) -> list[str]:
    return [claim.verdict for claim in check_document(Source("net.md", text)).claims]


def test_numbers_in_brackets_and_a_rule_for_all_layers() -> None:
    text = r"""
$$z^{[1]} = W^{[1]} x + b^{[1]}, \quad a^{[1]} = \tanh(z^{[1]})$$
$$z^{[2]} = W^{[2]} a^{[1]} + b^{[2]}, \quad a^{[2]} = \tanh(z^{[2]})$$
$$z^{[3]} = W^{[3]} a^{[2]} + b^{[3]}, \quad \hat{y} = \mathrm{softmax}(z^{[3]})$$
$$J = -\sum_k y_k \log \hat{y}_k, \quad \delta^{[l]} = \frac{\partial J}{\partial z^{[l]}}$$

$$\delta^{[3]} = \hat{y} - y$$
$$\delta^{[l]} = (W^{[l+1]})^T \delta^{[l+1]} \odot (1 - a^{[l]} \odot a^{[l]})$$
$$\frac{\partial J}{\partial W^{[l]}} = \delta^{[l]} (a^{[l-1]})^T$$
$$\frac{\partial J}{\partial W^{[2]}} = \delta^{[2]} (a^{[2]})^T$$
$$\delta^{[1]} = W^{[2]T} \delta^{[2]}$$
"""
    found = verdicts(text)
    assert found[:3] == ["correct"] * 3
    assert "correct" not in found[3:]


def test_bare_numbers_above_elements() -> None:
    text = r"""
$$z_j^1 = \sum_k w_{jk}^1 x_k + b_j^1, \qquad a_j^1 = \sigma(z_j^1)$$
$$z_j^2 = \sum_k w_{jk}^2 a_k^1 + b_j^2, \qquad a_j^2 = \sigma(z_j^2)$$
$$C = \frac{1}{2} \sum_j (t_j - a_j^2)^2$$

$$\frac{\partial C}{\partial z_j^2} = (a_j^2 - t_j) \sigma'(z_j^2)$$
$$\frac{\partial C}{\partial w_{jk}^2} = a_k^1 \frac{\partial C}{\partial z_j^2}$$
$$\frac{\partial C}{\partial w_{jk}^2} = a_j^1 \frac{\partial C}{\partial z_k^2}$$
"""
    assert verdicts(text) == ["correct", "correct", "wrong"]


def test_layers_that_are_not_numbered_at_all() -> None:
    text = r"""
$$z^l = W^l a^{l-1} + b^l, \qquad a^l = \sigma(z^l), \qquad C = \frac{1}{2} \| a^L - t \|^2$$
$$\delta^l = \frac{\partial C}{\partial z^l}$$

$$\delta^L = (a^L - t) \odot \sigma'(z^L)$$
$$\delta^l = (W^{l+1})^T \delta^{l+1} \odot \sigma'(z^l)$$
$$\frac{\partial C}{\partial b^l} = \delta^l$$
$$\frac{\partial C}{\partial W^l} = \delta^l (a^{l-1})^T$$
$$\frac{\partial C}{\partial W^l} = \delta^l (a^l)^T$$
"""
    found = verdicts(text)
    assert found[:4] == ["correct"] * 4
    assert found[4] != "correct"


def test_a_square_stays_a_square() -> None:
    text = r"""
Rows. $h = \tanh(x W)$, $\hat{y} = \mathrm{softmax}(h U)$, $J = -\sum_k y_k \log \hat{y}_k$.

$$\frac{\partial J}{\partial W} = x^T \left( \frac{\partial J}{\partial h} \circ (1 - h^2) \right)$$
"""
    assert verdicts(text) == ["correct"]


def test_layers_above_and_elements_below_in_compact_and_in_split_form() -> None:
    text = r"""
$$a_j^l = \sigma\left(\sum_k w_{jk}^l a_k^{l-1} + b_j^l\right), \qquad z^l = w^l a^{l-1} + b^l$$
$$C = \frac{1}{2} \sum_j (y_j - a_j^L)^2, \qquad \delta_j^l = \frac{\partial C}{\partial z_j^l}$$

$$\delta_j^L = \frac{\partial C}{\partial a_j^L} \sigma'(z_j^L)$$
$$\delta^L = \nabla_a C \odot \sigma'(z^L)$$
$$\delta^l = ((w^{l+1})^T \delta^{l+1}) \odot \sigma'(z^l)$$
$$\frac{\partial C}{\partial w_{jk}^l} = a_k^{l-1} \delta_j^l$$
$$\frac{\partial C}{\partial w_{jk}^l} = a_k^l \delta_j^l$$
"""
    found = verdicts(text)
    assert found[:4] == ["correct"] * 4
    assert found[4] != "correct"


def test_layers_below() -> None:
    text = r"""
$h_l = \tanh(a_l)$, $a_l = W_l h_{l-1} + b_l$ for $l = 1, 2$, and $h_0 = x$;
$\hat y = \mathrm{softmax}(V h_2)$, $J = -\sum_k y_k \log \hat y_k$.

$$\frac{\partial J}{\partial a_l} = \frac{\partial J}{\partial h_l} \circ (1 - h_l \circ h_l)$$
$$\frac{\partial J}{\partial h_{l-1}} = W_l^T \frac{\partial J}{\partial a_l}$$
$$\frac{\partial J}{\partial h_{l-1}} = W_{l-1}^T \frac{\partial J}{\partial a_l}$$
"""
    found = verdicts(text)
    assert found[:2] == ["correct"] * 2
    assert "correct" not in found[2:]


def test_a_stroke_behind_a_layer_is_that_of_the_function() -> None:
    text = r"""
$Z^{[1]} = W^{[1]} X + b^{[1]}$, $A^{[1]} = g^{[1]}(Z^{[1]})$, $Z^{[2]} = W^{[2]} A^{[1]} + b^{[2]}$,
$A^{[2]} = \sigma(Z^{[2]})$ for one column $X$, and
$\mathcal{L} = -(Y \log A^{[2]} + (1 - Y) \log (1 - A^{[2]}))$.

$$\frac{\partial \mathcal{L}}{\partial Z^{[1]}}
  = W^{[2]T} \frac{\partial \mathcal{L}}{\partial Z^{[2]}} * g^{[1]\prime}(Z^{[1]})$$
"""
    assert verdicts(text) == ["correct"]
