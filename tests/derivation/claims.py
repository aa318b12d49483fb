"""Every claim that the derivations of a board make, and whether it holds.

A claim is that two formulas are equal. The left side of a chain is a name or a derivative of one, whose value
comes from the run of the model (truth.py, reading.py); each formula that the chain goes through is a claim.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property, partial

import numpy as np

from bptt.checking.world import World
from bptt.derivation.board import LOSS, Board, put_on_board
from bptt.derivation.derive import Deriver
from bptt.derivation.matrix_form import Unwritable
from bptt.derivation.steps import Chain
from bptt.derivation.through_time import ThroughTime
from bptt.formula.evaluate import Unbound
from bptt.formula.shapes import NonConforming, Undefined, shape_of
from bptt.formula.tensor import Tensor
from bptt.formula.tree import Derivative, Formula, Indexed, Number, Symbol, TokenPart, children
from bptt.ir.expr import Expr
from bptt.ir.ops import Op
from bptt.ir.traversal import topological
from bptt.render.unicode import show
from cells import MODELS
from derivation.hard_cells import HARD
from derivation.reading import NoMeaning, Reading

UNROLLED = 3
TOLERANCE = 1e-9
ZERO = "the truth is zero"
# What a formula raises that has no value. KeyError: a symbol that is none of the model's, or a time too far.
WORTHLESS = (NonConforming, Undefined, Unbound, NoMeaning, KeyError, ValueError, TypeError, AssertionError)


@dataclass(frozen=True)
class Claim:
    """`left` = `right`, in "index" or "matrix" notation; `place` and `rule` say where it is claimed."""

    left: Formula
    right: Formula
    notation: str
    reading: str
    place: str
    rule: str
    unrolled: bool = False


@dataclass
class Claims:
    """All claims of a board. `obstacles` are what has no matrix form, with the reason; `results` the chains
    in index and in matrix form of each gradient that has both.
    """

    board: Board
    claims: list[Claim] = field(default_factory=list)
    obstacles: dict[str, str] = field(default_factory=dict)
    results: dict[str, tuple[Chain, Chain]] = field(default_factory=dict)
    proofs: dict[tuple[int, bool], Proof] = field(default_factory=dict, repr=False)

    def proof(self, seed: int, plain: bool = False) -> Proof:
        """The world in which the claims are tried, the same one for the same seed."""
        if (seed, plain) not in self.proofs:
            self.proofs[seed, plain] = Proof(self.board, seed, plain)
        return self.proofs[seed, plain]

    def add(self, chain: Chain | None, place: str) -> None:
        if chain is not None:
            unrolled = (
                any(is_unrolled(f) for pair in chain.equations() for f in pair)
                or "Unrolled over T = " in chain.title
            )
            for step in chain.steps:
                claim = Claim(
                    chain.left, step.after, chain.notation, chain.reading, place, step.rule, unrolled
                )
                self.claims.append(claim)


@cache
def claims_of_model(name: str, layout: str, objective: str, batch: bool, fused: bool = True) -> Claims:
    return claims_of(put_on_board((MODELS | HARD)[name], layout, objective, batch, fused=fused))


def leaves_of(board: Board) -> dict[Expr, str]:
    """Everything that a gradient is derived by: parameters, tokens, carried values, and named values."""
    found: dict[Expr, str] = {}
    for value in board.values.values():
        for e in topological([value.definition]):
            if e.op in (Op.PARAM, Op.TOKEN, Op.CARRY):
                found[e] = f"{e.attr} ({e.op.name.lower()})"
    return found | {v.leaf: v.name for v in board.values.values() if v.name != LOSS}


def claims_of(board: Board) -> Claims:
    found = Claims(board)
    derive = Deriver(board)
    for value in board.values.values():
        defined = derive.define(value)
        place = f"definition of {value.name}"
        found.claims.append(
            Claim(defined.left_element, defined.element, "index", "definition", place, "definition")
        )
        if defined.matrix is not None:
            found.claims.append(
                Claim(defined.symbol, defined.matrix, "matrix", "definition", place, "definition")
            )
        else:
            found.obstacles[place] = "no matrix form"
    leaves = leaves_of(board)
    for leaf, name in leaves.items():
        derivation = derive.derivation(leaf, name, "")
        for chain in derivation.local:
            found.add(chain, f"{name}: one equation")
        found.add(derivation.index, f"{name}: index form")
        found.add(derivation.matrix, f"{name}: matrix form")
        found.add(derivation.written_out, f"{name}: written out")
        for chain in derivation.forms:
            found.add(chain, f"{name}: other forms")
        if derivation.matrix is None:
            found.obstacles[name] = derivation.obstacle
        else:
            found.results[name] = (derivation.index, derivation.matrix)
    if board.recurrent:
        through = ThroughTime(derive)
        readings: dict[str, Callable[[], list[Chain]]] = {
            "recursion": through.common,
            "closed form": through.closed,
            "unrolled": partial(through.unrolled, UNROLLED),
        }
        readings |= {
            f"{name}: through time": partial(through.of, leaf, UNROLLED) for leaf, name in leaves.items()
        }
        for place, chains in readings.items():
            try:
                for chain in chains():
                    found.add(chain, place)
            except Unwritable as reason:
                found.obstacles[place] = str(reason)
    return found


def is_unrolled(formula: Formula) -> bool:
    """Whether it speaks of a step by its number."""
    times = [formula.time] if isinstance(formula, Symbol) else []
    times += [formula.at] if isinstance(formula, Derivative) else []
    return any(t is not None and not t.letter for t in times) or any(map(is_unrolled, children(formula)))


class Proof:
    """Claims tried in one world, or in one of UNROLLED steps if they are about so many."""

    def __init__(self, board: Board, seed: int, plain: bool = False) -> None:
        self.board, self.seed = board, seed
        self.long = Reading(World(board, seed, plain))
        self.short = Reading(World(board, seed, plain, steps=UNROLLED))

    def fault(self, claim: Claim) -> str:
        """What is wrong with a claim; "" where it holds."""
        reading = self._reading(claim)
        try:
            if is_zero(claim.right) and isinstance(claim.left, Derivative):
                return "" if reading.vanishes(claim.left) else "not zero"
            left = reading.value(claim.left)
            letters = dict(zip(left.letters, left.array.shape, strict=False))
            right = reading.value(claim.right, letters if claim.notation == "index" else None)
            return (
                differ(left, right)
                or self._other_shape(claim)
                or self._other_formula(claim, reading, left)
                or ("" if left.array.any() else ZERO)
            )
        except WORTHLESS as error:
            return f"{type(error).__name__} {error}"

    def _reading(self, claim: Claim) -> Reading:
        if isinstance(claim.left, Derivative) and isinstance(claim.left.bottom, TokenPart):
            return self._one_hot
        return self.short if claim.unrolled else self.long

    @cached_property
    def _one_hot(self) -> Reading:
        return Reading(World(self.board, self.seed, plain=True))

    def _other_shape(self, claim: Claim) -> str:
        """In matrix notation both sides have the same rows and columns, in symbols too."""
        if claim.notation != "matrix" or is_zero(claim.right):
            return ""
        left, right = (shape_of(f, self.board.layout) for f in (claim.left, claim.right))
        return "" if left == right else f"shapes {left} and {right}"

    def _other_formula(self, claim: Claim, reading: Reading, left: Tensor) -> str:
        """A formula that is differentiated, ∂/∂w (…), is the value that is differentiated on the left."""
        if not isinstance(claim.left, Derivative):
            return ""
        for formula in differentiated(claim.right):
            top = reading.value(claim.left.top)
            value = reading.value(formula, dict(zip(left.letters, left.array.shape, strict=False)))
            spare = [k for k, letter in enumerate(value.axes) if letter not in top.axes]
            if spare and not top.axes:
                # One example's loss, beside the sum over all.
                value = Tensor(value.array.sum(tuple(spare)))
            problem = differ(top, value)
            if problem:
                return f"the formula that is differentiated: {problem}"
        return ""


def differentiated(formula: Formula) -> Iterator[Formula]:
    match formula:
        case Derivative(top, _) if not isinstance(top, Symbol | Indexed):
            yield top
    for part in children(formula):
        yield from differentiated(part)


def is_zero(formula: Formula) -> bool:
    return formula == Number(0.0)


def differ(left: Tensor, right: Tensor) -> str:
    """How two values differ; an index that the right side does not have makes no difference to it."""
    if not set(right.letters) <= set(left.letters):
        return f"indices {right.letters} for {left.letters}"
    if right.pair != left.pair and right.array.any():
        return f"{right.pair} for {left.pair}"
    shape = [n if a in right.axes else 1 for a, n in zip(left.axes, left.array.shape, strict=True)]
    a, b = left.array, right.array.reshape(shape)
    if not np.all(np.isfinite(a)) or not np.all(np.isfinite(b)):
        return "not finite"
    error, scale = np.max(np.abs(a - b), initial=0.0), np.max(np.abs(a), initial=0.0)
    return f"off by {error:.1e} of {scale:.1e}" if error > TOLERANCE * max(scale, 1e-3) else ""


@dataclass(frozen=True)
class Failure:
    claim: Claim
    fault: str

    def __str__(self) -> str:
        claim = self.claim
        return f"{claim.place}, {claim.rule}: {show(claim.left)} = {show(claim.right)}   [{self.fault}]"


def failures(claims: Claims, seed: int, plain: bool = False) -> list[Failure]:
    """The claims that do not hold. A derivative that is zero counts as one if it is so in three worlds."""
    found = []
    for claim in claims.claims:
        fault = claims.proof(seed, plain).fault(claim)
        if fault == ZERO:
            others = [claims.proof(seed + k, plain).fault(claim) for k in (100, 200)]
            fault = next((other for other in others if other != ZERO), ZERO)
        if fault:
            found.append(Failure(claim, fault))
    return found
