"""Claims against numbers: is what a document says of a derivative so?

A claim holds if both sides have the same value at several random points, in a reading that a reader would
choose. It is wrong only with evidence: a small change makes it right. What does neither is left undecided,
and says what is missing. (Never correct from 0 = 0, never wrong for want of a reading.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Set
from dataclasses import dataclass, field, replace
from itertools import islice, product

import numpy as np

from bptt.checking import layouts
from bptt.checking.bars import has_words
from bptt.checking.batches import BatchValues
from bptt.checking.layouts import Layout
from bptt.checking.maps import Maps
from bptt.checking.meaning import Reader
from bptt.checking.meanings import Meanings, Mode
from bptt.checking.names import Unclear, walk
from bptt.checking.products import HADAMARD
from bptt.checking.restrictions import EVERYWHERE, Restriction, restriction
from bptt.checking.values import Values
from bptt.checking.world import NOW, World
from bptt.checking.written import At, Big, Call, Chain, Differential, Letter, Link, Nabla, Statement, Written
from bptt.derivation.board import LOSS
from bptt.formula.evaluate import Unbound
from bptt.formula.shapes import NonConforming, Undefined
from bptt.formula.tensor import Tensor
from bptt.formula.tree import (
    BEFORE,
    Add,
    Derivative,
    Formula,
    Indexed,
    Kronecker,
    Neg,
    Sum,
    Symbol,
    Time,
    children,
)
from bptt.ir.dims import Dim
from bptt.ir.expr import Expr
from bptt.ir.ops import Op

# Relative agreement of two ways to compute one number in float64; what differs, differs by far more.
TOLERANCE = 1e-7
EVENLY = Mode()
MOST_PARTS = 1000
SIGNS = {1.0: "cross-entropy", -1.0: "log-likelihood"}


@dataclass(frozen=True)
class Agreement:
    """How the sides of a claim agree: with which sign of J, laid out like each other or transposed, through
    one use of a parameter or all of them; `labelled` if a letter of its left side is that of the true class,
    `before` if the derivative on it is that by the parameter of the step before, and the bar is left out.
    """

    sign: float = 1.0
    turned: bool = False
    every_use: bool = False
    loss: str = "now"
    mode: Mode = EVENLY
    labelled: bool = False
    before: bool = False


@dataclass(frozen=True)
class Tried:
    """Both sides of a claim in one reading; `how` has no sign yet."""

    left: Formula
    right: Formula
    how: Agreement


@dataclass
class Judged:
    """What was found out about one link: the formulas of both sides as they were read, how they agree, and
    the readings that were tried.

    `where` is what it is said to hold for. `missing` says what kept a reading from having a value, `misfit`
    the parts that do not fit together. It is `unsure` whether the claim was understood where a reading has no
    value for another reason; where a derivative on the right side `is_vanishing`, the model may be another.
    """

    statement: Statement
    link: Link
    left: Formula | None = None
    right: Formula | None = None
    agreements: list[Agreement] = field(default_factory=list)
    tried: list[Tried] = field(default_factory=list)
    missing: str = ""
    misfit: NonConforming | None = None
    is_zero: bool = False
    unsure: bool = False
    where: Restriction = EVERYWHERE
    is_vanishing: bool = False
    # The layouts in which it holds, and whether it does as a row of maps.
    layouts: frozenset[Layout] = frozenset()
    as_maps: bool = False


_Asked = tuple[Formula, Formula, Agreement, Restriction]


class Judge:
    """Judges the claims that stand where one model holds. `worlds` are several points of that model, `losses`
    what a J without a time may be, `until` the last of all steps (0: all that there are). In `certain` worlds
    there is a true class.
    """

    def __init__(
        self,
        meanings: Meanings,
        worlds: list[World],
        losses: tuple[str, ...] = ("now",),
        until: int = 0,
        certain: list[World] | None = None,
    ) -> None:
        self.meanings, self.worlds, self.losses, self.until = meanings, worlds, losses, until
        self.certain = certain or []
        self.layout = layouts.USUAL  # that of the document, once it is known
        # What was found out before of the same formulas, read in the same way.
        self._known: dict[
            tuple[Formula, Formula, Agreement, Restriction], tuple[list[Agreement], Judged]
        ] = {}

    def judge(self, statement: Statement, left: Written, link: Link) -> Judged:
        """Tries every reading of both sides, those first that are chosen more often."""
        where = restriction(statement.conditions)
        judged = Judged(statement, link, where=where, unsure=where.unclear)
        if _is_too_long(left) or _is_too_long(link.right):
            return replace(judged, missing=f"a formula of at most {MOST_PARTS} parts")
        for mode in self._modes(left, link.right):
            try:
                shown = self._read(left, link.right, mode)
                claimed, written = _as_meant(*shown, mode, self.meanings.layout)
            except Unclear as reason:
                if not (mode.maps or mode.implied):
                    judged.missing = judged.missing or str(reason)
                continue
            if judged.left is None:
                judged.left, judged.right = shown
            uses = (False, True) if holds_parameter(claimed) else (False,)
            timeless = mentions_timeless_loss(claimed) or mentions_timeless_loss(written)
            losses = self.losses if timeless else ("now",)
            labels = (False, True) if self.is_labelled(claimed, written, where) else (False,)
            for labelled, every_use, loss in product(labels, uses, losses):
                if labelled and judged.agreements:
                    break
                how = Agreement(1.0, False, every_use, loss, mode, labelled)
                judged.agreements += self.agreement(claimed, written, how, judged)
                if not mode.maps and not mode.implied:
                    judged.tried.append(Tried(claimed, written, how))
            if not judged.agreements and _could_lack_bar(claimed, written):
                assert isinstance(claimed, Derivative)
                barred = replace(claimed, at=BEFORE)
                for loss in losses:
                    how = Agreement(1.0, False, False, loss, mode, before=True)
                    judged.agreements += self.agreement(
                        barred, written, how, Judged(statement, link, where=where)
                    )
            if any(not a.turned for a in judged.agreements):
                # The reading in which it holds.
                judged.left, judged.right = shown
                self._settle(left, mode)
                how = next(a for a in judged.agreements if not a.turned)
                judged.layouts = self._layouts(left, judged, how)
                judged.as_maps = self._holds(left, judged, how, maps=True)
                break
        if not judged.agreements and any(
            isinstance(n, At) and has_words(n.where) for n in walk([left, link.right])
        ):
            judged.unsure = True
            judged.missing = judged.missing or "what stands at the bar"
        if not judged.agreements and self._rests_on_nothing(judged):
            judged.is_vanishing = True
            judged.missing = judged.missing or "a derivative that is not zero"
        return judged

    def _read(self, left: Written, right: Written, mode: Mode) -> tuple[Formula, Formula]:
        """Both sides; what is derived on the left is derived through everything."""
        claimed = Reader(self.meanings, replace(mode, immediate=False))(left)
        reader = Reader(self.meanings, mode)
        reader.square = size_of(claimed)
        return claimed, reader(right)

    def _layouts(self, left: Written, judged: Judged, how: Agreement) -> frozenset[Layout]:
        """The layouts in which a claim holds that holds in one."""
        orders = {how.mode.falling, how.mode.falling ^ _multiplies_steps(judged.link.right)}
        return frozenset(
            layout
            for layout in layouts.ALL
            if any(self._holds(left, judged, how, layout, falling=falling) for falling in orders)
        )

    def _holds(
        self, left: Written, judged: Judged, how: Agreement, layout: Layout = layouts.USUAL, *,
        falling: bool = False, maps: bool = False,
    ) -> bool:  # fmt: skip
        """Whether a claim holds as laid out so, read as before in all else."""
        mode = replace(how.mode, flipped=layout.flipped, lying=layout.lying, falling=falling, maps=maps)
        if mode == how.mode:
            return True
        try:
            sides = _as_meant(*self._read(left, judged.link.right, mode), mode, self.meanings.layout)
        except Unclear:
            return False
        other = Judged(judged.statement, judged.link, where=judged.where)
        found = self.agreement(*sides, replace(how, mode=mode), other)
        return any(not a.turned and a.sign == how.sign for a in found)

    def _rests_on_nothing(self, judged: Judged) -> bool:
        """Whether a derivative on the right side is zero everywhere: then the model is not what is meant."""
        if judged.left is None or judged.right is None:
            return False
        how = Agreement(loss=self.losses[0])
        for formula in derivatives(judged.right):
            try:
                found = [values(formula) for values in self.points(how)]
            except (NonConforming, Unbound, KeyError, IndexError, ValueError):
                continue
            if all(bool(np.all(np.abs(value.array) <= TOLERANCE)) for value in found):
                return True
        return False

    def _modes(self, left: Written, right: Written) -> list[Mode]:
        """All modes; those with inner derivatives first where that is what a short name meant before."""
        plain = list(modes(left, right, einstein=self.meanings.einstein))
        if self.meanings.diagonal:
            plain += [replace(mode, diagonal=True) for mode in plain if not mode.implied]
        if self.losses == ("now",) and len(self.meanings.carried) > 1 and not self.meanings.says_total:
            # A cell of which the loss is known at its own step: c_{t-1} and h_{t-1} enter it side by side.
            plain += [replace(mode, alone=True) for mode in plain if not mode.implied]
        if isinstance(left, Call):
            return [Mode("pointwise"), *plain]
        if not any(isinstance(node, Differential) and node.guessed for node in walk([left, right])):
            return plain
        inner = [replace(mode, inner=True) for mode in plain]
        return inner + plain if any(self.meanings.inner.values()) else plain + inner

    def _settle(self, left: Written, mode: Mode) -> None:
        """The first line of a short name that holds tells what it is short for."""
        if isinstance(left, Differential) and left.guessed and isinstance(left.bottom, Letter):
            self.meanings.inner.setdefault(left.bottom.name, mode.inner)

    def agreement(self, left: Formula, right: Formula, how: Agreement, judged: Judged) -> list[Agreement]:
        """The ways in which both sides agree at every point, read so."""
        known = self._known.get((left, right, how, judged.where))
        if known is None:
            noted = Judged(judged.statement, judged.link, where=judged.where)
            known = self._agreement(left, right, how, noted), noted
            self._known[left, right, how, judged.where] = known
        ways, noted = known
        judged.is_zero, judged.unsure = judged.is_zero or noted.is_zero, judged.unsure or noted.unsure
        judged.missing, judged.misfit = judged.missing or noted.missing, judged.misfit or noted.misfit
        return ways

    def _agreement(self, left: Formula, right: Formula, how: Agreement, judged: Judged) -> list[Agreement]:
        mode = how.mode
        possible = dict.fromkeys(product((1.0, -1.0), (False, True)), True)
        informative = False
        for values in self.points(how, judged.where):
            try:
                a = values(left)
                letters = dict(zip(a.letters, a.array.shape, strict=False))
                b = values.where.held(spread(values(right, letters), a), values.places)
                # A zero where i ≠ k shows something if there is none where i = k.
                said = replace(values, where=EVERYWHERE)(left) if values.where.pairs else a
            except Undefined:
                judged.unsure = judged.unsure or mode == EVENLY
                return []
            except NonConforming as misfit:
                judged.misfit = judged.misfit or misfit
                return []
            except Unbound as unbound:
                judged.unsure = judged.unsure or mode == EVENLY
                judged.missing = judged.missing or f"what {unbound.letter} runs over"
                return []
            except (KeyError, IndexError, ValueError) as reason:
                judged.unsure = judged.unsure or mode == EVENLY
                judged.missing = judged.missing or f"a value for {reason}"
                return []
            if not (np.all(np.isfinite(a.array)) and np.all(np.isfinite(b.array))):
                judged.unsure = True
                judged.missing = judged.missing or "a value within bounds"
                return []
            informative = informative or bool(np.any(np.abs(said.array) > TOLERANCE))
            for (sign, turned), holds in possible.items():
                if holds:
                    flip = sign if mentions_loss(left) != mentions_loss(right) else 1.0
                    if flip != sign:
                        possible[sign, turned] = False
                        continue
                    possible[sign, turned] = same(a, scaled(transposed(b) if turned else b, sign))
        if not informative:
            judged.is_zero = True
            return []
        ways = [key for key, holds in possible.items() if holds]
        return [replace(how, sign=sign, turned=turned) for sign, turned in ways]

    def is_labelled(self, left: Formula, right: Formula, where: Restriction) -> bool:
        """Whether the letter of a true class stands in a claim about a loss, or in what it holds for."""
        if not self.certain or not mentions(left, {LOSS, *self.meanings.losses}):
            return False
        return not self.meanings.labels.keys().isdisjoint((*letters(left), *letters(right), *where.letters))

    def points(self, how: Agreement, where: Restriction = EVERYWHERE) -> list[Values]:
        """The values of a reading, at every point, where the claim is said to hold."""
        worlds = self.certain if how.labelled else self.worlds
        return [replace(self._values(world, how), where=where) for world in worlds]

    def _values(self, world: World, how: Agreement) -> Values:
        mode = how.mode
        if world.board.batch:
            return BatchValues(world, mode.flipped, mode.lying, loss=how.loss, lone=self.meanings.layout)
        places = self.places(world) if how.labelled else {}
        return Values(world, mode.flipped, mode.lying, 1.0, how.every_use, how.loss, self.until, places)

    def places(self, world: World) -> dict[str, int]:
        """Where the letters of the true class stand."""
        found = {}
        for letter, target in self.meanings.labels.items():
            leaf = target_leaf(world, target)
            if leaf is not None:
                found[letter] = int(np.argmax(world.run()[leaf, NOW][0, 0].real))
        return found


def _is_too_long(formula: Written) -> bool:
    return next(islice(walk([formula]), MOST_PARTS, None), None) is not None


def size_of(claimed: Formula) -> Dim | None:
    """How large a square matrix on the right side is: as the vector by which something is derived."""
    match claimed:
        case Derivative(bottom=Symbol(shape=(size,))):
            return size
    return None


def modes(*parts: Written, einstein: str = "used") -> Iterator[Mode]:
    """The ways to read these formulas that differ for them; `einstein` says whether sums are implied
    ("stated", "used", or "": never).
    """
    if einstein == "stated":
        yield Mode(implied=True)
    nodes = list(walk(list(parts)))
    chains = [[s in HADAMARD for s in n.signs] for n in nodes if isinstance(n, Chain)]
    mixed = any(any(signs) and not all(signs) for signs in chains)
    differentials = sum(isinstance(n, Differential | Nabla) for n in nodes)
    for products in ("even", "loose", "tight") if mixed else ("even",):
        for flipped, lying in layouts.ALL if differentials else (layouts.USUAL,):
            yield Mode(products, flipped, lying)
    if differentials > 1:
        yield Mode(maps=True)
    yield from _over_steps(nodes)
    if einstein == "used":
        yield Mode(implied=True)


def _as_meant(left: Formula, right: Formula, mode: Mode, layout: str) -> tuple[Formula, Formula]:
    """Both sides with the sums that the mode adds. Unclear where there is no place for them."""
    if mode.maps:
        left, right = Maps(layout).whole(left, right)
    return (left, with_implied_sums(left, right)) if mode.implied else (left, right)


def _multiplies_steps(right: Written) -> bool:
    return any(isinstance(node, Big) and node.sign == "Π" for node in walk([right]))


def _over_steps(nodes: list[Written]) -> Iterator[Mode]:
    """The ways to read products over steps, and derivatives of states by what every step uses."""
    orders = (False, True) if any(isinstance(n, Big) and n.sign == "Π" for n in nodes) else (False,)
    is_summed = any(isinstance(n, Big) for n in nodes)
    is_total = any(isinstance(n, Differential) and n.signs[0] == "d" for n in nodes)
    for falling, immediate in product(orders, (False, True) if is_summed or is_total else (False,)):
        if falling or immediate:
            for flipped, lying in layouts.ALL:
                yield Mode(flipped=flipped, lying=lying, falling=falling, immediate=immediate)
        if immediate and not falling:
            yield Mode(maps=True, immediate=True)


def with_implied_sums(left: Formula, right: Formula) -> Formula:
    """Einstein's convention: a sum over each letter that stands twice in a term and not on the left."""
    outside = Counter(letters(left))
    terms = right.terms if isinstance(right, Add) else (right,)
    summed = []
    for term in terms:
        inner = term.operand if isinstance(term, Neg) else term
        counts = Counter(letters(inner))
        body = inner
        for letter in sorted(counts):
            if letter not in outside and counts[letter] > 1:
                body = Sum(letter, body)
        summed.append(Neg(body) if isinstance(term, Neg) else body)
    if tuple(summed) == tuple(terms):
        raise Unclear("what the sum runs over")
    return summed[0] if len(summed) == 1 else Add(tuple(summed))


