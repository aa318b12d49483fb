"""What measured flows come to, in sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bptt.analysis.flow import Flow
from bptt.cli.flow_subjects import Subject, Weights

# What is called what, by ln of what is left after all steps.
_VANISHED, _HALVED = math.log(0.01), math.log(0.5)
FATES = ("vanishes", "fades", "keeps its size", "grows", "explodes", "is zero", "overflows")


# Differences below this factor are none.
_NOTICED = math.log(1.1)


def show_left(log: float) -> str:
    """A share from its logarithm, with two digits or three, however small or large: `0.071`, `5.4e-13`."""
    if math.isnan(log):
        return "inf"
    if log == -math.inf:
        return "0"
    if -math.log(1000) < log < math.log(10000):
        share = math.exp(log)
        return f"{share:.2g}" if share < 0.995 else f"{share:.3g}" if share < 1000 else f"{share:.0f}"
    exponent = math.floor(log / math.log(10))
    mantissa = f"{math.exp(log - exponent * math.log(10)):.1f}"
    return f"1.0e{exponent + 1}" if mantissa == "10.0" else f"{mantissa}e{exponent}"


@dataclass(frozen=True)
class Measured:
    """The flow of a subject at some weights; `state` is the variable it is looked at by (None: all)."""

    subject: Subject
    weights: Weights
    flow: Flow
    state: str | None = None

    @property
    def label(self) -> str:
        return self.subject.variant or self.subject.label

    @property
    def left(self) -> float:
        """ln of what is left after all steps."""
        return float(self.flow.curve(self.state).left[-1])

    @property
    def log_factor(self) -> float:
        return self.flow.log_factor(self.state)

    @property
    def fate(self) -> str:
        """One of FATES: below 1/100 it vanishes, below 1/2 it fades, above 2 it grows, above 100 explodes."""
        if math.isnan(self.left):
            return "overflows"
        if self.flow.reference is None or self.left == -math.inf:
            return "is zero"
        limits = (_VANISHED, _HALVED, -_HALVED, -_VANISHED)
        return FATES[sum(self.left > limit for limit in limits)]


def remarks(measured: Sequence[Measured], name: str) -> list[str]:
    """Sentences that follow from the numbers: how each model's gradients fare, and what an identity path
    does.

    `name` is that of the recurrent matrix, "" where there are several.
    """
    sentences = []
    for label in dict.fromkeys(m.label for m in measured):
        sentences.append(_fates([m for m in measured if m.label == label], label, name))
    sentences += _identity(measured, name)
    return sentences


def _fates(rows: Sequence[Measured], label: str, name: str) -> str:
    parts = []
    for fate in FATES:
        those = [m for m in rows if m.fate == fate]
        if those:
            parts.append(f"{fate} with " + _listed([_detail(m, name) for m in those]))
    return f"{label}: the gradient " + "; ".join(parts) + "."


def _detail(m: Measured, name: str) -> str:
    label = m.weights.label(name)
    if m.fate in ("vanishes", "fades"):
        half = m.flow.half(m.state)
        return f"{label} (less than half is left after {half} step{'s' if half != 1 else ''})"
    if m.fate in ("grows", "explodes"):
        return f"{label} ({show_left(m.left)}-fold after {m.flow.steps} steps)"
    return label


def _identity(measured: Sequence[Measured], name: str) -> list[str]:
    """What the term h[t-1] of a state that is carried whole does, against the same weights without it."""
    carriers = [m for m in measured if m.subject.carried]
    others = [m for m in measured if not m.subject.carried]
    if not carriers or not others:
        return []
    whole, plain = carriers[0].subject, others[0].subject
    term = " and ".join(f"{variable}[t-1]" for variable in whole.carried)
    without = "without it" if plain.variant else f"in {plain.label}"
    pairs = [
        (a, b)
        for a in carriers
        for b in others
        if a.subject is whole and b.subject is plain and a.weights == b.weights
    ]
    more, less, beyond = [], [], []
    for a, b in pairs:
        if math.isnan(a.left) or math.isnan(b.left) or abs(a.left - b.left) < _NOTICED:
            continue
        here, there = show_left(a.left), show_left(b.left)
        label = a.weights.label(name)
        if a.left > max(b.left, -_HALVED):
            beyond.append(f"with {label} it is {here}-fold after {a.flow.steps} steps ({without} {there})")
        elif abs(a.left) < abs(b.left):
            more.append(f"with {label} {here} is left ({without} {there})")
        else:
            radii = ""
            if a.flow.radius and b.flow.radius:
                radii = (
                    f", where the spectral radius of a step is {a.flow.radius.median:.2f}"
                    f" ({without} {b.flow.radius.median:.2f})"
                )
            less.append(f"with {label} {here} is left ({without} {there}){radii}")
    sentences = []
    if more:
        sentences.append(f"The term {term} helps {_listed(more)}.")
    if less:
        sentences.append(f"It does not for every {name or 'matrix'}: {_listed(less)}.")
    if beyond:
        sentences.append(f"Nor does {term} keep the gradient from growing: {_listed(beyond)}.")
    return sentences


def _listed(parts: Sequence[str]) -> str:
    return ", ".join(parts)
