"""The lines of a backward pass as claims: δh, dh and h̄, explained or only used, of states and of gates."""

from bptt.checking.check import check_document
from bptt.source import Source

CELL = r"""
$$a_t = W h_{t-1} + V x_t + b, \qquad h_t = \tanh(a_t)$$

"""
GATES = r"""
$$f_t = \sigma(W_f x_t + U_f h_{t-1}), \qquad g_t = \tanh(W_g x_t + U_g h_{t-1})$$

$$h_t = f_t \odot h_{t-1} + g_t$$

"""


def verdicts(text: str) -> list[str]:
    return [claim.verdict for claim in check_document(Source("notes.md", text)).claims]


def test_a_mark_explained_for_any_quantity() -> None:
    text = CELL + r"For any $q$ let $\delta q = \frac{\partial E}{\partial q}$. "
    text += r"$\delta a_t = \delta h_t \odot (1 - h_t^2)$"
    assert verdicts(text) == ["correct"]


def test_what_only_explains_a_mark_is_no_claim() -> None:
    text = CELL + r"Write $\delta h_t := \partial L / \partial h_t$."
    assert verdicts(text) == []


def test_code_names_explained_in_words() -> None:
    text = CELL + r"Here `dh` is $\partial J / \partial h$. "
    text += r"Then $da_t = dh_t \odot (1 - h_t^2)$ and $dx_t = V^T da_t$."
    assert verdicts(text) == ["correct", "correct"]


def test_marks_that_are_only_used() -> None:
    text = CELL + r"$$da_t = dh_t \odot (1 - h_t^2)$$ $$dW = da_t h_{t-1}^T$$ $$dx_t = V^T da_t$$"
    assert verdicts(text) == ["correct"] * 3


def test_a_transposed_mark() -> None:
    text = CELL + r"Let $\delta q = \partial E / \partial q$. $\delta x_t^T = \delta a_t^T V$"
    assert verdicts(text) == ["correct"]


def test_an_accent() -> None:
    text = CELL + r"Let $\bar{h}_t = \partial J / \partial h_t$ and so on. "
    text += r"$\bar{a}_t = \bar{h}_t \odot (1 - h_t^2)$"
    assert verdicts(text) == ["correct"]


def test_a_slip_in_the_backward_pass() -> None:
    text = CELL + r"Let $\delta q = \partial E / \partial q$. $$\delta a_t = \delta h_t \odot (1 - h_t^2)$$"
    text += r" $$\delta x_t = V^T \delta a_t$$ $$\delta h_{t-1} = W \delta a_t$$"
    assert verdicts(text) == ["correct", "correct", "wrong"]


def test_of_a_gate_it_may_be_the_derivative_by_its_argument() -> None:
    text = GATES + r"Let $\delta h_t = \partial L / \partial h_t$. "
    by_argument = text + r"$$\delta f_t = \delta h_t \odot h_{t-1} \odot f_t \odot (1 - f_t)$$"
    by_argument += r"$$\delta g_t = \delta h_t \odot (1 - g_t^2)$$"
    by_gate = text + r"$$\delta f_t = \delta h_t \odot h_{t-1}$$ $$\delta g_t = \delta h_t$$"
    assert verdicts(by_argument) == verdicts(by_gate) == ["correct", "correct"]


def test_nothing_is_wrong_where_nothing_tells_what_a_mark_means() -> None:
    text = GATES + r"Let $\delta h_t = \partial L / \partial h_t$. "
    text += r"$$\delta f_t = \delta h_t \odot h_{t-1}$$ $$\delta g_t = \delta h_t \odot (1 - g_t^2)$$"
    assert "wrong" not in verdicts(text)
