"""Claims about many examples: counted by a letter, or in the rows or columns of matrices."""

import pytest

from bptt.checking.check import check_document
from bptt.source import Source

SOFTMAX_ROWS = r"""
The rows of $X$ are the examples of a batch, $Z = X W + c$ and $P = \mathrm{softmax}(Z)$ in each row.
$$J = -\frac{1}{N} \sum_{n=1}^N \sum_k Y_{nk} \log P_{nk}$$
"""
TWO_LAYERS_COLUMNS = r"""
Every column of $X$ is a sample. $$A = V X + b, \quad H = \tanh(A), \quad S = U H + c, \quad
Q = \mathrm{softmax}(S)$$ (of each column). The loss of the batch is $J = -\sum_n \sum_k Y_{kn} \log Q_{kn}$.
"""
LOGISTIC = r"""
For the samples $m = 1, \dots, M$ let $s_m = v^T x_m + c$ and $p_m = \sigma(s_m)$.
$$E = -\frac{1}{M} \sum_{m=1}^M \left[ y_m \log p_m + (1 - y_m) \log(1 - p_m) \right]$$
"""
SUPERSCRIPT = r"""
Training examples $(x^{(i)}, y^{(i)})$ are columns: $z^{(i)} = W x^{(i)} + b$,
$p^{(i)} = \mathrm{softmax}(z^{(i)})$. $$L = -\sum_{i=1}^m \sum_k y_k^{(i)} \log p_k^{(i)}$$
"""
RIDGE = r"""
$X$ has one example in each of its $N$ rows, $w$ is a column and $\mathbf{y}$ the column of the labels.
$$\mathbf{s} = X w + b \mathbf{1}, \quad \mathbf{p} = \sigma(\mathbf{s})$$
$$J = -\frac{1}{N} \left[ \mathbf{y}^T \log \mathbf{p} + (\mathbf{1} - \mathbf{y})^T \log (\mathbf{1} -
\mathbf{p}) \right] + \frac{\lambda}{2} w^T w$$
"""
EINSTEIN = r"""
Repeated indices are summed; $n$ counts the examples. $S_{nk} = X_{ni} W_{ik} + c_k$,
$P_{nk} = \frac{\exp S_{nk}}{\sum_l \exp S_{nl}}$, $L = -\frac{1}{N} Y_{nk} \log P_{nk}$.
"""


def verdicts(model: str, *claims: str) -> list[str]:
    """The verdict of each claim, with its kind where it is wrong."""
    report = check_document(Source("notes.md", model + "".join(f"\n$$\\frac{claim}$$\n" for claim in claims)))
    return [f"{claim.verdict} {claim.kind}".strip() for claim in report.claims]


@pytest.mark.parametrize(
    ("model", "right"),
    [
        (SOFTMAX_ROWS, [
            r"{\partial J}{\partial Z} = \frac{1}{N} (P - Y)",
            r"{\partial J}{\partial W} = \frac{1}{N} X^T (P - Y)",
            r"{\partial J}{\partial c} = \frac{1}{N} \sum_n (P_n - Y_n)",
            r"{\partial J}{\partial X} = \frac{\partial J}{\partial Z} W^T",
            r"{\partial J}{\partial Z_{nk}} = \frac{1}{N} (P_{nk} - Y_{nk})",
        ]),
        (TWO_LAYERS_COLUMNS, [
            r"{\partial J}{\partial S} = Q - Y",
            r"{\partial J}{\partial U} = (Q - Y) H^T",
            r"{\partial J}{\partial A} = U^T (Q - Y) \circ (1 - H \circ H)",
            r"{\partial J}{\partial b} = \sum_n \frac{\partial J}{\partial A_n}",
        ]),
        (LOGISTIC, [
            r"{\partial p_m}{\partial s_m} = p_m (1 - p_m)",
            r"{\partial E}{\partial s_m} = \frac{1}{M} (p_m - y_m)",
            r"{\partial E}{\partial v} = \frac{1}{M} \sum_{m=1}^M (p_m - y_m) x_m",
            r"{\partial E}{\partial c} = \sum_m \frac{\partial E}{\partial s_m}",
            r"{\partial s_m}{\partial c} = 1",
        ]),
        (SUPERSCRIPT, [
            r"{\partial L}{\partial z^{(i)}} = p^{(i)} - y^{(i)}",
            r"{\partial L}{\partial W} = \sum_{i=1}^m (p^{(i)} - y^{(i)}) x^{(i)T}",
            r"{\partial L}{\partial b} = \sum_i (p^{(i)} - y^{(i)})",
            r"{\partial L}{\partial x^{(i)}} = W^T (p^{(i)} - y^{(i)})",
        ]),
        (RIDGE, [
            r"{\partial J}{\partial \mathbf{s}} = \frac{1}{N} (\mathbf{p} - \mathbf{y})",
            r"{\partial J}{\partial w} = \frac{1}{N} X^T (\mathbf{p} - \mathbf{y}) + \lambda w",
            r"{\partial J}{\partial w_j} = \frac{1}{N} \sum_n (p_n - y_n) X_{nj} + \lambda w_j",
            r"{\partial J}{\partial b} = \frac{1}{N} \mathbf{1}^T (\mathbf{p} - \mathbf{y})",
        ]),
        (EINSTEIN, [
            r"{\partial L}{\partial S_{nk}} = \frac{1}{N} (P_{nk} - Y_{nk})",
            r"{\partial L}{\partial W_{ik}} = X_{ni} \frac{\partial L}{\partial S_{nk}}",
            r"{\partial S_{nk}}{\partial S_{mj}} = \delta_{nm} \delta_{kj}",
            r"{\partial P_{nk}}{\partial S_{mj}} = \delta_{nm} P_{nk} (\delta_{kj} - P_{nj})",
        ]),
    ],
)  # fmt: skip
def test_what_holds_of_a_batch(model: str, right: list[str]) -> None:
    assert verdicts(model, *right) == ["correct"] * len(right)


