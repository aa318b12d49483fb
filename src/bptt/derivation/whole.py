"""All gradients of a model, or one with what it needs, in the order in which they build on each other."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace

from bptt.derivation.board import LOSS, OBJECTIVES, Board, put_on_board
from bptt.derivation.derive import Deriver
from bptt.derivation.matrix_form import Unwritable
from bptt.derivation.steps import Chain, Definition, Derivation
from bptt.derivation.through_time import ThroughTime
from bptt.errors import InputError
from bptt.formula.shapes import LAYOUTS
from bptt.ir.expr import Expr
from bptt.ir.model import Model
from bptt.ir.ops import Op
from bptt.ir.traversal import topological
from bptt.syntax.spelling import canonical_name, spell

LONGEST_UNROLLED = 12


@dataclass(frozen=True)
class Derivations:
    """`definitions` are the equations as they stand on the board, `gradients` in the order in which they
    build on each other (the one that was asked for last). `carried` are the readings of what is carried
    through time, and `obstacle` says what keeps a closed form from being written, if anything does.
    """

    board: Board
    deriver: Deriver
    definitions: tuple[Definition, ...]
    gradients: tuple[Derivation, ...]
    carried: tuple[Chain, ...] = ()
    obstacle: str = ""
    of: str | None = None

    def gradient(self, name: str) -> Derivation:
        return next(g for g in self.gradients if g.name == name)


def derive_model(
    model: Model,
    of: str | None = None,
    *,
    layout: str | None = None,
    objective: str = "cross-entropy",
    batch: bool = False,
    unroll: int = 0,
) -> Derivations:
    """The derivation of every gradient of a model; with `of`, of one and of what leads to it.

    `of` names a parameter, a quantity of the equations, the input `x`, or what was carried in, as `h[t-1]`.
    InputError for a name that the model does not have, a layout or objective that there is not.
    """
    _check("layout", layout, LAYOUTS)
    _check("objective", objective, OBJECTIVES)
    if not 0 <= unroll <= LONGEST_UNROLLED:
        raise InputError(
            f"{unroll} steps cannot be written out", hint=f"1 to {LONGEST_UNROLLED} steps are readable"
        )
    if unroll and not model.states:
        raise InputError(
            f"{model.name} carries nothing from step to step, so there is nothing to unroll",
            hint="leave out the number of steps",
        )
    board = put_on_board(model, layout, objective, batch)
    names = targets(board)
    if of is not None:
        of = _find(of, names, board)
        if of == model.output and not Deriver(board).uses(names[of]):
            # The loss as it is usually written goes by the logits; who asks for ŷ wants it as it is defined.
            board = put_on_board(model, layout, objective, batch, fused=False)
            names = targets(board)
    deriver = Deriver(board)
    through_time = ThroughTime(deriver) if board.recurrent else None
    gradients = []
    for name, leaf in _in_order(deriver, names, of):
        derivation = deriver.derivation(leaf, name, role(leaf))
        gradients.append(_with_readings(derivation, leaf, through_time, unroll))
    carried, obstacle = _carried(through_time, unroll)
    definitions = tuple(deriver.define(value) for value in deriver.values)
    return Derivations(board, deriver, definitions, tuple(gradients), carried, obstacle, of)


def targets(board: Board) -> dict[str, Expr]:
    """Whatever the gradient can be asked for, by name: `H`, `h`, `x`, `h[t-1]`."""
    leaves: dict[str, Expr] = {}
    for value in reversed(list(board.values.values())):
        if value.name != LOSS:
            leaves[value.name] = value.leaf
    for value in board.values.values():
        for leaf in topological([value.definition]):
            if leaf.op is Op.PARAM or (leaf.op is Op.TOKEN and leaf.attr == "x"):
                leaves[leaf.attr] = leaf
            elif leaf.op is Op.CARRY:
                state = board.state(leaf.attr)
                leaves[f"{state.variable}[t-{state.lag}]"] = leaf
    for state in board.model.states:
        for leaf in topological([] if state.initial is None else [state.initial]):
            if leaf.op is Op.PARAM:
                leaves.setdefault(leaf.attr, leaf)
    return leaves


def role(leaf: Expr) -> str:
    return {Op.PARAM: "parameter", Op.TOKEN: "input", Op.CARRY: "state"}.get(leaf.op, "value")


def _check(what: str, given: str | None, known: tuple[str, ...]) -> None:
    if given is not None and given not in known:
        near = difflib.get_close_matches(given, known, 1)
        hint = f"did you mean {near[0]}?" if near else "there is " + " and ".join(known)
        raise InputError(f"there is no {what} {given!r}", hint=hint)


def _find(of: str, names: dict[str, Expr], board: Board) -> str:
    """The name of a target from what the user wrote: `h_{t-1}`, `h(t-1)` and `a_h` are understood."""
    written = "".join(c if c in "[](){}_-−∂/·" else spell(c) for c in of.replace("ʰ", "_h"))
    written = re.sub(r"^(?:[d∂]\w*/)?[d∂](?=\w)", "", written) if of not in names else of
    written = re.sub(r"[{}]", "", written)
    carried = re.fullmatch(r"(\w+?)_?[\[(]?t[-−](\d+)[\])]?", written)
    now = re.fullmatch(r"(\w+?)(?:_t|\[t\]|\(t\))", written)
    aliases = {alias: name for name in names if "·" in name for alias in _aliases(name, board)}
    candidates = [of, written, canonical_name(written), f"{carried[1]}[t-{carried[2]}]" if carried else ""]
    candidates += [now[1] if now else "", *(aliases.get(c, "") for c in (of, written))]
    for candidate in candidates:
        if candidate in names:
            return candidate
    readable = [plain_name(name, board) for name in names]
    by_case = {name.lower(): name for name in readable}
    near = [by_case[n] for n in difflib.get_close_matches(written.lower(), by_case, 1)]
    hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(readable)}"
    if carried and carried[1] in board.values:
        furthest = max((s.lag for s in board.model.states if s.variable == carried[1]), default=0)
        hint = f"{carried[1]} is carried {furthest} step{'s' * (furthest > 1)} on" if furthest else hint
    raise InputError(f"{board.model.name} has no quantity {of!r} to take the gradient by", hint=hint)


def plain_name(name: str, board: Board) -> str:
    """What a target is called where there are only letters: `a_h` for the pre-activation of h."""
    return _aliases(name, board)[0] if "·" in name else name


def _aliases(name: str, board: Board) -> list[str]:
    """What a pre-activation may be called: `theta` and `logits`, or `a_h`."""
    symbol = board.values[name].symbol
    return (
        [f"{symbol.name}_{symbol.of}", f"{symbol.name}{symbol.of}"] if symbol.of else [symbol.name, "logits"]
    )


def _in_order(deriver: Deriver, names: dict[str, Expr], of: str | None) -> list[tuple[str, Expr]]:
    """Values from the loss backwards, each parameter once the values that it stands in are done."""
    values = {v.leaf: v for v in deriver.values}
    wanted = set(names)
    if of is not None:
        target = names[of]
        on_the_way = {v.name for v in deriver.values if target in deriver.below_values([v])}
        wanted = (on_the_way & deriver.active) - {LOSS} | {of}
    shown = [n for n, leaf in names.items() if n in wanted and (n == of or _is_of_interest(deriver, leaf))]
    place = {v.name: number for number, v in enumerate(reversed(deriver.values))}

    def order(name: str) -> tuple[int, int]:
        leaf = names[name]
        if leaf in values:
            return place[name], 0
        uses = [place[v.name] for v in deriver.values if leaf in deriver.leaves(v)]
        return max(uses, default=len(place)), {"parameter": 1, "state": 2, "input": 3}[role(leaf)]

    ordered = sorted((n for n in shown if n != of), key=order)
    return [(name, names[name]) for name in ([*ordered, of] if of is not None else ordered)]


def _is_of_interest(deriver: Deriver, leaf: Expr) -> bool:
    """Not ŷ, where the loss goes by the logits."""
    if leaf.op is not Op.VALUE or leaf.attr in deriver.active:
        return True
    return any(leaf in deriver.below(s) for s in deriver.board.model.states)


def _with_readings(
    derivation: Derivation, leaf: Expr, through_time: ThroughTime | None, unroll: int
) -> Derivation:
    if through_time is None:
        return derivation
    try:
        return replace(derivation, through_time=tuple(through_time.of(leaf, unroll)))
    except Unwritable:
        return derivation


def _carried(through_time: ThroughTime | None, unroll: int) -> tuple[tuple[Chain, ...], str]:
    if through_time is None:
        return (), ""
    chains: list[Chain] = []
    obstacle = ""
    try:
        chains += through_time.common()
        chains += through_time.closed()
    except Unwritable as reason:
        obstacle = str(reason)
    try:
        chains += through_time.unrolled(unroll) if unroll else []
    except Unwritable as reason:
        obstacle = str(reason)
    return tuple(chains), obstacle
