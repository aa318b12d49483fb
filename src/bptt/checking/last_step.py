"""The letter of the last step: `s_n` where t runs to n is `s_T`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bptt.checking.names import TIMES, walk
from bptt.checking.written import Big, Letter, Relation, Scripts, Statement, Written, rewritten


def with_last_step(statements: Sequence[Statement]) -> list[Statement]:
    """The statements with T for the letter up to which steps are summed, where it stands for nothing else."""
    nodes = [part for statement in statements for part in walk(list(statement.sides))]
    ends = {end for node in nodes if isinstance(node, Big) for end in _end_of_steps(node)}
    counted = {
        part.name
        for node in nodes
        if isinstance(node, Big)
        for part in walk(list(node.below))
        if isinstance(part, Letter)
    }
    defined = {s.left.name for s in statements if isinstance(s.left, Letter) and s.links}
    names = ends - counted - defined - {"T"}
    if len(names) != 1:
        return list(statements)
    (last,) = names

    def change(node: Written) -> Written:
        if isinstance(node, Letter) and node.name == last and node.scripts == Scripts():
            return replace(node, name="T")
        return node

    return [rewritten(statement, change) for statement in statements]


def _end_of_steps(node: Big) -> set[str]:
    """The letter above a sum over steps."""
    match node.below, node.above:
        case (Relation((Letter(name=first), _), ("=",)),), (Letter(name=last, scripts=Scripts((), (), 0)),):
            return {last} if first in TIMES else set()
    return set()
