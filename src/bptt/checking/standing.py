"""What the claims of a document that hold say of those that do not: how far it has been understood."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bptt.checking.judge import Agreement, Judged, Tried, holds_parameter
from bptt.formula.tree import Derivative, Formula, Symbol

# So many claims that hold, and so many times as many as do not, show that a document has been understood.
ENOUGH, FOR_EACH = 3, 2
# More than so many claims that do not hold, and than so many times those that do, show the opposite.
FEW = 2
# How many axes what a derivative is by has, and what it is of.
Kind = tuple[int, int]


@dataclass(frozen=True)
class Standing:
    """`holding` claims hold, `differing` ones are read and do not. `rights` are the sides of those that hold,
    `ways` how they do; `flipped`, whether J is the log-likelihood. `layouts` counts how derivatives lie where
    they stand on the left: by vectors and by matrices, as the model's vectors do (True) or not.
    """

    holding: int = 0
    differing: int = 0
    rights: tuple[tuple[Formula, Formula], ...] = ()
    ways: frozenset[tuple[object, ...]] = frozenset()
    flipped: bool = False
    layouts: Mapping[tuple[Kind, bool], int] = field(default_factory=dict)

    @property
    def is_trusted(self) -> bool:
        """Whether the document has been understood: its names, what J is, how its derivatives lie."""
        return self.holding >= ENOUGH and self.holding >= FOR_EACH * self.differing

    @property
    def is_hopeless(self) -> bool:
        """Whether so little holds that the model must be another one: then nothing is called wrong."""
        return self.differing > FEW * max(1, self.holding)

    def is_odd(self, left: Formula, how: Agreement) -> bool:
        """Whether derivatives by vectors, or by matrices, lie one way in the document and here the other. A
        Jacobian may always lie either way.
        """
        if _is_straight(how) or not _is_of_number(left):
            return False
        kind = _kind(left)
        usual, other = (self.layouts.get((kind, straight), 0) for straight in (True, False))
        return usual >= ENOUGH * other

    def has_way(self, tried: Tried) -> bool:
        """Whether other claims like this one hold in this reading."""
        return _way(tried.left, tried.how) in self.ways


def standing(judgements: Iterable[Judged], flipped: bool) -> Standing:
    """What these claims show of each other."""
    holding = differing = 0
    rights: dict[tuple[Formula, Formula], None] = {}
    ways: set[tuple[object, ...]] = set()
    layouts: Counter[tuple[Kind, bool]] = Counter()
    for judged in judgements:
        if judged.left is None or judged.right is None:
            continue
        straight = [
            a for a in judged.agreements if _is_straight(a) and not a.mode.implied and not a.mode.maps
        ]
        if straight:
            rights.setdefault((judged.left, judged.right))
            ways.update(_way(judged.left, a) for a in straight)
        if judged.agreements:
            kind, straight_one = _kind(judged.left), any(map(_is_straight, judged.agreements))
            # Those of vectors are compared with their like, those of numbers with all.
            for one in {kind, (kind[0], 0)}:
                layouts[one, straight_one] += 1
        holding += bool(judged.agreements)
        differing += not judged.agreements and not judged.is_zero
    return Standing(holding, differing, tuple(rights), frozenset(ways), flipped, layouts)


def _way(left: Formula, how: Agreement) -> tuple[object, ...]:
    """A reading, apart from how ∘ binds, for claims of this kind: by a parameter, or by a value."""
    return holds_parameter(left), how.mode.flipped, how.mode.lying, how.every_use, how.loss


def _is_of_number(left: Formula) -> bool:
    return isinstance(left, Derivative) and isinstance(left.top, Symbol) and not left.top.shape


def holds_straight(judged: Judged) -> bool:
    """Whether a claim holds as the derivatives of the document lie."""
    return any(map(_is_straight, judged.agreements))


def _is_straight(how: Agreement) -> bool:
    return not (how.turned or how.mode.lying or how.mode.flipped)


def _kind(left: Formula) -> Kind:
    """How many axes there are of what a derivative is taken by, and of what: those of vectors may lie in
    another way than those of numbers. 0 for elements, which lie in no way.
    """
    top, bottom = (left.top, left.bottom) if isinstance(left, Derivative) else (None, left)
    above = len(top.shape) if isinstance(top, Symbol) else 0
    return (len(bottom.shape) if isinstance(bottom, Symbol) else 0), above
