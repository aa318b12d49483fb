"""Equations between sizes: unification in which a size can be a sum (the size of a concatenation)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from bptt.ir.dims import VOCABULARY, Dim
from bptt.source import Span

ONE = Dim.number(1)

# Makes the error for two sizes that cannot be equal.
Blame = Callable[[Dim, Dim], Exception]


@dataclass(frozen=True)
class Stated:
    """What the file says about a free size: the name in a stated shape, the number in a `size` line.

    `span` is where; `of_vector` tells that the name is that of a vector, whose size is not the vocabulary's.
    """

    span: Span
    name: str | None = None
    number: int | None = None
    of_vector: bool = False


class Sizes:
    """Unknown sizes, what they are bound to, and what the file states about them.

    A size is a `Dim` whose terms are `V` or unknowns; an unknown is called `?` and a number, as no name
    can be.
    """

    def __init__(self, is_vector_size: Callable[[str], bool]) -> None:
        """`is_vector_size` tells of an unknown whether some vector has that size: it cannot become 1."""
        self._is_vector_size = is_vector_size
        self._bound: dict[str, Dim] = {}
        self._stated: dict[str, Stated] = {}
        self._waiting: list[tuple[Dim, Dim, Blame]] = []
        self._long: set[str] = set()
        self._count = 0
        self.changes = 0  # grows with every binding, so that a caller can see progress

    def fresh(self) -> Dim:
        self._count += 1
        return Dim.named(f"?{self._count}")

    def lengthen(self, unknown: Dim) -> None:
        """Say of an unknown that it is not 1."""
        self._long.add(unknown.terms[0][0])

    def state(self, unknown: Dim, stated: Stated) -> None:
        """Attach what the file says to an unknown."""
        self._stated[unknown.terms[0][0]] = stated

    def stated(self, unknown: str) -> Stated | None:
        return self._stated.get(unknown)

    def resolve(self, d: Dim) -> Dim:
        """The size in terms of unknowns that are not bound."""
        while any(name in self._bound for name, _ in d.terms):
            alone = unknown(d)
            d = substitute(d, self._bound) if alone is None else self._bound[alone]
        return d

    def is_free(self, d: Dim) -> bool:
        """Whether `d` is one unknown about which nothing is stated: it could still become 1."""
        name = unknown(self.resolve(d))
        return name is not None and name not in self._stated and name not in self._long

    def is_long(self, d: Dim) -> bool:
        """Whether `d` is certainly not 1."""
        d = self.resolve(d)
        return d != ONE and not self.is_free(d)

    def equate(self, a: Dim, b: Dim, blame: Blame) -> None:
        """Make `a` and `b` one size; raises `blame(a, b)`, now or when more is known."""
        self._waiting.append((a, b, blame))
        again = True
        while again:
            before = self.changes
            waiting, self._waiting = self._waiting, []
            self._waiting = [entry for entry in waiting if not self._equate(*entry)]
            again = self.changes > before

    def make_one(self, d: Dim, blame: Blame) -> None:
        """Make `d` the size 1, as an axis of a scalar; raises `blame(d, 1)` if it is stated."""
        d = self.resolve(d)
        name = unknown(d)
        if d != ONE:
            if name is None or name in self._stated or name in self._long:
                raise blame(d, ONE)
            self._bound[name] = ONE
            self.changes += 1

    def finish(self) -> None:
        """Raise for the equation between sums that could not be solved, if one is left."""
        for a, b, blame in self._waiting:
            raise blame(self.resolve(a), self.resolve(b))

    def _equate(self, a: Dim, b: Dim, blame: Blame) -> bool:
        a, b = self.resolve(a), self.resolve(b)
        if a == b:
            return True
        difference = a - b
        for sign in (1, -1):
            # One unknown on one side, and on the other a sum in which it does not occur.
            alone = [name for name, factor in difference.terms if factor * sign > 0]
            if len(alone) == 1 and alone[0] != VOCABULARY.terms[0][0] and difference.constant * sign <= 0:
                factor = dict(difference.terms)[alone[0]] * sign
                rest = Dim() - _scaled(difference, sign) + Dim(((alone[0], factor),))
                if any(f % factor for _, f in rest.terms) or rest.constant % factor:
                    continue
                quotient = Dim(tuple((n, f // factor) for n, f in rest.terms), rest.constant // factor)
                if quotient == Dim() or not self._bind(alone[0], quotient):
                    raise blame(a, b)
                return True
        positive = any(f > 0 for _, f in difference.terms) or difference.constant > 0
        negative = any(f < 0 for _, f in difference.terms) or difference.constant < 0
        if not (positive and negative) or all(n == "V" for n, _ in difference.terms):
            raise blame(a, b)
        return False

    def _bind(self, name: str, value: Dim) -> bool:
        """Bind an unknown, unless what is stated about it forbids that."""
        mine = self._stated.get(name)
        other = unknown(value)
        if value == ONE and (mine is not None or name in self._long or self._is_vector_size(name)):
            return False
        if name in self._long and other is not None:
            self._long.add(other)
        if mine is not None and other is not None:
            merged = _merge(mine, self._stated.get(other))
            if merged is None:
                return False
            self._stated[other] = merged
        elif mine is not None:
            if mine.number is not None and value != Dim.number(mine.number):
                return False
            if mine.of_vector and value == VOCABULARY:
                return False
        self._bound[name] = value
        self.changes += 1
        return True


def substitute(d: Dim, values: dict[str, Dim]) -> Dim:
    """`d` with the named terms replaced by sizes."""
    result = Dim((), d.constant)
    for name, factor in d.terms:
        result = result + _scaled(values.get(name, Dim.named(name)), factor)
    return result


def unknown(d: Dim) -> str | None:
    """The name of the unknown that `d` is, or None if it is anything else."""
    if len(d.terms) == 1 and d.constant == 0 and d.terms[0][1] == 1 and d.terms[0][0].startswith("?"):
        return d.terms[0][0]
    return None


def unknowns(d: Dim) -> list[str]:
    """The unknowns in a sum."""
    return [name for name, _ in d.terms if name.startswith("?")]


def _scaled(d: Dim, factor: int) -> Dim:
    return Dim(tuple((name, f * factor) for name, f in d.terms), d.constant * factor)


def _merge(a: Stated, b: Stated | None) -> Stated | None:
    """Both statements about one size, None if they contradict each other."""
    if b is None:
        return a
    if a.name is not None and b.name is not None and a.name != b.name:
        return None
    if a.number is not None and b.number is not None and a.number != b.number:
        return None
    first = a if a.number is not None else b
    return replace(first, name=a.name or b.name, of_vector=a.of_vector or b.of_vector)
