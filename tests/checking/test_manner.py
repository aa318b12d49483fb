"""Mends are written as the document writes: its times, its transposes, its elementwise products."""

from __future__ import annotations

import pytest

from bptt.checking.check import check_document
from bptt.checking.manner import Manner, manner_of
from bptt.checking.statements import read_formula
from bptt.formula.tree import Hadamard, Indexed, Product, Symbol, Time, Transpose
from bptt.formula.tree import Index as Letter
from bptt.ir.dims import Dim
from bptt.source import Source

N = Dim.named("n")
H, BEFORE = Symbol("h", (N,), Time("t", 0)), Symbol("h", (N,), Time("t", -1))
U = Symbol("U", (N, N))
FORMULA = Product((Transpose(BEFORE), Hadamard((H, H)), Transpose(U)))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("nothing", r"h_{t-1}^{\top} (h_{t} \circ h_{t}) U^{\top}"),
        (r"$h_t = h_{t-1} U^\top$", r"h_{t-1}^{\top} (h_{t} \circ h_{t}) U^{\top}"),
        (r"$h^{(t)} = h^{(t-1)} U^T \odot r$", r"(h^{(t-1)})^T (h^{(t)} \odot h^{(t)}) U^T"),
        (r"$h^{(t)}$ $h^{(t)}$ $s_{k,t}$ $U^{T}$", r"(h^{(t-1)})^T (h^{(t)} \circ h^{(t)}) U^T"),
        (r"$h^{\langle t \rangle}$ $U^\intercal$",
         r"(h^{\langle t-1 \rangle})^{\intercal} (h^{\langle t \rangle} \circ h^{\langle t \rangle}) "
         r"U^{\intercal}"),
    ],
)  # fmt: skip
def test_times_transposes_and_products(text: str, written: str) -> None:
    assert manner_of(text).show(FORMULA, timed=True) == written


@pytest.mark.parametrize("manner", [Manner(), Manner(True), Manner(True, (r"\langle", r"\rangle"), "T")])
def test_what_is_written_is_read_back(manner: Manner) -> None:
    (statement,) = read_formula("q = " + manner.show(FORMULA, timed=True))
    assert len(statement.links) == 1 and "Unread" not in repr(statement)


def test_indices_stay_at_the_foot() -> None:
    element = Indexed(Symbol("theta1", (N,), Time("t", 0)), (Letter("j"),))
    assert Manner(raised=True).show(element, timed=True) == r"\theta^{(t)}_{1,j}"


def test_a_mend_in_the_manner_of_the_document() -> None:
    text = r"""$h^{(t)} = \tanh(h^{(t-1)} H + x^{(t)} W)$, $\hat y^{(t)} = \mathrm{softmax}(h^{(t)} U)$

$$\frac{\partial J^{(t)}}{\partial U} = (h^{(t-1)})^T (\hat y^{(t)} - y^{(t)})$$

$$\frac{\partial J^{(t)}}{\partial h^{(t)}} = (\hat y^{(t)} - y^{(t)}) U^T$$
"""
    first, _ = check_document(Source("a.md", text)).claims
    assert (first.verdict, first.mend) == ("wrong", r"(h^{(t)})^T (\hat{y}^{(t)} - y^{(t)})")


def test_the_loss_goes_by_its_own_name() -> None:
    text = r"""$z_t = W x_t$, $\hat y_t = \mathrm{softmax}(z_t)$, and $\mathcal{L}_t$ is the cross-entropy.

$$\frac{\partial \mathcal{L}_t}{\partial W} = \frac{\partial \mathcal{L}_t}{\partial z_t} x_t$$

$$\frac{\partial \mathcal{L}_t}{\partial z_t} = \hat y_t - y_t$$
"""
    first, _ = check_document(Source("a.md", text)).claims
    assert (first.verdict, first.mend) == (
        "wrong", r"\frac{\partial \mathcal{L}_{t}}{\partial z_{t}} x_{t}^{\top}"
    )  # fmt: skip


def test_short_names_and_labels_stay() -> None:
    text = r"""$h = \sigma(W_{xh} x)$, $\hat y = \mathrm{softmax}(W_{hy} h)$ with the loss $L$; $\delta = \frac{\partial L}{\partial h}$.

$$\frac{\partial L}{\partial W_{xh}} = (\delta \circ h \circ (1 - h)) x^T$$

$$\frac{\partial L}{\partial W_{xh}} = (\delta \circ (1 - h)) x^T$$

$$\frac{\partial L}{\partial h} = W_{hy} (\hat y - y)$$
"""  # noqa: E501
    claims = check_document(Source("a.md", text)).claims
    assert [claim.target for claim in claims][-1] == "∂L/∂h"
    first, second = [claim.mend for claim in claims if claim.verdict == "wrong"]
    assert first.startswith(r"(\delta \circ ") and second == r"W_{hy}^T (\hat{y} - y)"
