"""Losses and perplexities as people read them, however large they are."""

from __future__ import annotations

import math

PLAIN = 20.0  # nats up to which a perplexity is written out
WIDE = 1e4  # nats from which only three digits are shown


def show_nats(nats: float | None) -> str:
    """`1.4852`; `3.1e+30`; nothing where there is no number."""
    if nats is None:
        return ""
    return f"{nats:.4f}" if nats < WIDE else f"{nats:.1e}"


def show_perplexity(nats: float | None, digits: int = 2) -> str:
    """exp of the nats: `4.42`; `e^1013`; nothing where there is no number."""
    if nats is None:
        return ""
    if nats < PLAIN:
        return f"{math.exp(nats):,.{digits}f}"
    return f"e^{nats:.0f}" if nats < WIDE else f"e^{nats:.1e}"
