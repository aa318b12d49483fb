"""Vectors that are counted, in documents about word vectors and classes: every line with its verdict."""

import pytest

from bptt.checking.check import check_document
from bptt.source import Source

WORDS = r"""
Centre word $c$, outside word $o$, all vectors are columns; $U$ has the $u_w^\top$ as its rows. We minimise
$$J = -u_o^\top v_c + \log \sum_w \exp(u_w^\top v_c)$$
with $z = U v_c$, $\hat{y} = \mathrm{softmax}(z)$ and $y$ one-hot.
"""
COLUMNS = WORDS.replace("has the $u_w^\\top$ as its rows", "has the $u_w$ as its columns").replace(
    "U v_c", "U^\\top v_c"
)
SAMPLES = r"""
With $K$ samples $u_1, \ldots, u_K$ beside the true word $o$ the loss is
$$J = -\log \sigma(u_o^\top v_c) - \sum_{k=1}^{K} \log \sigma(-u_k^\top v_c)$$
"""
BOTH = (
    WORDS
    + r"""
$$\frac{\partial J}{\partial v_c} = U^\top (\hat{y} - y)$$
"""
    + SAMPLES.replace("J =", "L =")
)
ROWS = r"""
With row vectors, class vectors $u_k$ and an input $x$ let $z_k = x u_k^\top$ and
$p_k = e^{z_k} / \sum_j e^{z_j}$.
The loss is $J = -\log p_c$.
"""


def verdicts(model: str, *claims: str) -> list[str]:
    text = model + "".join(f"\n\n$${claim}$$\n" for claim in claims)
    found = check_document(Source("words.md", text)).claims
    return [claim.verdict for claim in found if claim.line > model.count("\n")]


def both(model: str, right: str, wrong: str) -> list[str]:
    """The verdicts of a line and of one with a slip, among right ones that show what is meant."""
    others = [r"\frac{\partial J}{\partial v_c} = U^\top (\hat{y} - y)"] * 2 if model == WORDS else []
    return verdicts(model, *others, right, wrong)[len(others) :]


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (
            r"\frac{\partial J}{\partial v_c} = -u_o + \sum_w \hat{y}_w u_w",
            r"\frac{\partial J}{\partial v_c} = u_o + \sum_w \hat{y}_w u_w",
        ),
        (
            r"\frac{\partial J}{\partial v_c} = -u_o + \sum_w \frac{e^{z_w}}{\sum_v e^{z_v}} u_w",
            r"\frac{\partial J}{\partial v_c} = u_o + \sum_w \frac{e^{z_w}}{\sum_v e^{z_v}} u_w",
        ),
        (
            r"\frac{\partial J}{\partial u_w} = (\hat{y}_w - y_w) v_c",
            r"\frac{\partial J}{\partial u_w} = (\hat{y}_w + y_w) v_c",
        ),
        (
            r"\frac{\partial J}{\partial u_o} = (\hat{y}_o - 1) v_c",
            r"\frac{\partial J}{\partial u_o} = (1 + \hat{y}_o) v_c",
        ),
        (
            r"\frac{\partial J}{\partial u_w} = \hat{y}_w v_c \qquad (w \neq o)",
            r"\frac{\partial J}{\partial u_w} = \hat{y}_w^2 v_c \qquad (w \neq o)",
        ),
        (
            r"\frac{\partial J}{\partial U} = (\hat{y} - y) v_c^\top",
            r"\frac{\partial J}{\partial U} = (\hat{y} + y) v_c^\top",
        ),
    ],
)
def test_one_of_all_words(right: str, wrong: str) -> None:
    assert both(WORDS, right, wrong) == ["correct", "wrong"]


def test_words_without_a_condition_are_all_words() -> None:
    """For w = o the line lacks its -1."""
    assert verdicts(WORDS, r"\frac{\partial J}{\partial u_w} = \hat{y}_w v_c") != ["correct"]


def test_vectors_are_columns_of_their_matrix() -> None:
    claims = (
        r"\frac{\partial J}{\partial v_c} = U (\hat{y} - y)",
        r"\frac{\partial J}{\partial U} = v_c (\hat{y} - y)^\top",
        r"\frac{\partial J}{\partial u_w} = (\hat{y}_w - y_w) v_c",
    )
    assert verdicts(COLUMNS, *claims) == ["correct"] * 3


@pytest.mark.parametrize("model", [SAMPLES, BOTH])
def test_samples_are_no_part_of_all_words(model: str) -> None:
    loss = "J" if model == SAMPLES else "L"
    claims = (
        r"\frac{\partial J}{\partial u_o} = (\sigma(u_o^\top v_c) - 1) v_c",
        r"\frac{\partial J}{\partial u_k} = \sigma(u_k^\top v_c) v_c",
        r"\frac{\partial J}{\partial u_k} = (1 - \sigma(-u_k^\top v_c)) v_c",
        r"\frac{\partial J}{\partial v_c} = (\sigma(u_o^\top v_c) - 1) u_o"
        r" + \sum_{k=1}^{K} \sigma(u_k^\top v_c) u_k",
    )
    named = [claim.replace(r"\partial J", rf"\partial {loss}") for claim in claims]
    assert verdicts(model, *named) == ["correct"] * 4


