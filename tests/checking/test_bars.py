"""Bars with words, and what enters a cell beside its other states."""

from bptt.checking.check import check_document
from bptt.source import Source

CELL = r"""
$$u_t = W x_t + U h_{t-1}, \quad u_t = [a_t; e_t], \quad f_t = \sigma(a_t), \quad g_t = \tanh(e_t)$$
$$c_t = f_t \odot c_{t-1} + (1 - f_t) \odot g_t, \qquad h_t = \tanh(c_t)$$
For any $q$ let $\delta q = \partial E / \partial q$.

"""


def verdicts(text: str) -> list[str]:
    return [claim.verdict for claim in check_document(Source("notes.md", CELL + text)).claims]


def test_what_arrives_by_way_of_something() -> None:
    right = r"$$\left. \delta c_t \right|_{\text{from } h_t} = \delta h_t \odot (1 - h_t^2)$$"
    assert verdicts(right) == ["correct"]
    ahead = r"$$\delta c_t = \delta h_t \odot (1 - h_t^2) + \delta c_{t+1} \odot f_{t+1}$$"
    assert verdicts(right + ahead) == ["correct", "correct"]


def test_with_words_nothing_is_wrong() -> None:
    for words in (r"\text{from } h_t", r"\text{as before}", r"\text{gates fixed}"):
        assert verdicts(r"$$\left. \delta c_t \right|_{" + words + r"} = \delta h_t \odot h_t$$") == [
            "undecided"
        ]


def test_gates_held() -> None:
    text = (
        r"$$\left. \frac{\partial c_t}{\partial c_{t-1}} \right|_{\text{gates fixed}} = \mathrm{diag}(f_t)$$"
    )
    assert verdicts(text) == ["correct"]


def test_one_of_two_states_that_enter_a_cell() -> None:
    text = r"$$\delta c_{t-1} = \delta c_t \odot f_t, \qquad \delta h_{t-1} = U^T \delta u_t$$"
    assert verdicts(text) == ["convention", "correct"]
    report = check_document(Source("notes.md", CELL + text))
    assert "step t alone" in report.claims[0].convention
    assert verdicts("These are total derivatives. " + text)[0] not in ("correct", "convention")


def test_a_slip_in_one_of_two_states() -> None:
    text = r"$$\delta c_{t-1} = \delta c_t \odot g_t$$"
    assert verdicts(text) not in (["correct"], ["convention"])


def test_a_vector_put_together() -> None:
    text = r"$$\delta u_t = [\delta a_t; \delta e_t], \qquad \delta e_t = \delta g_t \odot (1 - g_t^2)$$"
    assert verdicts(text) == ["correct", "correct"]
    assert verdicts(r"$$\delta u_t = [\delta e_t; \delta a_t]$$") not in (["correct"], ["convention"])
