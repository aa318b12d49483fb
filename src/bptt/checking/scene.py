"""A wrong formula while it is looked at: its parts with their places, its letters, and what fits where."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from itertools import product as choices

from bptt.checking.fitting import Fitting
from bptt.checking.pool import (
    Pool,
    all_letters,
    factors_of,
    letters_of,
    parts_of,
    renamed,
    summands_of,
)
from bptt.formula.shapes import NUMBER, ONE, NonConforming, Pair
from bptt.formula.tree import (
    Add,
    Derivative,
    Formula,
    Hadamard,
    Index,
    Indexed,
    Neg,
    Product,
    Quotient,
    Sum,
    Symbol,
    Text,
    TimeProduct,
    TokenPart,
    Transpose,
    children,
    rebuild,
)
from bptt.ir.dims import Dim

_OPERATORS = (Add, Neg, Product, Hadamard, Quotient, Transpose, Sum, TimeProduct)
# A factor with more letters is tried as it is; one with fewer with so many choices of other letters.
MOST_LETTERS = 3
MOST_VARIANTS = 60


@dataclass(frozen=True, slots=True)
class Place:
    """A part of a formula, and how to get there: the number of the child at each level from the outside."""

    part: Formula
    parent: Formula | None = None
    path: tuple[int, ...] = ()
    is_name: bool = False

    @property
    def is_operand(self) -> bool:
        """Whether sums and products are made of it: no name, no argument of a function."""
        return not self.is_name and (self.parent is None or isinstance(self.parent, _OPERATORS))


@dataclass(frozen=True, slots=True)
class Change:
    """`part` instead of what stands there; `place` is the part of it that is at fault, None for all of it."""

    part: Formula
    kind: str
    text: Text
    place: Formula | None = None


def places(formula: Formula) -> Iterator[Place]:
    """Every part, from the outside in and from left to right. What is differentiated, and whose element is
    taken, is a name: its time or index may be wrong, but nothing can be put there.
    """
    yield from _within(Place(formula))


def _within(place: Place) -> Iterator[Place]:
    yield place
    part = place.part
    names = place.is_name or isinstance(part, Derivative | TokenPart | Indexed)
    for k, child in enumerate(children(part)):
        yield from _within(Place(child, part, (*place.path, k), names))


def put(formula: Formula, path: tuple[int, ...], part: Formula) -> Formula:
    """The formula with `part` at the end of the path, and a product in a product without its brackets."""
    if not path:
        return part
    parts = children(formula)
    new = put(parts[path[0]], path[1:], part)
    if len(path) == 1 and isinstance(formula, Product | Hadamard | Add) and type(new) is type(formula):
        return type(formula)((*parts[: path[0]], *children(new), *parts[path[0] + 1 :]))
    return rebuild(formula, (*parts[: path[0]], new, *parts[path[0] + 1 :]))


def product(factors: tuple[Formula, ...]) -> Formula:
    """A product without needless brackets."""
    flat = tuple(inner for factor in factors for inner in factors_in(factor))
    return flat[0] if len(flat) == 1 else Product(flat)


def hadamard(factors: tuple[Formula, ...]) -> Formula:
    flat = tuple(
        inner
        for factor in factors
        for inner in (factor.factors if isinstance(factor, Hadamard) else (factor,))
    )
    return flat[0] if len(flat) == 1 else Hadamard(flat)


def factors_in(formula: Formula) -> tuple[Formula, ...]:
    return formula.factors if isinstance(formula, Product) else (formula,)


@dataclass(frozen=True)
class Scene:
    """`fitting` has the layout; where it is "", nothing is left out because it would not fit."""

    whole: Formula
    pool: Pool
    fitting: Fitting = field(default_factory=Fitting)
    _variants: dict[int, tuple[Formula, tuple[Formula, ...]]] = field(default_factory=dict, repr=False)

    @property
    def layout(self) -> str:
        return self.fitting.layout

    @cached_property
    def _letters(self) -> dict[str, set[Dim]]:
        return self.fitting.letters(self.whole, self.pool)

    @cached_property
    def lacking(self) -> tuple[Formula, ...]:
        """The factors of the right formula that stand nowhere in this one."""
        here = set(factors_of(self.whole))
        return tuple(factor for factor in self.pool.factors if factor not in here)

    @cached_property
    def lacking_terms(self) -> tuple[Formula, ...]:
        here = set(summands_of(self.whole))
        return tuple(term for term in self.pool.terms if term not in here)

    @cached_property
    def foreign(self) -> frozenset[Formula]:
        """The factors of this formula that stand nowhere in the right one."""
        return frozenset(factors_of(self.whole)) - set(self.pool.factors)

    @cached_property
    def names(self) -> tuple[Symbol, ...]:
        """All quantities that the right formula names."""
        found = (part for factor in self.pool.factors for part in parts_of(factor))
        return tuple(dict.fromkeys(part for part in found if isinstance(part, Symbol)))

    @cached_property
    def lacking_names(self) -> tuple[Symbol, ...]:
        here = set(parts_of(self.whole))
        return tuple(name for name in self.names if name not in here)

    @property
    def letters(self) -> tuple[str, ...]:
        return tuple(self._letters)

    def shape(self, part: Formula) -> Pair | None:
        """None where it does not conform."""
        return self.fitting.shape(part)

    def is_number(self, part: Formula) -> bool:
        return self.shape(part) == NUMBER

    def same_shape(self, one: Formula, other: Formula) -> bool:
        """Whether they could be added, as far as is known."""
        if not self.layout:
            return True
        shapes = self.shape(one), self.shape(other)
        return None in shapes or NUMBER in shapes or shapes[0] == shapes[1]

    def can_follow(self, left: Formula | None, right: Formula | None) -> bool:
        """Whether there is a product of the two, as far as is known."""
        if left is None or right is None or not self.layout:
            return True
        first, second = self.shape(left), self.shape(right)
        return first is None or second is None or NUMBER in (first, second) or first[1] == second[0]

    # Letters.

    def letters_for(self, part: Indexed, k: int) -> Iterator[str]:
        """Other letters that could be index number `k`."""
        size = self.fitting.axis(part, k)
        for letter, sizes in self._letters.items():
            if letter != part.indices[k].letter and (not size or not sizes or size[0] in sizes):
                yield letter

    def with_letters(self, part: Formula) -> tuple[Formula, ...]:
        """The part itself, and with other letters of the formula in place of its own."""
        known = self._variants.get(id(part))
        if known is None:
            known = part, (part, *islice(self._with_other_letters(part), MOST_VARIANTS))
            self._variants[id(part)] = known
        return known[1]

    def _with_other_letters(self, part: Formula) -> Iterator[Formula]:
        try:
            own = letters_of(part)
        except NonConforming:
            return
        if not 0 < len(own) <= MOST_LETTERS:
            return
        here = sorted({*all_letters(self.whole), *self.pool.letters})
        fitting = [
            [letter for letter in here if size is None or size in (self._letters.get(letter) or {size})]
            for size in own.values()
        ]
        for chosen in choices(*fitting):
            if chosen != tuple(own) and len(set(chosen)) == len(chosen):
                changed = renamed(part, dict(zip(own, chosen, strict=True)))
                if changed is not None:
                    yield changed

    def elements(self, part: Formula) -> Iterator[Indexed]:
        """Elements of a vector or a matrix, at letters of the formula."""
        shape = self.shape(part)
        if shape is None or shape == NUMBER:
            return
        number = len(part.shape) if isinstance(part, Symbol) else 1 if ONE in shape else 2
        letters = all_letters(self.whole)
        for chosen in choices(letters, repeat=number):
            indexed = Indexed(part, tuple(Index(letter) for letter in chosen))
            sizes = [self.fitting.axis(indexed, k) for k in range(number)]
            known = [self._letters[letter] for letter in chosen]
            if all(not s or not k or s[0] in k for s, k in zip(sizes, known, strict=True)):
                yield indexed


# What could stand at a place instead.
Rule = Callable[[Place, Scene], Iterator[Change]]
