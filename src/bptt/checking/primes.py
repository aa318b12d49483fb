"""Names with a prime: w'_{ij} and W' are other matrices than w and W, no derivatives of them.

A prime belongs to the name where it stands at a capital or before something below (w'_{ij}); at an index it
tells one index from another, and at what is applied to something it is a derivative.
"""

from __future__ import annotations

from dataclasses import replace

from bptt.checking.notation import FUNCTION_LETTERS
from bptt.checking.written import Call, Letter, Statement, Written, rewritten, walk
from bptt.syntax.spelling import PRIME


def with_primes(statements: list[Statement]) -> list[Statement]:
    """The statements with a name of its own for everything that a prime tells apart."""
    sides = [side for s in statements for side in (s.left, *(link.right for link in s.links)) if side]
    parts = [part for side in sides for part in walk(side)]
    applied = {part.function.name for part in parts if isinstance(part, Call)} | FUNCTION_LETTERS
    named = {part.name for part in parts if isinstance(part, Letter) and _is_name(part)} - applied
    if not named:
        return statements

    def change(node: Written) -> Written:
        match node:
            case Letter(name=name) if name in named and _is_name(node):
                label = "_".join([name, *[PRIME] * node.scripts.primes])
                return replace(node, name=label, scripts=replace(node.scripts, primes=0))
        return node

    return [rewritten(statement, change) for statement in statements]


def _is_name(letter: Letter) -> bool:
    return letter.scripts.primes > 0 and (bool(letter.scripts.below) or letter.name[:1].isupper())
