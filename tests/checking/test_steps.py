"""Letters that count steps: sums and products over steps, states far apart, steps by numbers and up to T."""

import pytest

from bptt.checking.check import check_document
from bptt.checking.statements import read_formula
from bptt.checking.steps import STEP, with_steps
from bptt.checking.written import Letter, walk
from bptt.source import Source
from checking.compact import compact

COLUMNS = r"Columns. $$h_t = \tanh(W h_{t-1} + V x_t), \qquad D_t = \mathrm{diag}(1 - h_t \odot h_t)$$ "
LOSSES = r"""
$$a_t = W h_{t-1} + V x_t, \quad h_t = \tanh(a_t), \quad p_t = \mathrm{softmax}(U h_t)$$
$$L = \sum_{t=1}^{T} L_t, \qquad L_t = -y_t^\top \log p_t$$

"""


def verdicts(text: str) -> list[str]:
    return [claim.verdict for claim in check_document(Source("notes.md", text)).claims]


def steps(text: str) -> set[str]:
    statements = with_steps(list(read_formula(text)))
    sides = [side for s in statements for side in (s.left, *(link.right for link in s.links)) if side]
    return {
        part.name for side in sides for part in walk(side) if isinstance(part, Letter) and part.face == STEP
    }


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (r"\frac{\partial h_t}{\partial h_k} = 1", {"k"}),
        (r"\prod_{j=k+1}^{t} \frac{\partial h_j}{\partial h_{j-1}} = h_t", {"j", "k"}),
        (r"\prod_{t \ge i > k} \frac{\partial h_i}{\partial h_{i-1}} = h_t", {"i", "k"}),
        (r"a_t = \sum_{s=0}^{t} h_s", {"s"}),
        (r"L = \sum_{k=1}^{T} L_k + L_t", {"k"}),
        (r"h_t = \sum_k W_{ik} h_k", set()),
        (r"x_t = u_{i+1} + v_{i}", set()),
        (r"\frac{\partial h_{t,i}}{\partial h_{t,k}} = \delta_{ik}", set()),
        (r"y_i = \sum_{k=1}^{n} w_k x_{k-1}", set()),
    ],
)
def test_which_letters_count_steps(formula: str, expected: set[str]) -> None:
    assert steps(formula) == expected


def test_marks_do_not_change_what_stands_there() -> None:
    (before,) = read_formula(r"\prod_{j=k+1}^{t} h_j = h_t^{(k)}")
    (after,) = with_steps([before])
    assert compact(after.left) == compact(before.left)


def test_a_product_of_jacobians() -> None:
    text = (
        COLUMNS
        + r"$$\frac{\partial h_t}{\partial h_k} = \prod_{j=k+1}^{t} \frac{\partial h_j}{\partial h_{j-1}}$$"
    )
    assert verdicts(text) == ["correct"]


def test_a_product_of_values_in_either_layout() -> None:
    for value in (r"D_j W", r"W^\top D_j"):
        text = COLUMNS + r"$$\frac{\partial h_t}{\partial h_k} = \prod_{j=k+1}^{t} " + value + "$$"
        assert verdicts(text) == ["correct"], value


def test_a_product_of_values_that_is_right_in_no_layout() -> None:
    for value in (r"W^\top D_{j-1}", r"W D_j", r"D_j W^\top"):
        text = COLUMNS + r"$$\frac{\partial h_t}{\partial h_k} = \prod_{j=k+1}^{t} " + value + "$$"
        assert verdicts(text) not in (["correct"], ["convention"]), value


def test_a_sum_over_all_ways_back() -> None:
    text = (
        LOSSES
        + r"""
$$\frac{\partial L_t}{\partial W} = \sum_{k=1}^{t} \frac{\partial L_t}{\partial h_t}
\frac{\partial h_t}{\partial h_k} \frac{\partial^+ h_k}{\partial W}$$
$$\frac{\partial L}{\partial W} = \sum_{t=1}^{T} \sum_{k=1}^{t} \frac{\partial L_t}{\partial h_t}
\left( \prod_{j=k+1}^{t} \frac{\partial h_j}{\partial h_{j-1}} \right) \frac{\partial h_k}{\partial W}$$
"""
    )
    assert verdicts(text) == ["correct", "correct"]


def test_a_sum_that_stops_too_early() -> None:
    text = (
        LOSSES
        + r"""
$$\frac{\partial L_t}{\partial W} = \sum_{k=1}^{t-1} \frac{\partial L_t}{\partial h_t}
\frac{\partial h_t}{\partial h_k} \frac{\partial h_k}{\partial W}$$
"""
    )
    assert verdicts(text) not in (["correct"], ["convention"])


def test_the_first_and_the_last_step() -> None:
    text = (
        LOSSES
        + r"""
$$\frac{\partial L}{\partial h_T} = U^\top (p_T - y_T)$$
$$\frac{\partial L}{\partial h_0} = W^\top \frac{\partial L}{\partial a_1}$$
$$\frac{\partial L}{\partial U} = \sum_{t=1}^{T} (p_t - y_t) h_t^\top$$
"""
    )
    assert verdicts(text) == ["correct"] * 3


def test_a_loss_that_is_the_sum_of_three() -> None:
    text = r"""
$$s_t = \tanh(W s_{t-1} + V x_t), \qquad E_t = \frac{1}{2} \| s_t - d_t \|^2, \qquad E = E_1 + E_2 + E_3$$
$$\frac{\partial E}{\partial s_3} = s_3 - d_3$$
$$\frac{\partial E}{\partial s_2} = s_2 - d_2
+ W^\top \mathrm{diag}(1 - s_3^2) \frac{\partial E}{\partial s_3}$$
"""
    assert verdicts(text) == ["correct", "correct"]


def test_a_norm_of_a_product_is_left_alone() -> None:
    text = COLUMNS + r"$$\left\| \frac{\partial h_t}{\partial h_k} \right\| = \lambda^{t-k}$$"
    assert set(verdicts(text)) <= {"undecided"}


def test_a_label_in_one_part_is_no_step_for_a_time_in_another() -> None:
    text = r"""
# One
$$h = \tanh(x W_1 + b_1), \qquad p = \mathrm{softmax}(h W_2 + b_2), \qquad J = -\sum_i y_i \log p_i$$
$$\frac{\partial J}{\partial W_2} = h^\top (p - y)$$
# Two
$$h^{(t)} = \tanh(h^{(t-1)} W^{(t)} + x^{(t)} V)$$
$$\frac{\partial J}{\partial x^{(t)}} =
\left( \frac{\partial J}{\partial h^{(t)}} \circ (1 - (h^{(t)})^2) \right) V^\top$$
"""
    assert "wrong" not in verdicts(text)
    assert verdicts(text)[0] == "correct"
