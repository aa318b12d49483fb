"""Reports made by hand, of documents small enough to be read."""

from __future__ import annotations

from typing import Any

from bptt.checking.report import Claim, Counterexample, Remark, Report
from bptt.source import Source, Span

NOTES = r"""# A step of a network

Let $z = x W + b$, $h = \sigma(z)$ and $\hat{y} = \mathrm{softmax}(h U)$, with loss $J$.

$$\begin{aligned}
\frac{\partial J}{\partial U} &= h^T (y - \hat{y}) \\
\frac{\partial J}{\partial h} &= U^T (y - \hat{y}) \\
\frac{\partial J}{\partial z} &= U^T (y - \hat{y}) \circ h (1 - h) \\
\frac{\partial J}{\partial W} &= x^T \frac{\partial J}{\partial z}
\end{aligned}$$
where $\sigma$ is the logistic function.

Also $\frac{\partial J}{\partial q} = r$.
"""


def span_of(source: Source, text: str, occurrence: int = 0) -> Span:
    """Where the text stands in the document."""
    start = -1
    for _ in range(occurrence + 1):
        start = source.text.index(text, start + 1)
    return source.span(start, start + len(text))


def claim(source: Source, text: str, target: str, verdict: str, occurrence: int = 0, **more: Any) -> Claim:
    return Claim(span_of(source, text, occurrence), target, verdict, **more)


def notes() -> Report:
    """Of NOTES: one claim of each verdict, and one that follows from a wrong one."""
    source = Source("notes.md", NOTES)
    likelihood = "J is taken for the log-likelihood"
    wrong = r"U^T (y - \hat{y})"
    claims = (
        claim(source, r"h^T (y - \hat{y})", "∂J/∂U", "convention", convention=likelihood),
        claim(
            source,
            wrong,
            "∂J/∂h",
            "wrong",
            kind="order",
            mend=r"(y - \hat{y}) U^T",
            reason="y - ŷ is a row, and a row stands to the left of the matrix that it is multiplied with.",
            fault=span_of(source, "U^T"),
            example=Counterexample("no value", "[0.31 -0.12 0.08]", "Uᵀ: 7×3, y - ŷ: 1×7"),
        ),
        claim(
            source,
            r"U^T (y - \hat{y}) \circ h (1 - h)",
            "∂J/∂z",
            "wrong",
            kind="order",
            mend=r"(y - \hat{y}) U^T \circ h \circ (1 - h)",
            follows_from=7,
        ),
        claim(source, r"x^T \frac{\partial J}{\partial z}", "∂J/∂W", "correct", reading="z before its σ"),
        claim(source, "r", "∂J/∂q", "undecided", source.text.count("r", 0, source.text.index("= r$") + 2),
              missing="q and r are not defined in the document"),
    )  # fmt: skip
    remark = Remark("J is taken for the log-likelihood: it is nowhere defined", (6, 7, 8, 12))
    return Report(
        source, "z = x @ W + b\nh = sigmoid(z)\nyhat = softmax(h @ U)", "log-likelihood", claims, (remark,)
    )
