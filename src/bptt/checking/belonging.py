"""Which equations of a document its model is made of, and which only give something a name.

δ = ŷ - y is an equation like any other, but no part of the model: nothing is made of it on the way to the
loss. Such a name is an abbreviation (see abbreviations.py), and what is said of it can be right or wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set

from bptt.checking.equations import Stated
from bptt.syntax import tree
from bptt.syntax.tree import Expression

# What errors are called.
ERRORS = frozenset({"delta", "Delta", "epsilon", "gamma", "e", "err", "error", "d", "g", "r"})
OUTPUTS = frozenset({"softmax", "sigmoid"})


def belonging(equations: Sequence[Stated], differentiated: Set[str], losses: Set[str]) -> list[Stated]:
    """The equations without abbreviations: what is made of a loss and is none (PP = e^J), and names of which
    no other equation makes use, which no derivative is of or by, and which are no loss, if the document has
    one or they are called like errors.
    """
    kept = [s for s in equations if s.equation.target.id in losses or losses.isdisjoint(_used(s))]
    has_loss = any(stated.equation.target.id in losses for stated in kept)
    while True:
        used = {name for stated in kept for name in _used(stated)}
        idle = [s for s in kept if s.equation.target.id not in used | differentiated | losses]
        idle = [s for s in idle if not _is_output(s) and (has_loss or is_error(s.equation.target.id))]
        if not idle:
            return kept
        kept = [stated for stated in kept if stated not in idle]


def _used(stated: Stated) -> Iterator[str]:
    """The names in an equation; its own where it goes from step to step."""
    own = stated.equation.target.id
    return (n.id for n in _names(stated.equation.value) if n.id != own or n.lag)


def _names(e: Expression) -> Iterator[tree.Name]:
    if isinstance(e, tree.Name):
        yield e
    for part in tree.children(e):
        yield from _names(part)


def _is_output(stated: Stated) -> bool:
    value = stated.equation.value
    return isinstance(value, tree.Call) and value.function in OUTPUTS


def is_error(name: str) -> bool:
    """Whether a name is one of those that people give to errors."""
    return name.split("_")[0].rstrip("0123456789") in ERRORS
