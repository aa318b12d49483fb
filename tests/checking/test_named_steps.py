"""Names for what happens inside a cell: p_1, p_2, … in each other, and δ that is a derivative and a value."""

from bptt.checking.check import check_document
from bptt.source import Source

GATE = r"""
$$r = \sigma(x U_r + s_{t-1} W_r), \qquad v = \tanh(x U_v + (s_{t-1} * r) W_v), \qquad s_t = s_{t-1} + v$$

Let $p_1 = s_{t-1} * r$ and $p_2 = x U_v + p_1 W_v$.

"""
READOUT = r"""
$$n_t = h_{t-1} A + x_t B, \quad h_t = \tanh(n_t), \quad s_t = h_t C,
\quad \hat{y}_t = \mathrm{softmax}(s_t)$$

"""


def verdicts(text: str) -> list[str]:
    return [claim.verdict for claim in check_document(Source("notes.md", text)).claims]


def test_a_name_for_what_a_name_stands_in() -> None:
    text = GATE + r"$$\frac{\partial J}{\partial p_2} = \frac{\partial J}{\partial s_t} * (1 - v^2)$$"
    text += r"$$\frac{\partial J}{\partial p_1} = \frac{\partial J}{\partial p_2} W_v^T$$"
    assert verdicts(text) == ["correct", "correct"]


def test_two_names_for_one_thing() -> None:
    text = r"$$a = x W + b, \qquad z = x W + b, \qquad h = \tanh(z)$$"
    text += r"$$\frac{\partial J}{\partial z} = \frac{\partial J}{\partial h} * (1 - h^2)$$"
    assert verdicts(text) == ["correct"]


def test_nothing_rests_on_a_derivative_by_what_nothing_uses() -> None:
    text = GATE + r"Let $q = x U_v + 2 s_{t-1} W_v$. "
    text += r"$$\frac{\partial J}{\partial v} = \frac{\partial J}{\partial s_t}$$"
    text += r"$$\frac{\partial J}{\partial W_v} = p_1^T \frac{\partial J}{\partial q}$$"
    assert verdicts(text) == ["correct", "undecided"]


def test_the_sign_of_an_error_is_that_of_its_value_where_nothing_says_what_is_derived() -> None:
    text = READOUT + r"$$\delta = \frac{\partial J}{\partial s_t} = y_t - \hat{y}_t$$"
    text += r"$$\frac{\partial J}{\partial C} = h_t^T \delta$$"
    assert verdicts(text) == ["convention", "convention"]


def test_the_derivative_of_a_loss_that_is_defined_has_its_sign() -> None:
    text = READOUT + r"$$J = -\sum_k y_{t,k} \log \hat{y}_{t,k}$$"
    text += r"$$\delta = \frac{\partial J}{\partial s_t} = \hat{y}_t - y_t$$"
    text += r"$$\frac{\partial J}{\partial C} = h_t^T \delta$$"
    text += r"$$\frac{\partial J}{\partial h_t} = \delta C^T$$"
    assert verdicts(text) == ["correct"] * 3


def test_a_name_for_what_a_function_is_applied_to() -> None:
    text = r"""
$$h_t = \sigma(h_{t-1} H + x_t V + b), \qquad \hat{y}_t = \mathrm{softmax}(h_t U),
\qquad J_t = CE(y_t, \hat{y}_t)$$

With $z_t$ for what is inside,
$$\frac{\partial J_t}{\partial z_t} = (\hat{y}_t - y_t) U^T \odot h_t \odot (1 - h_t)$$
$$\frac{\partial J_t}{\partial z_{t-1}} =
\frac{\partial J_t}{\partial h_{t-1}} \odot h_{t-1} \odot (1 - h_{t-1})$$
"""
    assert verdicts(text) == ["correct", "correct"]