@pytest.mark.parametrize(
    ("model", "right", "wrong", "kind"),
    [
        (SOFTMAX_ROWS, r"{\partial J}{\partial Z} = \frac{1}{N} (P - Y)",
         r"{\partial J}{\partial W} = X^T (P - Y)", "missing-factor"),
        (SOFTMAX_ROWS, r"{\partial J}{\partial Z} = \frac{1}{N} (P - Y)",
         r"{\partial J}{\partial c} = \frac{1}{N} (P - Y)", "missing-sum"),
        (TWO_LAYERS_COLUMNS, r"{\partial J}{\partial S} = Q - Y",
         r"{\partial J}{\partial U} = (Q - Y) H", "transpose"),
        (LOGISTIC, r"{\partial E}{\partial s_m} = \frac{1}{M} (p_m - y_m)",
         r"{\partial E}{\partial c} = \frac{1}{M} (p_m - y_m)", "missing-sum"),
        (SUPERSCRIPT, r"{\partial L}{\partial z^{(i)}} = p^{(i)} - y^{(i)}",
         r"{\partial L}{\partial b} = p^{(i)} - y^{(i)}", "missing-sum"),
    ],
)  # fmt: skip
def test_what_is_wrong_of_a_batch(model: str, right: str, wrong: str, kind: str) -> None:
    assert verdicts(model, right, right, wrong) == ["correct", "correct", f"wrong {kind}"]


def test_each_example_has_its_own_error_where_weights_have_the_mean() -> None:
    model = TWO_LAYERS_COLUMNS.replace(r"$J = -\sum_n", r"$J = -\frac{1}{m} \sum_{n=1}^m")
    claims = "$$dS = Q - Y$$ $$dU = \\frac{1}{m} dS H^T$$ $$dH = U^T dS$$ $$dc = \\frac{1}{m} \\sum_n dS_n$$"
    report = check_document(Source("notes.md", model + claims))
    assert [claim.verdict for claim in report.claims] == ["correct"] * 4
    # That is one convention, and not now this, now that.
    report = check_document(Source("notes.md", model + claims + "$$dU = dS H^T$$"))
    assert [claim.verdict for claim in report.claims] == ["correct"] * 4 + ["wrong"]


def test_a_sum_over_classes_is_none_over_examples() -> None:
    model = r"An example $x$ is a row. $z_k = \sum_i x_i W_{ik}$, $p = \mathrm{softmax}(z)$, "
    model += r"$J = -\sum_{k=1}^K y_k \log p_k$."
    claims = r"{\partial J}{\partial z} = p - y", r"{\partial J}{\partial W} = x^T (p - y)"
    assert verdicts(model, *claims) == ["correct", "correct"]