def letters(formula: Formula) -> Iterator[str]:
    """The free letters of a formula, as often as they stand in it."""
    match formula:
        case Indexed(base, indices):
            yield from (index.letter for index in indices)
            yield from letters(base)
        case Kronecker(left, right):
            yield from (left.letter, right.letter)
        case Sum(letter=bound, body=body):
            yield from (letter for letter in letters(body) if letter != bound)
        case _:
            for part in children(formula):
                yield from letters(part)


def derivatives(formula: Formula) -> Iterator[Derivative]:
    """The derivatives in a formula."""
    if isinstance(formula, Derivative):
        yield formula
    for part in children(formula):
        yield from derivatives(part)


def holds_parameter(formula: Formula) -> bool:
    """Whether a derivative by something without a time is in it."""
    match formula:
        case Derivative(bottom=bottom):
            return _is_timeless(bottom)
        case _:
            return any(map(holds_parameter, children(formula)))


def _could_lack_bar(left: Formula, right: Formula) -> bool:
    """Whether a derivative by a parameter is said to be made of what happened a step before."""
    if not isinstance(left, Derivative) or left.at is not None or not _is_timeless(left.bottom):
        return False
    return mentions_loss(left.top) and any(time == BEFORE for time in _times(right))


def _times(formula: Formula) -> Iterator[Time]:
    if isinstance(formula, Symbol) and formula.time is not None:
        yield formula.time
    for part in children(formula):
        yield from _times(part)