def test_a_sum_over_the_samples_is_missed() -> None:
    right = r"\frac{\partial J}{\partial u_k} = \sigma(u_k^\top v_c) v_c"
    wrong = r"\frac{\partial J}{\partial v_c} = (\sigma(u_o^\top v_c) - 1) u_o + \sigma(u_k^\top v_c) u_k"
    text = f"{SAMPLES}\n\n$${right}$$\n\n$${wrong}$$\n"
    last = check_document(Source("words.md", text)).claims[-1]
    assert (last.verdict, last.kind) == ("wrong", "missing-sum")
    assert r"\sum_{k}" in (last.mend or "")


def test_rows() -> None:
    claims = (
        r"\frac{\partial J}{\partial z_k} = p_k - y_k",
        r"\frac{\partial J}{\partial u_k} = (p_k - y_k) x",
        r"\frac{\partial J}{\partial x} = \sum_k (p_k - y_k) u_k",
    )
    assert verdicts(ROWS, *claims) == ["correct"] * 3


def test_a_loss_said_again_is_a_claim() -> None:
    text = r"""
The model says
$$P(o \mid c) = \frac{\exp(u_o^\top v_c)}{\sum_w \exp(u_w^\top v_c)}$$
and the loss is $J = -\log P(o \mid c)$, that is
"""
    claims = (
        r"J = -u_o^\top v_c + \log \sum_w \exp(u_w^\top v_c)",
        r"\frac{\partial J}{\partial v_c} = -u_o + \sum_w P(w \mid c) u_w",
    )
    assert verdicts(text, *claims) == ["correct"] * 2


def test_what_is_multiplied_with_a_turned_vector_is_one() -> None:
    text = r"""
Keys $k_i$ and a query $q$ give $s_i = q^\top k_i$ and $a_i = e^{s_i} / \sum_j e^{s_j}$, with the loss
$L = -\sum_i y_i \log a_i$.
"""
    claims = (
        r"\frac{\partial L}{\partial q} = \sum_i (a_i - y_i) k_i",
        r"\frac{\partial L}{\partial k_i} = (a_i - y_i) q",
    )
    assert verdicts(text, *claims) == ["correct"] * 2


def test_a_loss_that_cannot_be_read_is_no_other_loss() -> None:
    text = (
        WORDS.replace("J =", "J_{all} =")
        + r"""
$$J_{some}(v_c, U) = \mathrm{something}(u_o^\top v_c)$$
"""
    )
    claims = (
        r"\frac{\partial J_{all}}{\partial v_c} = U^\top (\hat{y} - y)",
        r"\frac{\partial J_{some}}{\partial v_c} = U^\top (y - \hat{y})",
    )
    assert verdicts(text, *claims) == ["correct", "undecided"]


def test_words_below_letters() -> None:
    text = r"""
For the words $w$ of a vocabulary
$$p(w_O \mid w_I) = \frac{\exp({v'_{w_O}}^\top v_{w_I})}{\sum_{w=1}^{W} \exp({v'_w}^\top v_{w_I})}$$
and $J = -\log p(w_O \mid w_I)$; with samples
$$E = -\log \sigma({v'_{w_O}}^\top h) - \sum_{j=1}^{K} \log \sigma(-{v'_{w_j}}^\top h)$$
"""
    claims = (
        r"\frac{\partial J}{\partial v_{w_I}} = -v'_{w_O} + \sum_{w=1}^{W} p(w \mid w_I) v'_w",
        r"\frac{\partial E}{\partial v'_{w_j}} = \sigma({v'_{w_j}}^\top h) h",
    )
    assert verdicts(text, *claims) == ["correct", "correct"]


def test_matrices_that_are_counted_are_no_weights() -> None:
    text = r"""
The word vectors $r_w$ predict $q = \sum_{i=1}^{n} C_i r_{w_i}$, with a matrix $C_i$ for each word before, and
$$P(w \mid h) = \frac{\exp(r_w^\top q)}{\sum_{v} \exp(r_v^\top q)}, \qquad L = -\log P(w \mid h)$$
"""
    claims = (
        r"\frac{\partial L}{\partial C_i} = \frac{\partial L}{\partial q} r_{w_i}^\top",
        r"\frac{\partial L}{\partial r_{w_i}} = C_i^\top \frac{\partial L}{\partial q}",
    )
    assert "wrong" not in verdicts(text, *claims)


def test_samples_need_no_number() -> None:
    text = BOTH.replace(r"\sum_{k=1}^{K}", r"\sum_k")
    claims = (
        r"\frac{\partial L}{\partial u_o} = (\sigma(u_o^\top v_c) - 1) v_c",
        r"\frac{\partial L}{\partial u_k} = \sigma(u_k^\top v_c) v_c",
    )
    assert verdicts(text, *claims) == ["correct"] * 2
