"""Pictures of a training run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

from bptt.lm.checkpoint import write_whole

Record = Mapping[str, float | int | None]

_LIGHT, _DARK = "#9ecae1", "#08519c"


def plot_curves(records: Sequence[Record], path: Path, title: str) -> None:
    """Training and validation loss in nats per token against tokens read, as a PNG file.

    ImportError where matplotlib is not installed.
    """
    # The object interface: no window system, no state that other code could share.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.add_subplot()
    trained, validated = points(records, "train_nats"), points(records, "valid_nats")
    if trained:
        axes.plot(*zip(*trained, strict=True), label="training", color=_LIGHT, linewidth=1.5)
    if validated:
        axes.plot(*zip(*validated, strict=True), label="validation", color=_DARK, linewidth=2, marker=".")
        tokens, best = min(validated, key=lambda point: point[1])
        axes.axhline(best, color=_DARK, linewidth=0.8, linestyle=":")
        axes.annotate(
            f"{best:.4f}",
            (tokens, best),
            xytext=(0, -5),
            textcoords="offset points",
            ha="right",
            va="top",
            color=_DARK,
        )
    limits = shown_losses([nats for _, nats in trained + validated])
    if limits is not None:
        axes.set_ylim(*limits)
    axes.set_xlabel("tokens read")
    axes.set_ylabel("loss (nats per token)")
    axes.set_title(title, loc="left")
    axes.xaxis.set_major_formatter(_short_number)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False)
    content = BytesIO()
    figure.savefig(content, dpi=150, format="png")
    write_whole(path, content.getvalue())


def points(records: Sequence[Record], key: str) -> list[tuple[float, float]]:
    """(tokens read, loss) of the records that have this loss."""
    return [(float(r["tokens"] or 0), float(nats)) for r in records if (nats := r[key]) is not None]


def shown_losses(losses: Sequence[float]) -> tuple[float, float] | None:
    """The range of losses to show, without the first moments in which it falls from that of a uniform guess.

    None where all can be shown.
    """
    if len(losses) < 20:
        return None
    low, usual = min(losses), sorted(losses)[int(0.97 * len(losses))]
    room = 0.1 * (usual - low) + 1e-3
    return low - room, usual + room


def _short_number(value: float, position: float = 0) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g} {letter}"
    return f"{value:g}"
