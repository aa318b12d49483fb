"""A vector that is cut into pieces: what it is, and what its pieces are."""

from bptt.checking.check import check_document
from bptt.source import Source

CELL = r"""
$$z_t = W x_t + U h_{t-1} + b, \qquad z_t = [\hat{f}_t; \hat{g}_t]$$

$$f_t = \sigma(\hat{f}_t), \qquad g_t = \tanh(\hat{g}_t), \qquad h_t = f_t \odot h_{t-1} + g_t$$

"""


def verdicts(text: str) -> list[str]:
    return [claim.verdict for claim in check_document(Source("notes.md", text)).claims]


def test_both_statements_hold() -> None:
    text = (
        CELL
        + r"""
$$\frac{\partial J}{\partial \hat{f}_t} = \frac{\partial J}{\partial f_t} \odot f_t \odot (1 - f_t)$$
$$\frac{\partial J}{\partial x_t} = W^T \frac{\partial J}{\partial z_t}$$
$$\frac{\partial J}{\partial W} = \frac{\partial J}{\partial z_t} x_t^T$$
"""
    )
    assert verdicts(text) == ["correct"] * 3


def test_the_order_of_the_factors_matters() -> None:
    text = CELL + r"$$\frac{\partial J}{\partial U} = h_{t-1}^T \frac{\partial J}{\partial z_t}$$"
    text += r"$$\frac{\partial J}{\partial x_t} = W^T \frac{\partial J}{\partial z_t}$$"
    assert verdicts(text) == ["wrong", "correct"]


def test_the_model_says_which_part_is_which() -> None:
    text = CELL + r"$\frac{\partial J}{\partial b} = \frac{\partial J}{\partial z_t}$"
    assert "ghat = z[ghat]" in check_document(Source("notes.md", text)).model


def test_pieces_with_equations_of_their_own_are_put_together() -> None:
    text = r"""
$$p = W x, \quad q = \tanh(V x), \quad u = [p; q], \quad s = A u$$
$$\frac{\partial J}{\partial u} = A^T \frac{\partial J}{\partial s}$$
"""
    assert verdicts(text) == ["correct"]
