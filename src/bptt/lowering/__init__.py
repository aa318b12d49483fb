"""Surface tree to model: names, layout, shapes and recurrences found out, or the mistake pointed at."""

from bptt.lowering.lower import lower

__all__ = ["lower"]
