"""What the names of a part of a document have been found to mean."""

from __future__ import annotations

from dataclasses import dataclass, field

from bptt.checking.meanings import Quantity
from bptt.checking.report import Remark
from bptt.checking.written import Link


@dataclass(frozen=True)
class Meaning:
    """What a definition is taken to say, and the link that says it."""

    link: Link
    quantity: Quantity


@dataclass
class Settled:
    """`defined` gives what a statement (by its number) defines, `claims` the statements about a name that has
    a meaning already, `saying` the links (by id) that give a name its meaning in passing. `taken` says of
    names that nothing defines what the claims show them to be, `doubtful` of links (by id) that would hold if
    such a name were something else there what would have to be known. `arguments` are names of what is
    only the argument of a function, with those of the quantities that were put there.
    """

    defined: dict[int, Meaning] = field(default_factory=dict)
    claims: set[int] = field(default_factory=set)
    saying: set[int] = field(default_factory=set)
    taken: dict[str, str] = field(default_factory=dict)
    doubtful: dict[int, str] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)
    remarks: list[Remark] = field(default_factory=list)
