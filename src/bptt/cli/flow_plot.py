"""A picture of how much of a gradient is left."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bptt.cli.flow_remarks import Measured
from bptt.cli.flow_report import matrix_name
from bptt.cli.flow_subjects import Weights
from bptt.lm.checkpoint import write_whole

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

Color = str | tuple[float, float, float, float]

# Powers of ten at most from one to the edge of the picture: what is left of less cannot be told from nothing.
_DECADES = 12
# The scales of the first weights are shades of blue; others stand out.
_OTHERS = ("#e6550d", "#31a354", "#756bb1", "#d62728", "#8c564b")


def plot_flow(measured: Sequence[Measured], path: Path) -> None:
    """What is left over k as a PNG file: a panel for each model, a curve for each of its weights, with a
    band from the 10th to the 90th percentile over inputs.

    ImportError where matplotlib is not installed.
    """
    from matplotlib.figure import Figure

    labels = list(dict.fromkeys(m.label for m in measured))
    weights = list(dict.fromkeys(m.weights for m in measured))
    columns = len(labels) if len(labels) <= 3 else math.ceil(math.sqrt(len(labels)))
    rows = math.ceil(len(labels) / columns)
    figure = Figure(figsize=(1.6 + 3.9 * columns, 0.5 + 3.6 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    name = matrix_name(measured)
    low, high = _limits(measured)
    for panel, label in zip(panels.flat, labels, strict=False):
        for m in measured:
            if m.label == label:
                _draw(panel, m, _color(weights, m), m.weights_label(name))
        panel.axhline(0.0, color="black", linewidth=0.6)
        panel.set_title(label, loc="left")
        panel.set_ylim(low, high)
        panel.yaxis.set_major_formatter(lambda value, position: f"$10^{{{value:g}}}$")
        panel.yaxis.get_major_locator().set_params(integer=True)
        panel.grid(alpha=0.25)
        panel.spines[["top", "right"]].set_visible(False)
    for panel in panels.flat[len(labels) :]:
        panel.set_visible(False)
    figure.supxlabel("k, steps back from T", fontsize="medium")
    figure.supylabel("gradient left, relative to k = 0", fontsize="medium")
    handles: dict[str, Artist] = {}
    for panel in panels.flat[: len(labels)]:
        for handle, text in zip(*panel.get_legend_handles_labels(), strict=True):
            handles.setdefault(text, handle)
    figure.legend(list(handles.values()), list(handles), loc="outside right center", frameon=False)
    content = BytesIO()
    figure.savefig(content, dpi=150, format="png")
    write_whole(path, content.getvalue())


def _draw(panel: Axes, m: Measured, color: Color, label: str) -> None:
    curve = m.flow.curve(m.state)
    ks = np.arange(m.flow.steps + 1)
    left, low, high = (np.where(np.isfinite(c), c, np.nan) / math.log(10) for c in astuple(curve))
    dashed = "--" if m.weights.kind not in ("initial", "trained") else "-"
    if m.fate == "overflows":
        label += " (overflows)"
    panel.plot(ks, left, color=color, linewidth=1.8, linestyle=dashed, label=label)
    panel.fill_between(ks, low, high, color=color, alpha=0.18, linewidth=0)


def _color(weights: Sequence[Weights], m: Measured) -> Color:
    """A shade for each scale of the weights that come first, the last one dark; colours for all others."""
    from matplotlib import colormaps

    first = [w for w in weights if w.kind == weights[0].kind]
    if m.weights in first:
        return colormaps["Blues"](1.0 - 0.6 * (1.0 - (first.index(m.weights) + 1) / len(first)))
    others = [w for w in weights if w not in first]
    return _OTHERS[others.index(m.weights) % len(_OTHERS)]


def _limits(measured: Sequence[Measured]) -> tuple[float, float]:
    """The powers of ten that are shown."""
    values = np.concatenate([c for m in measured for c in astuple(m.flow.curve(m.state))]) / math.log(10)
    values = values[np.isfinite(values)]
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    return max(min(low, -1.0), -_DECADES) - 0.3, min(max(high, 0.0), _DECADES) + 0.3
