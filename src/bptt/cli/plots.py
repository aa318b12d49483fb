"""Pictures of a training run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

from bptt.lm.checkpoint import write_whole

Record = Mapping[str, float | int | None]


def plot_curves(records: Sequence[Record], path: Path, title: str) -> None:
    """Training and validation loss in nats per token against tokens read, as a PNG file.

    ImportError where matplotlib is not installed.
    """
    # The object interface: no window system, no state that other code could share.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.add_subplot()
    for key, label, style in (
        ("train_nats", "training", {"color": "#9ecae1", "linewidth": 1.5}),
        ("valid_nats", "validation", {"color": "#08519c", "linewidth": 2.0, "marker": "o", "markersize": 3.5}),
    ):
        points = [(r["tokens"], r[key]) for r in records if r[key] is not None]
        if points:
            tokens, nats = zip(*points, strict=True)
            axes.plot(tokens, nats, label=label, **style)
    validated = [r for r in records if r["valid_nats"] is not None]
    if validated:
        best = min(validated, key=lambda r: float(r["valid_nats"] or 0.0))
        axes.axhline(float(best["valid_nats"] or 0.0), color="#08519c", linewidth=0.8, linestyle=":")
        axes.annotate(
            f"{best['valid_nats']:.4f}",
            (float(best["tokens"] or 0), float(best["valid_nats"] or 0.0)),
            xytext=(0, -5),
            textcoords="offset points",
            ha="right",
            va="top",
            color="#08519c",
        )
    _limit(axes, records)
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


def _limit(axes, records: Sequence[Record]) -> None:  # type: ignore[no-untyped-def]
    """Leaves out the first moments, in which the loss falls from that of a uniform guess, if they would flatten the rest."""
    losses = [float(r[key] or 0.0) for r in records for key in ("train_nats", "valid_nats") if r[key] is not None]
    if len(losses) < 20:
        return
    low, usual = min(losses), sorted(losses)[int(0.97 * len(losses))]
    axes.set_ylim(low - 0.12 * (usual - low) - 1e-3, usual + 0.1 * (usual - low) + 1e-3)


def _short_number(value: float, position: int | None = None) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g} {letter}"
    return f"{value:g}"
