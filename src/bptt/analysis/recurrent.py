"""The matrices that a state goes through on its way back to itself, and other values for them."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bptt.backends.base import Arrays
from bptt.ir.dims import Dim, Shape
from bptt.ir.expr import Expr
from bptt.ir.model import Model
from bptt.ir.ops import Op
from bptt.ir.traversal import topological

Floats = NDArray[np.float64]

# What recurrent matrices can be; each is multiplied by a scale afterwards.
KINDS = {
    "random": "normal entries of variance 1/n, n numbers in",
    "orthogonal": "orthogonal (of orthonormal rows or columns, where it is not square)",
    "identity": "the identity, where it is square",
    "-identity": "minus the identity, where it is square",
}


@dataclass(frozen=True)
class RecurrentMatrix:
    """The part of a parameter that multiplies what was carried: `start` to `stop` along `axis`, the axis
    that is summed over.

    All of H in `h[t-1] @ H`; the last rows of W in `[e, h[t-1]] @ W`.
    """

    name: str
    shape: Shape
    axis: int
    start: Dim
    stop: Dim

    @property
    def whole(self) -> bool:
        return self.start == Dim() and self.stop == self.shape[self.axis]

    @property
    def square(self) -> bool:
        return self.shape[1 - self.axis] == self.stop - self.start

    def part(self, sizes: Mapping[str, int]) -> tuple[slice, ...]:
        """Where it is in the parameter, as an index."""
        rows = slice(self.start.evaluate(sizes), self.stop.evaluate(sizes))
        return (rows, slice(None)) if self.axis == 0 else (slice(None), rows)


def recurrent_matrices(model: Model) -> tuple[RecurrentMatrix, ...]:
    """Every matrix M in a product with something that a carried value is in, where that product goes on into
    a state from which the same carried value is made again (perhaps some steps later).

    In two layers, what leads from the first to the second is none; in `z[t-1] @ B`, `z = tanh(…) @ U`, both
    B and U are.
    """
    updates = [s.update for s in model.states]
    carried = _carried_values(updates)
    reached = {s.name: _closure(s.name, model, carried) for s in model.states}
    inside = {s.name: set(topological([s.update])) for s in model.states}
    found: list[RecurrentMatrix] = []
    for e in topological(updates):
        if e.op is not Op.CONTRACT:
            continue
        for position, (table, other) in enumerate(zip(e.args, reversed(e.args), strict=True)):
            circle = any(e in inside[into] and carried[other] & reached[into] for into in inside)
            if table.varies or len(table.shape) != 2 or not circle:
                continue
            if table.op is Op.PARAM:
                for start, stop in _carried_parts(other, carried, e.attr[1 - position]):
                    found.append(RecurrentMatrix(table.attr, table.shape, e.attr[position], start, stop))
            else:
                # In a product such as `h[t-1] @ (0.5 * H)` all of H.
                for p in topological([table]):
                    if p.op is Op.PARAM and len(p.shape) == 2:
                        found.append(RecurrentMatrix(p.attr, p.shape, 0, Dim(), p.shape[0]))
    return _each_once(found)


def _each_once(found: Sequence[RecurrentMatrix]) -> tuple[RecurrentMatrix, ...]:
    """Without repetitions; where one use of a parameter takes all of it, that use alone."""
    kept: dict[str, list[RecurrentMatrix]] = {}
    for m in found:
        parts = kept.setdefault(m.name, [])
        if m.whole and not any(other.whole for other in parts):
            parts[:] = [m]
        elif m not in parts and not any(other.whole for other in parts):
            parts.append(m)
    return tuple(m for parts in kept.values() for m in parts)


def _carried_values(roots: Sequence[Expr]) -> dict[Expr, frozenset[str]]:
    """The carries that each expression is made of."""
    carried: dict[Expr, frozenset[str]] = {}
    for e in topological(roots):
        own = frozenset({e.attr}) if e.op is Op.CARRY else frozenset()
        carried[e] = own.union(*(carried[a] for a in e.args))
    return carried


def _closure(name: str, model: Model, carried: Mapping[Expr, frozenset[str]]) -> set[str]:
    """The carries that the carry of this name gets into, now (itself) or at some later step."""
    into = {s.name: carried[s.update] for s in model.states}
    reached, new = {name}, [name]
    while new:
        one = new.pop()
        for other, sources in into.items():
            if one in sources and other not in reached:
                reached.add(other)
                new.append(other)
    return reached


def _carried_parts(e: Expr, carried: Mapping[Expr, frozenset[str]], axis: int) -> list[tuple[Dim, Dim]]:
    """From where to where along `axis` an expression holds anything of a carry: of [e, h[t-1]] the part
    that is h.
    """
    if e.op is not Op.CONCAT or e.attr != axis:
        return [(Dim(), e.shape[axis])]
    parts, start = [], Dim()
    for a in e.args:
        stop = start + a.shape[axis]
        if carried[a]:
            parts.append((start, stop))
        start = stop
    return parts


def with_recurrent(
    matrices: Sequence[RecurrentMatrix],
    params: Arrays,
    sizes: Mapping[str, int],
    *,
    kind: str | None = None,
    scale: float = 1.0,
    seed: int = 0,
) -> dict[str, Floats]:
    """The parameters, with recurrent matrices of another kind (see KINDS; None: as they are) times `scale`.

    Identities take the place of square ones only. The same seed and name give the same draw in any model.
    Raises ValueError for a kind that is none.
    """
    changed = {name: np.array(array, np.float64) for name, array in params.items()}
    for m in matrices:
        at = m.part(sizes)
        if kind is not None and (m.square or "identity" not in kind):
            random = np.random.default_rng((seed, zlib.crc32(m.name.encode())))
            changed[m.name][at] = _draw(kind, changed[m.name][at].shape, m.axis, random)
        changed[m.name][at] *= scale
    return changed


def _draw(kind: str, shape: tuple[int, ...], axis: int, random: np.random.Generator) -> Floats:
    if kind not in KINDS:
        raise ValueError(f"unknown kind {kind!r}")
    if kind == "random":
        return random.standard_normal(shape) / np.sqrt(shape[axis])
    if kind == "orthogonal":
        q, r = np.linalg.qr(random.standard_normal((max(shape), min(shape))))
        q = q * np.sign(np.diag(r))
        return q if shape[0] >= shape[1] else q.T
    return (-1.0 if kind == "-identity" else 1.0) * np.eye(shape[0])
