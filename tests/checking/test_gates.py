"""Several gates in one equation: a column of functions of a vector that is cut into pieces."""

from bptt.checking.check import check_document
from bptt.source import Source

COLUMN = r"\begin{pmatrix} i_t \\ f_t \\ g_t \end{pmatrix}"
FUNCTIONS = r"\begin{pmatrix} \sigma \\ \sigma \\ \tanh \end{pmatrix}"
JOINED = r"\begin{pmatrix} h_{t-1} \\ x_t \end{pmatrix}"
CELL = (
    f"$${COLUMN} = {FUNCTIONS} W {JOINED}$$"
    + r"""
$$c_t = f_t \odot c_{t-1} + i_t \odot g_t, \qquad h_t = \tanh(c_t)$$

"""
)


def verdicts(text: str) -> list[str]:
    return [claim.verdict for claim in check_document(Source("notes.md", text)).claims]


def test_each_gate_has_its_function() -> None:
    report = check_document(
        Source("notes.md", CELL + r"$$\frac{\partial J}{\partial c_t} = \frac{\partial J}{\partial h_t}$$")
    )
    for equation in ("z = W × [h[t-1], x]", "i = sigmoid(z_i)", "f = sigmoid(z_f)", "g = tanh(z_g)"):
        assert equation in report.model


def test_claims_about_gates() -> None:
    text = (
        CELL
        + r"""
$$\frac{\partial J}{\partial f_t} = \frac{\partial J}{\partial c_t} \odot c_{t-1}$$
$$\frac{\partial J}{\partial i_t} = \frac{\partial J}{\partial c_t} \odot g_t$$
$$\frac{\partial J}{\partial g_t} = \frac{\partial J}{\partial c_t} \odot f_t$$
"""
    )
    assert verdicts(text) == ["correct", "correct", "wrong"]


def test_gates_that_are_said_twice_and_differ() -> None:
    text = CELL + f"$${COLUMN} = {FUNCTIONS} (W x_t + U h_{{t-1}})$$"
    text += (
        r"$$\begin{bmatrix} i_t \\ f_t \end{bmatrix} = \begin{bmatrix} \sigma \\ \sigma \end{bmatrix} U x_t$$"
    )
    text += r"$$\frac{\partial J}{\partial f_t} = \frac{\partial J}{\partial c_t} \odot c_{t-1}$$"
    assert "wrong" not in verdicts(text)


def test_other_columns_stay() -> None:
    assert (
        verdicts(r"$$\begin{pmatrix} a \\ b \end{pmatrix} = \begin{pmatrix} 1 \\ 2 \end{pmatrix} c$$") == []
    )
