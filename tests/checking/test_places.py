"""Where claims are meant to hold; and letters that usually mean something else."""

from bptt.checking.check import check_document
from bptt.source import Source

SOFTMAX = r"""
$p_i = e^{s_i} / \sum_j e^{s_j}$ and $J = -\sum_k y_k \log p_k$, with $\sum_k y_k = 1$.

"""


def verdicts(text: str) -> list[str]:
    return [claim.verdict for claim in check_document(Source("net.md", text)).claims]


def test_a_claim_holds_where_it_is_meant_to() -> None:
    text = r"""
$$\frac{\partial p_k}{\partial s_i} = -p_k p_i \qquad (i \neq k)$$
$$\frac{\partial p_k}{\partial s_i} = p_k (1 - p_k) \qquad (i = k)$$
$$\frac{\partial p_k}{\partial s_i} = \begin{cases} p_k (1 - p_k) & i = k \\ -p_k p_i & i \neq k \end{cases}$$
"""
    assert verdicts(SOFTMAX + text) == ["correct", "correct", "correct"]


def test_a_claim_that_fails_there_is_wrong() -> None:
    text = r"""
$$\frac{\partial p_k}{\partial s_i} = p_k p_i \qquad (i \neq k)$$
$$\frac{\partial p_k}{\partial s_i} = p_k (\delta_{ik} - p_i)$$
"""
    assert verdicts(SOFTMAX + text) == ["wrong", "correct"]


def test_a_zero_shows_something_where_elsewhere_there_is_none() -> None:
    text = r"""
Columns. $z = W x + b$, $h = \max(0, z)$, $E = \frac{1}{2} \| h - t \|^2$.

$$\frac{\partial h_i}{\partial z_j} = 0 \qquad (i \neq j)$$
$$\frac{\partial h_i}{\partial z_j} = \mathbb{1}[z_i > 0] \, \delta_{ij}$$
$$\frac{\partial h_i}{\partial z_i} = \begin{cases} 1 & z_i > 0 \\ 0 & \text{otherwise} \end{cases}$$
$$\frac{\partial h}{\partial z} = I$$
"""
    found = verdicts(text)
    assert found[:3] == ["correct"] * 3
    assert found[3] in ("wrong", "undecided")


def test_a_gate_called_T_and_a_loss_of_which_nothing_is_said() -> None:
    text = r"""
Columns. $H = \tanh(W_H x + b_H)$, $a_T = W_T x + b_T$, $T = \sigma(a_T)$ and
$y = T \odot H + (1 - T) \odot x$. A loss $L$ is computed from $y$; let $g = \partial L / \partial y$.

$$\frac{\partial L}{\partial T} = g \odot (H - x)$$
$$\frac{\partial L}{\partial a_T} = g \odot (H - x) \odot T (1 - T)$$
$$\frac{\partial L}{\partial W_T} = \frac{\partial L}{\partial a_T} x^\top$$
$$\frac{\partial L}{\partial T} = g \odot (H + x)$$
"""
    assert verdicts(text) == ["correct", "correct", "correct", "wrong"]


def test_a_state_called_x() -> None:
    text = r"""
Columns. $x_t = W \tanh(x_{t-1}) + V u_t + b$ and $E_t = \frac{1}{2} \| x_t - d_t \|^2$.

$$\frac{\partial E_t}{\partial x_t} = x_t - d_t$$
$$\frac{\partial E_t}{\partial V} \Big|_{t} = (x_t - d_t) u_t^\top$$
"""
    assert verdicts(text) == ["correct", "correct"]


def test_what_cannot_be_read_is_not_taken_as_given() -> None:
    text = r"""
Columns. $z = W x + b$, $h = z \star k$, $o = V h + A z + c$, $C = \frac{1}{2} \| o - t \|^2$.

$$\frac{\partial C}{\partial o} = o - t$$
$$\frac{\partial C}{\partial z} = A^\top (o - t)$$
$$\frac{\partial C}{\partial z} = A^\top (o - t) + V^\top (o - t) \odot \mathbb{1}[z > 0]$$
$$\frac{\partial h_i}{\partial z_j} = \mathbb{1}[z_i > 0] \, \delta_{ij}$$
"""
    assert verdicts(text) == ["correct", "undecided", "undecided", "undecided"]
