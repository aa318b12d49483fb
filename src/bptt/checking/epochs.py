"""Which equations hold where in a document that goes from one model to the next (problem 1, problem 2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace

from bptt.checking.equations import Stated
from bptt.syntax import tree
from bptt.syntax.tree import Equation, Expression


def epochs(
    equations: Sequence[Stated], sections: Sequence[int], claims: Sequence[int], losses: Set[str]
) -> list[tuple[int, dict[str, Equation], dict[str, Equation]]]:
    """The equations that hold from a statement on: (its number, equations by name, and for names that are
    defined anew what they were before), first to last.

    `sections` gives the section of each statement, `claims` the numbers of those that claim something. A new
    epoch begins where a name is defined anew, at the beginning of its section if that is a later one than
    that of the old definition; what is redefined before anything is claimed belongs to the same epoch. A loss
    is what it is first said to be in its section.
    """
    first = {(stated.equation.target.id, sections[stated.number]): stated for stated in reversed(equations)}
    equations = [
        stated
        for stated in equations
        if (name := stated.equation.target.id) not in losses or first[name, sections[stated.number]] is stated
    ]
    starts = [0]
    known: dict[str, Stated] = {}
    for stated in equations:
        name = stated.equation.target.id
        old = known.get(name)
        if old is not None and not _says_the_same(stated.equation, old.equation, known):
            start = stated.number
            if sections[old.number] != sections[stated.number]:
                start = sections.index(sections[stated.number])
            if start > starts[-1] and any(starts[-1] <= c < start for c in claims):
                starts.append(start)
        elif old is not None:
            continue
        known[name] = stated
    found = []
    for start, end in zip(starts, [*starts[1:], len(sections)], strict=True):
        holds: dict[str, Equation] = {}
        before: dict[str, Equation] = {}
        for stated in equations:
            name = stated.equation.target.id
            old_equation = holds.get(name)
            if stated.number >= end:
                # What is defined later only was that all the time.
                holds.setdefault(name, stated.equation)
                continue
            if old_equation is None or not _says_the_same(stated.equation, old_equation, _stated(holds)):
                holds[name] = stated.equation
                if old_equation is not None and stated.number >= start:
                    before[name] = old_equation
        found.append((start, holds, before))
    return found


def _stated(equations: Mapping[str, Equation]) -> dict[str, Stated]:
    return {name: Stated(0, equation) for name, equation in equations.items()}


def _says_the_same(new: Equation, old: Equation, known: Mapping[str, Stated]) -> bool:
    """Whether both are equal once every name in them is replaced by what it stands for."""
    return _spelt(new.value, known) == _spelt(old.value, known)


def _spelt(e: Expression, known: Mapping[str, Stated], depth: int = 8) -> Expression:
    match e:
        case tree.Name(id=name, lag=0) if name in known and depth:
            return _spelt(known[name].equation.value, known, depth - 1)
        case tree.Binary(left=left, right=right):
            return replace(e, left=_spelt(left, known, depth), right=_spelt(right, known, depth))
        case tree.Call(arguments=arguments):
            return replace(e, arguments=tuple(_spelt(a, known, depth) for a in arguments))
        case tree.Negate(operand=operand) | tree.Transpose(operand=operand):
            return replace(e, operand=_spelt(operand, known, depth))
        case _:
            return e
