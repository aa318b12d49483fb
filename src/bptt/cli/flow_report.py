"""The flow of gradients as tables and sentences that fit a terminal."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Sequence

from bptt.analysis.flow import HIGH, LARGEST, LOW, Curve, Spread
from bptt.analysis.recurrent import KINDS
from bptt.cli.flow_remarks import Measured, remarks, show_left

WIDTH = 80
_COLUMN = 8
_STEPS = (1, 2, 5, 10, 20, 40, 50, 100, 200, 500, 1000, 2000, 5000)


def report(measured: Sequence[Measured], reading: str, symbols: Sequence[str]) -> str:
    """What is left of the gradients and what the Jacobians are, as tables, and what follows from it.

    `reading` says what the models read; `symbols` are lines with the product of Jacobians, printed above
    the numbers. No line is longer than WIDTH, but for very long names.
    """
    name = matrix_name(measured)
    rows = ordered(measured)
    parts = [_heading(measured, reading), symbols, _left_table(rows, name), _jacobian_table(rows, name)]
    blocks = ["\n".join(lines) for lines in map(list, parts) if lines]
    blocks += map(_filled, remarks(measured, name))
    return "\n\n".join(blocks)


def _filled(sentence: str) -> str:
    """In lines, none of which breaks within `H × 0.5` or `H = -0.9 I`."""
    for sign in (" × ", " = ", " I", " random", " orthogonal", " as trained"):
        sentence = sentence.replace(sign, sign.replace(" ", "\N{NO-BREAK SPACE}"))
    return textwrap.fill(sentence, WIDTH - 1).replace("\N{NO-BREAK SPACE}", " ")


def matrix_name(measured: Sequence[Measured]) -> str:
    """The name of the recurrent matrix, where all models have one and call it the same; else ""."""
    names = {tuple(r.name for r in m.subject.recurrent) for m in measured}
    first = min(names)
    return first[0] if len(names) == 1 and len(first) == 1 else ""


def ordered(measured: Sequence[Measured]) -> list[Measured]:
    """Those with the same weights beside each other."""
    first = {m.weights: i for i, m in reversed(list(enumerate(measured)))}
    return sorted(measured, key=lambda m: first[m.weights])


def _heading(measured: Sequence[Measured], reading: str) -> Iterator[str]:
    state = measured[0].state
    variables = {name for m in measured for name in m.flow.states}
    whole = variables.pop() if len(variables) == 1 else "s"
    yield f"How much of a gradient is left k steps back: |∂J_T/∂{state or whole}_(T-k)| / |∂J_T/∂{whole}_T|,"
    yield "J_T being the loss of step T alone. Root mean square over inputs."
    if whole == "s":
        yield "s is all that a step carries on; each part varies with the rest held fixed."
    for m in {m.label: m for m in measured if not m.subject.variant}.values():
        sizes = ", ".join(f"{size} = {n}" for size, n in m.subject.sizes.items())
        parts = [r.name if r.whole else f"{r.name} (what multiplies the state)" for r in m.subject.recurrent]
        yield from textwrap.wrap(
            f"{m.label}: {sizes}; recurrent: {', '.join(parts) or 'no matrix'}", WIDTH - 1
        )
        if m.flow.reference:
            yield f"{m.label}: relative to k = {m.flow.reference}; the loss depends on no later state"
    yield from textwrap.wrap(f"inputs: {reading}", WIDTH - 1)
    kinds = {m.weights.kind for m in measured if m.subject.recurrent}
    if "initial" in kinds:
        several = sum(m.weights.scale == 1.0 and m.weights.kind == "initial" for m in measured) > 1
        own = ", each model with its own" if several and not any(m.subject.variant for m in measured) else ""
        yield "training begins with × 1" + own
    if "random" in kinds:
        yield f"random: {KINDS['random']}"


def _left_table(rows: Sequence[Measured], name: str) -> Iterator[str]:
    """What is left after some k, and its spread over the inputs at the last."""
    lines = [(m, part, curve) for m in rows for part, curve in _curves(m)]
    labels = _labels([(m, part) for m, part, _ in lines], name)
    width = len(labels[0])
    bands = [_band(curve) for _, _, curve in lines]
    last = max([10, *map(len, bands)])
    shown = _columns(rows[0].flow.steps, (WIDTH - 1 - width - last) // _COLUMN)
    title = f"{LOW}–{HIGH} %"
    yield f"What is left after k steps, and the {LOW}th to {HIGH}th percentile of it after the last"
    yield "k =".ljust(width) + "".join(f"{k:>{_COLUMN}}" for k in shown) + f"{title:>{last + 1}}"
    for label, (_, _, curve), band in zip(labels, lines, bands, strict=True):
        yield (
            label
            + "".join(f"{show_left(float(curve.left[k])):>{_COLUMN}}" for k in shown)
            + f" {band:>{last}}"
        )


def _jacobian_table(rows: Sequence[Measured], name: str) -> Iterator[str]:
    """The factor per step, after how many steps half is gone, and what the Jacobian is like."""
    labels = _labels([(m, "") for m in rows], name)
    width = len(labels[0])
    yield "Mean factor per step, steps to half, and a step's Jacobian: median (range)"
    yield f"{'':<{width}} {'factor':>6} {'half':>5} {'spectral radius':>17} {'norm':>17}"
    for label, m in zip(labels, rows, strict=True):
        half = m.flow.half(m.state)
        factor = _number(math.exp(min(m.log_factor, 700.0)), 3)
        sizes = f"{_spread(m.flow.radius):>17} {_spread(m.flow.norm):>17}"
        yield f"{label} {factor:>6} {'-' if half is None else half:>5} {sizes}"
    if any(m.flow.radius is None for m in rows):
        yield f"(no Jacobian: the state has more than {LARGEST:,} numbers, or they overflow)"


def _curves(m: Measured) -> list[tuple[str, Curve]]:
    """The gradients that have a row: by the state that was asked for, else by all, and by each of several."""
    if m.state is not None:
        return [(m.state, m.flow.states[m.state])]
    parts = list(m.flow.states.items())
    return [("s", m.flow.whole), *parts] if len(parts) > 1 else [("", m.flow.whole)]


def _labels(rows: Sequence[tuple[Measured, str]], name: str) -> list[str]:
    """Weights, model and part of the state for each row, as far as they differ; what repeats is left out."""
    cells = [(m.weights_label(name), m.subject.variant or m.label, part) for m, part in rows]
    kept = [i for i in range(3) if i == 0 or len({cell[i] for cell in cells}) > 1]
    widths = {i: max(len(cell[i]) for cell in cells) for i in kept}
    labels, before = [], ("", "", "")
    for cell in cells:
        shown = ["" if cell[: i + 1] == before[: i + 1] else cell[i] for i in kept]
        labels.append("  ".join(f"{text:<{widths[i]}}" for text, i in zip(shown, kept, strict=True)))
        before = cell
    return labels


def _columns(steps: int, room: int) -> list[int]:
    """The k that are shown: round numbers, the last of all, as many as there is room for."""
    shown = [k for k in _STEPS if k < steps] + [steps]
    while len(shown) > max(room, 2):
        # The first is kept, and of the rest every other one from the last back.
        del shown[-2 if len(shown) % 2 else 1]
    return shown


def _band(curve: Curve) -> str:
    low, high = float(curve.low[-1]), float(curve.high[-1])
    return "-" if math.isnan(high) else f"{show_left(low, 0)}–{show_left(high, 0)}"


def _spread(spread: Spread | None) -> str:
    if spread is None:
        return "-"
    return f"{_number(spread.median)} ({_number(spread.low)}–{_number(spread.high)})"


def _number(value: float, digits: int = 2) -> str:
    if value < 1000:
        return f"{value:.{digits}f}"
    return "-" if math.isnan(value) else show_left(math.log(value))
