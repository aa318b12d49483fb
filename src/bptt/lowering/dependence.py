"""Which definition needs which: the order of computation, what varies in time, what depends on what."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass

from bptt.errors import EquationError, Label
from bptt.lowering.surface import names
from bptt.syntax.tree import Equation, Name

TOKENS = {"x": "the token at time t", "y": "the token that follows x"}


def computation_order(definitions: Mapping[str, Equation]) -> tuple[str, ...]:
    """The definitions, each after those it uses at time t, otherwise in the order of the file."""
    uses = {
        name: [n for n in names(equation.value) if n.lag == 0 and n.id in definitions]
        for name, equation in definitions.items()
    }
    done: dict[str, None] = {}
    for start in definitions:
        # The path of uses from `start`, each entry with what is left to visit.
        path = [] if start in done else [(start, iter(uses[start]))]
        entered: dict[str, Name] = {}
        while path:
            current, rest = path[-1]
            use = next(rest, None)
            if use is None:
                done[current] = None
                path.pop()
            elif use.id in (on_path := [name for name, _ in path]):
                entered[use.id] = use
                raise _cycle([entered[name] for name in [*on_path[on_path.index(use.id) + 1 :], use.id]])
            elif use.id not in done:
                entered[use.id] = use
                path.append((use.id, iter(uses[use.id])))
    return tuple(done)


def _cycle(uses: list[Name]) -> EquationError:
    """The error for definitions that need each other at one time; `uses` are the places, around the cycle."""
    first, *others = uses[-1:] + uses[:-1]
    around = " needs ".join([first.id, *(n.id for n in others), first.id])
    message = (
        f"{first.id} is defined by itself" if not others else f"the definitions go in a circle: {around}"
    )
    return EquationError.at(
        first.span,
        message,
        label="at the same time t" if not others else "",
        more=[Label(n.span) for n in others],
        hint=f"write {first.id}[t-1] for the value one step earlier",
    )


def varying_definitions(definitions: Mapping[str, Equation], tokens: Container[str] = TOKENS) -> set[str]:
    """The definitions that differ from token to token or from step to step."""
    found: set[str] = set()
    users: dict[str, list[str]] = {}
    for name, equation in definitions.items():
        for n in names(equation.value):
            if n.lag or n.id in tokens:
                found.add(name)
            else:
                users.setdefault(n.id, []).append(name)
    reach = list(found)
    while reach:
        for name in users.get(reach.pop(), []):
            if name not in found:
                found.add(name)
                reach.append(name)
    return found


@dataclass(frozen=True)
class Place:
    """Where the definition of `user` uses a name."""

    user: str
    use: Name


def depends_on(definitions: Mapping[str, Equation], start: str, wanted: str) -> Iterator[Place]:
    """Where the definition `start` uses `wanted` at time t, itself or through others that it uses."""
    seen = {start}
    queue = [start]
    while queue:
        user = queue.pop(0)
        for n in names(definitions[user].value):
            if n.lag == 0 and n.id == wanted:
                yield Place(user, n)
            elif n.lag == 0 and n.id in definitions and n.id not in seen:
                seen.add(n.id)
                queue.append(n.id)