def _is_timeless(formula: Formula) -> bool:
    if isinstance(formula, Symbol):
        return formula.time is None
    return any(map(_is_timeless, children(formula)))


def mentions_loss(formula: Formula) -> bool:
    """Whether the value depends on what J is (a derivative of J does)."""
    if isinstance(formula, Symbol):
        return formula.name == "J"
    return any(map(mentions_loss, children(formula)))


def mentions(formula: Formula, names: Set[str]) -> bool:
    """Whether one of the names stands in it."""
    if isinstance(formula, Symbol):
        return formula.name in names
    return any(mentions(part, names) for part in children(formula))


def target_leaf(world: World, name: str) -> Expr | None:
    """The leaf of what is given under this name."""
    given = (leaf for leaf in world.board.symbols if leaf.op is Op.TOKEN and leaf.attr == name)
    return next(given, None)


def mentions_timeless_loss(formula: Formula) -> bool:
    if isinstance(formula, Symbol):
        return formula.name == "J" and formula.time is None
    return any(map(mentions_timeless_loss, children(formula)))


def spread(value: Tensor, like: Tensor) -> Tensor:
    """A value that is the same for every place of an index, with an axis for that index: ∂z_n/∂b = 1."""
    missing = set(like.letters) - set(value.letters)
    if not missing or value.is_matrix != like.is_matrix or not set(value.letters) <= set(like.letters):
        return value
    sizes = dict(zip(like.axes, like.array.shape, strict=True))
    shape = [1 if letter in missing else sizes[letter] for letter in like.letters]
    array = value.array.reshape(*shape, *(value.pair if value.is_matrix else ()))
    whole = [sizes[letter] for letter in like.letters]
    return Tensor(np.broadcast_to(array, (*whole, *array.shape[len(whole) :])), like.axes)


def transposed(value: Tensor) -> Tensor:
    if not value.is_matrix:
        return value
    return Tensor(np.swapaxes(value.array, -1, -2), value.axes)


def scaled(value: Tensor, factor: float) -> Tensor:
    return value if factor == 1.0 else Tensor(factor * value.array, value.axes)


def same(a: Tensor, b: Tensor) -> bool:
    """Equal axes, shapes and numbers."""
    if a.axes != b.axes or a.array.shape != b.array.shape:
        return False
    scale = max(float(np.max(np.abs(a.array), initial=0.0)), float(np.max(np.abs(b.array), initial=0.0)))
    return bool(np.isfinite(scale)) and bool(
        np.all(np.abs(a.array - b.array) <= TOLERANCE * max(scale, 1e-12))
    )
