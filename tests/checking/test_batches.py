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
REGRESSION = r"""
Given $m$ training examples, $\hat{y}^{(i)} = \theta^T x^{(i)}$ and
$$J(\theta) = \frac{1}{2m} \sum_{i=1}^m (\hat{y}^{(i)} - y^{(i)})^2 + \frac{\lambda}{2m} \sum_j \theta_j^2$$
The $(x^{(i)})^T$ are the rows of $X$.
"""
LEAST_SQUARES = r"""
$X \in \mathbb{R}^{N \times D}$ is the design matrix, $\mathbf{e} = X \mathbf{w} - \mathbf{y}$ and
$$E = \frac{1}{2} \|X \mathbf{w} - \mathbf{y}\|^2 + \frac{\lambda}{2} \|\mathbf{w}\|^2$$
"""
LOSS_OF_EACH = r"""
For every sample $n$ of the batch $\mathbf{a}_n = W \mathbf{x}_n + \mathbf{b}$,
$\mathbf{p}_n = \mathrm{softmax}(\mathbf{a}_n)$.
$$L = \frac{1}{B} \sum_{n=1}^B L_n, \qquad L_n = -\sum_k t_{nk} \log p_{nk}$$
"""
COST = r"""
For one example $z^{(i)} = w^T x^{(i)} + b$, $\hat{y}^{(i)} = a^{(i)} = \sigma(z^{(i)})$ and
$\mathcal{L}(a^{(i)}, y^{(i)}) = -y^{(i)} \log a^{(i)} - (1 - y^{(i)}) \log (1 - a^{(i)})$. The cost is
$J = \frac{1}{m} \sum_{i=1}^m \mathcal{L}(a^{(i)}, y^{(i)})$, and the $m$ examples are the columns of $X$.
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
        (REGRESSION, [
            r"{\partial J}{\partial \theta_j} = \frac{1}{m} \sum_{i=1}^m (\hat{y}^{(i)} - y^{(i)}) x_j^{(i)}"
            r" + \frac{\lambda}{m} \theta_j",
            r"{\partial J}{\partial \theta} = \frac{1}{m} (X^T (X \theta - y) + \lambda \theta)",
            r"{\partial^2 J}{\partial \theta \partial \theta^T} = \frac{1}{m} (X^T X + \lambda I)",
        ]),
        (LEAST_SQUARES, [
            r"{\partial E}{\partial \mathbf{w}} = X^T \mathbf{e} + \lambda \mathbf{w}",
            r"{\partial E}{\partial \mathbf{w}} = X^T (X \mathbf{w} - \mathbf{y}) + \lambda \mathbf{w}",
            r"{\partial E}{\partial \mathbf{e}} = \mathbf{e}",
        ]),
        (LOSS_OF_EACH, [
            r"{\partial L_n}{\partial \mathbf{a}_n} = \mathbf{p}_n - \mathbf{t}_n",
            r"{\partial L}{\partial \mathbf{a}_n} = \frac{1}{B} (\mathbf{p}_n - \mathbf{t}_n)",
            r"{\partial L_n}{\partial W} = (\mathbf{p}_n - \mathbf{t}_n) \mathbf{x}_n^T",
            r"{\partial L}{\partial W_{kj}} = \frac{1}{B} \sum_n (p_{nk} - t_{nk}) x_{nj}",
        ]),
        (COST, [
            r"{\partial J}{\partial w} = \frac{1}{m} \sum_{i=1}^m (a^{(i)} - y^{(i)}) x^{(i)}",
            r"{\partial J}{\partial b} = \frac{1}{m} \sum_{i=1}^m (\hat{y}^{(i)} - y^{(i)})",
            r"{\partial J}{\partial w} = \frac{1}{m} X (A - Y)^T",
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
        (LOSS_OF_EACH, r"{\partial L_n}{\partial W} = (\mathbf{p}_n - \mathbf{t}_n) \mathbf{x}_n^T",
         r"{\partial L}{\partial \mathbf{b}} = \sum_n (\mathbf{p}_n - \mathbf{t}_n)", "missing-factor"),
        (LEAST_SQUARES, r"{\partial E}{\partial \mathbf{w}} = X^T \mathbf{e} + \lambda \mathbf{w}",
         r"{\partial E}{\partial \mathbf{w}} = X \mathbf{e} + \lambda \mathbf{w}", "transpose"),
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


def test_a_bias_is_added_to_every_row() -> None:
    model = r"""$X \in \mathbb{R}^{n \times d}$ holds a minibatch of $n$ examples; $H = \tanh(X V + b)$,
    $O = H W + c$ and $L = \frac{1}{2n} \|O - Y\|^2$."""
    output = r"{\partial L}{\partial O} = \frac{1}{n} (O - Y)"
    claims = (output, output, r"{\partial L}{\partial c} = \frac{\partial L}{\partial O}")
    assert verdicts(model, *claims) == ["correct", "correct", "wrong missing-sum"]


def test_a_document_about_one_example_stays_so() -> None:
    model = r"""A row $x$, $p = \mathrm{softmax}(x W + b)$, $J = -\sum_i y_i \log p_i$. Later we stack $N$
    examples as the rows of $X$ and $Y$, $P = \mathrm{softmax}(X W + b)$."""
    right = r"{\partial J}{\partial W} = x^T (p - y)", r"{\partial J}{\partial b} = p - y"
    assert not any(verdict.startswith(("wrong", "undecided")) for verdict in verdicts(model, *right))


@pytest.mark.parametrize(
    ("model", "claims"),
    [
        # The mean of all examples is in each of them.
        (r"""For a batch of $m$ examples $\mu = \frac{1}{m} \sum_{i=1}^m x_i$, $y_i = \gamma (x_i - \mu)$ and
         $L = \sum_{i=1}^m y_i^2$.""",
         [r"{\partial L}{\partial x_i} = 2 \gamma (y_i - \frac{1}{m} \sum_{j=1}^m y_j)"]),
        # A root of the mean is no mean of roots.
        (r"""For the examples $n = 1, \dots, N$ let $f_n = w^T x_n$ and
         $L = \sqrt{\frac{1}{N} \sum_{n=1}^N (f_n - y_n)^2}$.""",
         [r"{\partial L}{\partial f_n} = \frac{f_n - y_n}{N L}"]),
        # Rows are multiplied with rows.
        (r"Each row of $X$ is an example, $K = X X^T$, $f = K a$, $J = \frac{1}{2} \|f - y\|^2$.",
         [r"{\partial J}{\partial a} = K (f - y)", r"{\partial J}{\partial f} = f - y"]),
    ],
)  # fmt: skip
def test_examples_that_depend_on_each_other(model: str, claims: list[str]) -> None:
    assert not any(verdict.startswith("wrong") for verdict in verdicts(model, *claims))


def test_a_quantity_that_is_called_like_the_number_of_examples() -> None:
    model = SOFTMAX_ROWS.replace("Z", "B")
    assert verdicts(model, r"{\partial J}{\partial B} = \frac{1}{N} (P - Y)") == ["undecided"]
