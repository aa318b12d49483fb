"""What measured flows come to, in sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bptt.analysis.flow import Flow
from bptt.analysis.recurrent import KINDS
from bptt.cli.flow_subjects import Subject, Weights

# What is called what, by ln of what is left after all steps.
_VANISHED, _HALVED = math.log(0.01), math.log(0.5)
FATES = ("vanishes", "fades", "keeps its size", "grows", "explodes", "is zero", "overflows")


# Differences below this factor are none.
_NOTICED = math.log(1.1)


def show_left(log: float, digits: int = 1) -> str:
    """A share from its logarithm, however small or large: `0.071`, `12.6`, `5.4e-13` (with `digits` after
    the point).
    """
    if math.isnan(log):
        return "-"
    if log == -math.inf:
        return "0"
    for decimals, limit in ((0, 100.0), (1, 10.0), (2, 0.1), (3, 0.01)):
        if math.log(limit) - 1e-9 <= log < math.log(10000):
            return f"{math.exp(log):.{decimals}f}"
    exponent = math.floor(log / math.log(10) + 1e-9)
    mantissa = f"{math.exp(log - exponent * math.log(10)):.{digits}f}"
    return f"{1:.{digits}f}e{exponent + 1}" if mantissa.startswith("10") else f"{mantissa}e{exponent}"


@dataclass(frozen=True)
class Measured:
    """The flow of a subject at some weights; `state` is the variable it is looked at by (None: all)."""

    subject: Subject
    weights: Weights
    flow: Flow
    state: str | None = None

    @property
    def label(self) -> str:
        """The model's name, with what was left out of it."""
        return f"{self.subject.label} {self.subject.variant}".strip()

    def weights_label(self, name: str) -> str:
        """The weights, `name` being the recurrent matrix's if there is one alone."""
        if not self.subject.recurrent:
            return f"{self.weights.kind} weights"
        return self.weights.label(name)

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
    """`tanh: the gradient fades with H × 1 (half is gone after 11 steps); explodes with …`."""
    parts = []
    for fate in FATES:
        details: dict[str, list[str]] = {}
        for m in rows:
            if m.fate == fate:
                details.setdefault(_detail(m), []).append(m.weights_label(name))
        if details:
            groups = [_listed(labels) + detail for detail, labels in details.items()]
            parts.append(f"{fate} with " + ", with ".join(groups))
    return f"{label}: the gradient " + "; ".join(parts) + "."


def _detail(m: Measured) -> str:
    half = m.flow.half(m.state)
    if m.fate in ("vanishes", "fades") and half is not None:
        return f" (half is gone after {half} step{'s' if half != 1 else ''})"
    if m.fate in ("grows", "explodes"):
        return f" ({show_left(m.left)}-fold after {m.flow.steps} steps)"
    return ""


def _identity(measured: Sequence[Measured], name: str) -> list[str]:
    """What the term h[t-1] of a state that is carried whole does, against the same weights without it."""
    carriers = [m for m in measured if m.subject.carried]
    others = [m for m in measured if not m.subject.carried]
    if not carriers:
        return []
    term = "the term " + " + ".join(f"{variable}[t-1]" for variable in carriers[0].subject.carried)
    after = f"after {carriers[0].flow.steps} steps"
    if not others:
        lost = [f"{show_left(m.left)} with {m.weights_label(name)}" for m in carriers if m.fate == FATES[0]]
        sentence = f"{term} does not keep the gradient alive here. Left {after}: {_listed(lost)}."
        return [_capital(sentence)] if lost else []
    whole, plain = carriers[0].subject, others[0].subject
    without = "without it" if plain.variant else f"in {plain.label}"
    kept, less, more = [], [], []
    for a in carriers:
        for b in others:
            # What training begins with, or has come to, is not the same for two models.
            same = plain.variant != "" or a.weights.kind in KINDS
            pair = a.subject is whole and b.subject is plain and a.weights == b.weights and same
            # What overflows is no number; what is nearly equal is no difference.
            if pair and abs(a.left - b.left) >= _NOTICED:
                label = a.weights_label(name)
                here, there = show_left(a.left), f"{show_left(b.left)} {without}"
                if abs(a.left) < abs(b.left):
                    kept.append(f"{here} with {label} ({there})")
                elif a.left < b.left:
                    less.append(f"{here} with {label} ({there}){_radii(a, b, without)}")
                if a.left > max(b.left, -_HALVED):
                    more.append(f"{here} times as much with {label} ({there})")
    sentences = []
    if kept:
        sentences.append(f"{term} helps where what is left {after} is nearer to one: {_listed(kept)}.")
    if less:
        every = f"every {name}" if name else "all weights"
        sentences.append(
            f"{term} does not keep the gradient alive for {every}. Left {after}: {_listed(less)}."
        )
    if more:
        sentences.append(f"{term} does not keep the gradient from growing. Left {after}: {_listed(more)}.")
    return [_capital(sentence) for sentence in sentences]


def _radii(a: Measured, b: Measured, without: str) -> str:
    if a.flow.radius is None or b.flow.radius is None:
        return ""
    here, there = a.flow.radius.median, b.flow.radius.median
    return f", where a step has the spectral radius {here:.2f} ({there:.2f} {without})"


def _capital(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]


def _listed(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
