"""The schedule: what runs before a loop, inside it, and after it.

Every expression of the program gets a place where it is computed, on a line of alternating places

    once | map 0 | scan 0 | map 1 | scan 1 | map 2 | … | once

with one scan for each group of carries that need each other, in the order in which they need each other:
the layers of a stack one after the other, then the reverse scans the other way round. In a scan stays only
what its carried values are made of. What needs no carried value comes before the first loop, for all steps
at once (the input projections); what depends on one but is not needed to carry on comes after its loop (the
output layer); all sums over the steps (weight gradients) go to the map that follows. What a map makes for
later maps alone moves on to where it is first used. So the output layer and its gradient meet in one map,
where a backend can work tile by tile.

A value that is used in a later place is kept for every step and example, except where it can be had again
from other kept values at the cost of reading it (`1 - z`): then it is computed again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bptt.ir import build
from bptt.ir.dims import VOCABULARY
from bptt.ir.expr import Expr, make
from bptt.ir.ops import FACTS, LEAVES, Op
from bptt.ir.program import Block, Carry, Kind, Program
from bptt.ir.traversal import topological

ONCE = -1
DERIVATIVES = ("∂", "δ")  # what the names of derivatives begin with


def schedule(program: Program) -> Program:
    """The program with its blocks split as described above; what it computes is the same."""
    last = [block for block in program.blocks if block.kind is Kind.ONCE]
    loops = [block for block in program.blocks if block.kind is not Kind.ONCE]
    scans = [
        (group, block.reverse)
        for block in loops
        for group in _groups(block.carries)
        if block.kind is Kind.SCAN
    ]
    program, loops, scans = _reassociate(program, loops, scans)
    placement = _Placement(loops, scans)
    assembly = _Assembly(program, placement)
    return replace(program, blocks=(*assembly.blocks(), *last), names=assembly.names)


def _groups(carries: tuple[Carry, ...]) -> list[tuple[Carry, ...]]:
    """The carries in groups that need each other (strongly connected components), each after those it
    needs.
    """
    needs = {c.name: {e.attr for e in topological([c.update]) if e.op is Op.CARRY} for c in carries}
    names = [c.name for c in carries]
    reach = {name: set(needs[name]) & set(names) for name in names}
    for middle in names:
        for name in names:
            if middle in reach[name]:
                reach[name] |= reach[middle]
    by_name = {c.name: c for c in carries}
    groups: list[tuple[Carry, ...]] = []
    placed: set[str] = set()
    while len(placed) < len(names):
        for name in names:
            together = {n for n in names if n == name or (n in reach[name] and name in reach[n])}
            if name not in placed and reach[name] <= placed | together:
                groups.append(tuple(by_name[n] for n in names if n in together))
                placed |= together
                break
    return groups


Scans = list[tuple[tuple[Carry, ...], bool]]


def _carried_in(scans: Scans) -> dict[str, int]:
    return {c.name: number for number, (group, _) in enumerate(scans) for c in group}


def _reassociate(program: Program, loops: list[Block], scans: Scans) -> tuple[Program, list[Block], Scans]:
    """Sums with the terms that need the latest loop kept apart from those that are known before it."""
    scan_of = _carried_in(scans)
    depth: dict[Expr, int] = {}  # the latest scan whose carried values an expression is made of

    def change(e: Expr) -> Expr:
        if e.op is not Op.ADD:
            return e
        deepest = max(depth[a] for a in e.args)
        early = [a for a in e.args if depth[a] < deepest]
        late = [a for a in e.args if depth[a] == deepest]
        if len(early) < 2 or not late:
            return e
        # `make`, not `build.add`, which would flatten the sum again.
        return make(Op.ADD, (*late, make(Op.ADD, tuple(early))))

    roots = [e for block in loops for e in block.roots()]
    became: dict[Expr, Expr] = {}
    for e in topological([*roots, *program.names]):
        args = tuple(became[a] for a in e.args)
        new = change(
            e if args == e.args else make(e.op, args, e.attr, e.shape if e.op is Op.BROADCAST else None)
        )
        for made in (*new.args, new):
            if made not in depth:
                own = scan_of.get(made.attr, ONCE) if made.op is Op.CARRY else ONCE
                depth[made] = max([own, *(depth[a] for a in made.args)])
        became[e] = new
    moved = [
        replace(
            block,
            outputs=tuple((name, became[e]) for name, e in block.outputs),
            sums=tuple((name, became[e]) for name, e in block.sums),
        )
        for block in loops
    ]
    groups = [
        (tuple(replace(c, update=became[c.update]) for c in group), backwards) for group, backwards in scans
    ]
    names = {became[e]: name for e, name in reversed(program.names.items())}
    return replace(program, names=names), moved, groups


class _Placement:
    """Where each expression is computed: ONCE, 2k for map k, 2k+1 for scan k."""

    def __init__(self, loops: list[Block], scans: Scans) -> None:
        self.scans = scans
        self.outputs = [item for block in loops for item in block.outputs]
        self.sums = [item for block in loops for item in block.sums]
        self.scan_of = _carried_in(scans)
        self.updates = [[c.update for c in group] for group, _ in scans]
        self.needed = [set(topological(group)) for group in self.updates]
        self.place: dict[Expr, int] = {}
        self._find_places()
        self._split_sums()
        self._find_places()
        self.everywhere = _everywhere(self.order)
        self.sum_places = [_map_from(self.place[e]) for _, e in self.sums]
        self.output_places = [max(self.place[e], 0) for _, e in self.outputs]
        self._sink()

    def _find_places(self) -> None:
        """The earliest place of everything that has none yet."""
        roots = [e for _, e in (*self.outputs, *self.sums)] + [e for group in self.updates for e in group]
        self.order = topological(roots)
        for e in self.order:
            if e not in self.place:
                self.place[e] = self._place(e)

    def _split_sums(self) -> None:
        """Sums in parts that are known at different places: none of them has to wait, or be kept."""
        parts: list[tuple[str, Expr]] = []
        for name, e in self.sums:
            by_place: dict[int, list[Expr]] = {}
            for term in e.args if e.op is Op.ADD else (e,):
                # A number for every token is shaped by the terms beside it.
                at = _map_from(self.place[term if term.shape == e.shape else e])
                by_place.setdefault(at, []).append(term)
            for terms in by_place.values():
                parts.append((name, terms[0] if len(terms) == 1 else make(Op.ADD, tuple(terms))))
        self.sums = parts

    def _place(self, e: Expr) -> int:
        if not e.varies:
            return ONCE
        if e.op is Op.CARRY:
            return 2 * self.scan_of[e.attr] + 1
        latest = max((self.place[a] for a in e.args), default=0)
        latest = max(latest, 0)
        if latest % 2 == 1 and e not in self.needed[latest // 2]:
            return latest + 1
        return latest

    def _sink(self) -> None:
        """Moves what a map computes for later places only to the map where it is first needed: it need not be
        kept. What is made of something as long as the vocabulary, and is not itself, stays: that would be
        kept for it.
        """
        first_use: dict[Expr, int] = {}

        def use(e: Expr, at: int) -> None:
            first_use[e] = min(first_use.get(e, at), at)

        for (_, e), at in zip(
            (*self.sums, *self.outputs), (*self.sum_places, *self.output_places), strict=True
        ):
            use(e, at)
        for number, (group, _) in enumerate(self.scans):
            for c in group:
                use(c.update, 2 * number + 1)
        for e in reversed(self.order):
            place = self.place[e]
            shrinks = VOCABULARY not in e.shape and any(VOCABULARY in a.shape and a.args for a in e.args)
            if e.args and place >= 0 and place % 2 == 0 and not shrinks:
                self.place[e] = max(place, first_use[e] - first_use[e] % 2)
            for a in e.args:
                use(a, self.place[e])


class _Assembly:
    """From places to blocks: what is kept between them, under which name, and what each block computes."""

    def __init__(self, program: Program, placement: _Placement) -> None:
        self.program = program
        self.placement = placement
        self.place = placement.place
        self.kept: dict[Expr, str] = {}
        self.once: dict[Expr, str] = {}
        self.names = dict(program.names)
        self._keep()
        self._name()

    def _keep(self) -> None:
        """Finds what is used in a later place than its own."""
        demanded = self._demanded(frozenset())
        across = [e for e in self.placement.order if any(at != self.place[e] for at in demanded.get(e, ()))]
        kept = {e for e in across if e.varies}
        # States are kept anyway, step for step; of what is carried back nobody keeps more than one step.
        # Arguments come first in `order`, so whether a value can be had again from kept ones is known when
        # it is reached.
        stored = {c.update for group, backwards in self.placement.scans if not backwards for c in group}
        passing = {c.name for group, backwards in self.placement.scans if backwards for c in group}
        again: set[Expr] = set()

        def at_hand(a: Expr) -> bool:
            if a.op is Op.CARRY:
                return a.attr not in passing
            return a in self.placement.everywhere or a in kept or a in again or not a.varies

        for e in self.placement.order:
            if e.varies and FACTS[e.op].cheap and e not in stored and all(map(at_hand, e.args)):
                again.add(e)
        demanded = self._demanded(again)
        for e in self.placement.order:
            if any(at != self.place[e] for at in demanded.get(e, ())):
                if e.varies and e not in again:
                    self.kept[e] = ""
                elif not e.varies:
                    self.once[e] = ""

    def _demanded(self, again: Iterable[Expr]) -> dict[Expr, set[int]]:
        """In which places each expression that is computed is used. Leaves are at hand everywhere."""
        computed_again = set(again)
        demanded: dict[Expr, set[int]] = {}

        def demand(e: Expr, at: int) -> None:
            if e not in self.placement.everywhere:
                demanded.setdefault(e, set()).add(at)

        for e, at in self._roots():
            demand(e, at)
        for e in reversed(self.placement.order):
            for at in sorted(demanded.get(e, ())):
                if at == self.place[e] or e in computed_again:
                    for a in e.args:
                        demand(a, at)
                else:
                    for a in e.args:
                        demand(a, self.place[e])
        return demanded

    def _roots(self) -> list[tuple[Expr, int]]:
        placement = self.placement
        roots = [(e, at) for (_, e), at in zip(placement.sums, placement.sum_places, strict=True)]
        roots += [(e, at) for (_, e), at in zip(placement.outputs, placement.output_places, strict=True)]
        for number, (group, _) in enumerate(self.placement.scans):
            roots += [(c.update, 2 * number + 1) for c in group]
        return roots

    def _name(self) -> None:
        taken = {name for name, _ in self.placement.outputs} | {name for name, _ in self.placement.sums}
        taken |= set(self.program.params)
        results = {e: name for name, e in self.placement.outputs}
        part_of = self._nearest_names()
        for e in self.kept:
            self.kept[e] = results.get(e) or self._free_name(e, part_of, taken)
        for e in self.once:
            self.once[e] = self._free_name(e, part_of, taken)

    def _free_name(self, e: Expr, part_of: dict[Expr, str], taken: set[str]) -> str:
        """The user's name of `e`, or one that says what it is a part of."""
        name = self.program.names.get(e)
        number = 0
        while name is None or name in taken:
            number += 1
            name = f"{part_of.get(e, 'a')}·{number}"
        taken.add(name)
        return name

    def _nearest_names(self) -> dict[Expr, str]:
        """For each expression the named one that it is made for, where there is one."""
        nearest: dict[Expr, str] = {}
        # The equations themselves come first: a value of the forward program is a part of what it is made
        # for there.
        for gradients in (False, True):
            for e in reversed(self.placement.order):
                name = self.program.names.get(e) or nearest.get(e)
                if name is not None and name.startswith(DERIVATIVES) == gradients:
                    for a in e.args:
                        nearest.setdefault(a, name)
        return nearest

    def blocks(self) -> list[Block]:
        blocks = []
        if self.once:
            read = self._read_in(ONCE)
            outputs = tuple((name, read[e]) for e, name in self.once.items())
            blocks.append(Block(Kind.ONCE, outputs, title="from parameters alone"))
        for place in range(2 * len(self.placement.scans) + 1):
            block = self._block(place)
            if block.roots():
                blocks.append(block)
        return blocks

    def _block(self, place: int) -> Block:
        read = self._read_in(place)
        outputs = {name: read[e] for e, name in self.kept.items() if self.place[e] == place}
        placement = self.placement
        for (name, e), at in zip(placement.outputs, placement.output_places, strict=True):
            if at == place and self.kept.get(e) != name:
                outputs[name] = read[e]
        sums = tuple(
            (name, read[e])
            for (name, e), at in zip(placement.sums, placement.sum_places, strict=True)
            if at == place
        )
        if place % 2 == 0:
            return Block(Kind.MAP, tuple(outputs.items()), sums, title=self._map_title(place))
        group, backwards = self.placement.scans[place // 2]
        carries = tuple(replace(c, update=read[c.update]) for c in group)
        title = "loop back through time" if backwards else "loop through time"
        return Block(Kind.SCAN, tuple(outputs.items()), (), carries, backwards, title)

    def _map_title(self, place: int) -> str:
        scans = self.placement.scans
        if not scans:
            return "all steps at once"
        if place == 0:
            return "before the loops"
        return "after the loops" if place == 2 * len(scans) else "between the loops"

    def _read_in(self, place: int) -> dict[Expr, Expr]:
        """What each expression is to a block in `place`: kept values are leaves there, the rest is
        computed.
        """
        read: dict[Expr, Expr] = {}
        for e in self.placement.order:
            if e in self.placement.everywhere:
                read[e] = e
            elif e in self.once and place != ONCE:
                read[e] = build.param(self.once[e], e.shape)
            elif e in self.kept and self.place[e] != place:
                read[e] = build.value(self.kept[e], e.shape)
            else:
                # Not `build.rebuild`: the pass has settled the form of sums, and values have taken the
                # place of expressions.
                args = tuple(read[a] for a in e.args)
                shape = e.shape if e.op is Op.BROADCAST else None
                read[e] = e if args == e.args else make(e.op, args, e.attr, shape)
                if e in self.program.names:
                    self.names.setdefault(read[e], self.program.names[e])
        return read


def _map_from(place: int) -> int:
    """The map in which a value from `place` can be summed."""
    return 0 if place == ONCE else place + place % 2


def _everywhere(order: Iterable[Expr]) -> set[Expr]:
    """What a block can read without any earlier block: leaves, parts of parameters, and plain numbers."""
    found: set[Expr] = set()
    for e in order:
        numbers = not e.varies and all(a in found and a.op is not Op.PARAM for a in e.args)
        if e.op in LEAVES or numbers or (e.op is Op.SLICE and not e.varies and e.args[0] in found):
            found.add(e)
    return found
