"""Surface tree to model: names, layout, shapes and recurrences found out, or the mistake pointed at."""

from bptt.lowering.lower import lower, lower_written

__all__ = ["lower", "lower_written"]
