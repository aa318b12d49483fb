"""The readings of a gradient in a model with a memory: through step t-1, as a recursion over all steps, in
closed form, and unrolled.

All of them are put together from the same parts: what each equation passes back to each quantity it is made
of. They differ in where the sweep begins (the loss of one step, or of every step) and in what arrives from
later steps.
"""

from __future__ import annotations

from functools import partial

from bptt.autodiff.reverse import reverse
from bptt.derivation.board import LOSS, Value
from bptt.derivation.derive import Deriver
from bptt.derivation.jacobian import StepJacobian
from bptt.derivation.matrix_form import MatrixForm, Unwritable, add, product
from bptt.derivation.steps import Chain, chain
from bptt.derivation.wording import LONGEST, size, tidy
from bptt.formula.tree import (
    NEXT,
    NOW,
    Blocks,
    Concatenation,
    Derivative,
    Formula,
    Number,
    Sum,
    Symbol,
    Text,
    Time,
    TimeProduct,
    at_time,
    shift_time,
    transform,
)
from bptt.ir import build
from bptt.ir.expr import Expr
from bptt.ir.model import State
from bptt.ir.ops import Op
from bptt.ir.traversal import topological

STATE = "What steps t to T ask of "
PUT_IN = "the derivatives at the pre-activations put in"
Link = tuple[Formula, str, Text]
# The loss of all steps together; that of one is J.
ALL = Symbol("J", of="all")
FIRST, LAST = Time("", 1), Time("T", 0)


class ThroughTime:
    """Readings of the gradients of one board; `common` for what is carried, `of` for any quantity."""

    def __init__(self, derive: Deriver) -> None:
        self.derive, self.board = derive, derive.board
        self.row = self.board.layout == "row"
        states = self.board.model.states
        self._carried = {
            v.name for v in derive.values if any(v.leaf in derive.below(s) for s in states) and v.name != LOSS
        }
        self._useful = derive.active | self._carried
        taken = {symbol.name for symbol in self.board.symbols.values()}
        free = [c for c in ("s", "r", "u", "v", "w", "i", "j", "k") if c not in taken]
        self._loss_time, self._step_time = Time(free[0], 0), Time(free[1], 0)
        self._later = Symbol("J", (), NEXT)
        self._total = MatrixForm(self.board, partial(self._known, ALL))
        self._before = MatrixForm(self.board, partial(self._known, self._later))

    def _known(self, top: Symbol, leaf: Expr) -> Formula | None:
        """How the derivative by a value is written when it is that of another loss than J of the step.

        Of what is made of parameters alone it is the part of one step, like that by a parameter.
        """
        value = next((v for v in self.derive.values if v.cotangent is leaf), None)
        if value is None:
            return None
        if value.name not in self._carried and self.derive.is_softmax_error(value):
            return self.derive.cotangent(value)
        return self._by(top, value)

    def _by(self, top: Symbol, value: Value) -> Derivative:
        return Derivative(top, value.symbol, NOW if value.leaf in self.board.constants else None)

    def states_of(self, value: Value) -> list[State]:
        return [s for s in self.board.model.states if s.variable == value.name]

    def state_values(self) -> list[Value]:
        """The values that are carried, those that are computed last first."""
        return [v for v in reversed(self.derive.values) if self.states_of(v)]

    # What is passed back, equation by equation.

    def _from_same_step(self, leaf: Expr, among: set[str], write: MatrixForm) -> list[Formula]:
        found: list[Formula] = []
        for value in self.derive.values:
            if value.name in among and leaf in self.derive.leaves(value):
                found += self.derive.parts(leaf, value, write)[1]
        return found

    def _from_later_steps(self, value: Value) -> list[tuple[Formula, int]]:
        """From the equations that take the value from what was carried, each with how many steps later."""
        found = []
        for state in self.states_of(value):
            carry = build.carry(state.name, state.shape)
            for formula in self._from_same_step(carry, self._useful, self._total):
                found.append((shift_time(formula, state.lag), state.lag))
        return found

    def _all_parts(self, value: Value) -> list[tuple[Formula, int]]:
        now = [(f, 0) for f in self._from_same_step(value.leaf, self._useful, self._total)]
        return now + self._from_later_steps(value)

    # What is carried.

    def common(self) -> list[Chain]:
        """The recursion of every carried value and of what it is made of, later ones first."""
        chains: list[Chain] = []
        for value in reversed(self.derive.values):
            is_state = bool(self.states_of(value))
            if value.leaf in self.board.constants:
                continue
            if not is_state and (value.name not in self._carried or value.activation):
                continue
            parts = self._all_parts(value)
            if not is_state:
                inner: list[Link] = [(add([f for f, _ in parts]), "chain rule", ())]
                spelt = self._put_in(inner[0][0], self._pre_activations(self._total))
                inner.append((spelt, PUT_IN, ()))
                begins = bool(chains) and chains[-1].title[:1] == (STATE,)
                within: Text = ("Within the step, from there",) if begins else ()
                chains.append(chain(Derivative(ALL, value.symbol), inner, "matrix", "total", within))
                continue
            title: Text = (STATE, value.symbol)
            reason: Text = ("what comes from later steps is absent where there is no such step",)
            whole = add([f for f, _ in parts]) if parts else Number(0.0)
            links: list[Link] = [
                (whole, "recursion", reason),
                (self._spelt_later(whole), PUT_IN, ()),
            ]
            chains.append(chain(Derivative(ALL, value.symbol), links, "matrix", "total", title))
        for value in self.state_values():
            chains += self._through_the_step_before(value.leaf)
        return chains

    def _spelt_later(self, formula: Formula) -> Formula:
        known = self._pre_activations(self._total)
        later = {
            shift_time(left, lag): shift_time(right, lag) for left, right in known.items() for lag in (1, 2)
        }
        return self._put_in(formula, later)

    def closed(self) -> list[Chain]:
        """The step's Jacobian, and with it the sum over all later losses.

        Unwritable where the Jacobian is no matrix.
        """
        states = self.board.model.states
        jacobian = StepJacobian(self.derive)
        if self._is_all_through_one_value():
            return self._closed_of_one(states[0], jacobian)
        return self._closed_of_many(list(states), jacobian)

    def _is_all_through_one_value(self) -> bool:
        """Whether one value is carried, one step, and the loss takes what was carried by that value alone."""
        states = self.board.model.states
        if len(states) != 1 or states[0].lag != 1:
            return False
        carry = build.carry(states[0].name, states[0].shape)
        own = self.board.values[states[0].variable]
        stack, seen = [self.board.loss.leaf], set()
        by_leaf = {v.leaf: v for v in self.derive.values}
        while stack:
            leaf = stack.pop()
            if leaf is carry:
                return False
            if leaf not in seen and leaf is not own.leaf and leaf in by_leaf:
                stack += self.derive.leaves(by_leaf[leaf])
            seen.add(leaf)
        return True

    def _closed_of_one(self, state: State, jacobian: StepJacobian) -> list[Chain]:
        value = self.board.values[state.variable]
        step = jacobian.between(state, state)
        h, before = value.symbol, shift_time(value.symbol, -1)
        per_step = Derivative(h, before)
        asked = self._from_same_step(value.leaf, self.derive.active, self.derive.matrix)
        own: Formula = Derivative(self.derive.loss, h)
        links: list[Link] = [
            (self._sum_of_products(own, per_step, NOW, NEXT), "recursion solved",
             ("one factor for every step between the loss and ", h)),
        ]  # fmt: skip
        spelt = add(asked) if asked else Number(0.0)
        if size(spelt) + size(step) <= LONGEST:
            put_in = self._sum_of_products(self._expanded(spelt), step, NOW, NEXT)
            links.append((put_in, "the step's own gradient and Jacobian put in", ()))
        return [
            chain(per_step, [(step, "Jacobian of one step", ("every path through the step",))], "matrix",
                  "total", ("One step back",)),
            chain(Derivative(ALL, h), links, "matrix", "total", ("Closed form, for any T",)),
        ]  # fmt: skip

    def _expanded(self, formula: Formula) -> Formula:
        """δ of the step reading written as the derivative it is: inside a closed form it would mislead."""
        meaning = {v.error: Derivative(self.derive.loss, v.symbol) for v in self.derive.values if v.error}
        return transform(formula, lambda part: meaning.get(part, part) if isinstance(part, Symbol) else part)

    def _sum_of_products(self, own: Formula, step: Formula, first: Time, nearest: Time) -> Formula:
        """Σ over s from `first` to T of own[s] times the Jacobians of steps s, …, `nearest`."""
        return self._summed_losses(at_time(own, self._loss_time), step, self._loss_time, nearest, first)

    def _summed_losses(
        self, asked: Formula, step: Formula, farthest: Time, nearest: Time, first: Time
    ) -> Formula:
        jacobian = at_time(step, self._step_time)
        ends = (farthest, nearest) if self.row else (nearest, farthest)
        steps = TimeProduct(self._step_time.letter, *ends, jacobian, self.row)
        body = product([asked, steps] if self.row else [steps, asked])
        return Sum(self._loss_time.letter, body, None, first, LAST)

    def _closed_of_many(self, states: list[State], jacobian: StepJacobian) -> list[Chain]:
        """With all that is carried in one vector m, the same sum; its Jacobian has a block for each pair."""
        entries = [[jacobian.between(new, old) for old in states] for new in states]
        if not self.row:
            entries = [list(column) for column in zip(*entries, strict=True)]
        items = [shift_time(self.board.values[s.variable].symbol, 1 - s.lag) for s in states]
        total = states[0].shape[0]
        for state in states[1:]:
            total = total + state.shape[0]
        taken = {symbol.name for symbol in self.board.symbols.values()}
        m = Symbol("carried" if "m" in taken else "m", (total,), NOW)
        bundle: list[Link] = [(Concatenation(tuple(items)), "all that is carried, in one vector", ())]
        about = [chain(m, bundle, "matrix", "total", ("What is carried",))]
        block: Formula = Blocks(tuple(map(tuple, entries)))
        if len(states) == 1:
            assert isinstance(items[0], Symbol)
            m, about, block = items[0], [], entries[0][0]
        before = shift_time(m, -1)
        body = at_time(Derivative(self.derive.loss, before), self._loss_time)
        farthest = self._loss_time.shift(-1)
        closed = self._summed_losses(body, Derivative(m, before), farthest, NEXT, NEXT)
        reason: Text = ("what steps t+1 to T ask of that which step t carries on",)
        one_step: list[Link] = [(block, "Jacobian of one step", ("every path through the step",))]
        return [
            *about,
            chain(Derivative(m, before), one_step, "matrix", "total", ("One step back",)),
            chain(
                Derivative(ALL, m, NEXT),
                [(closed, "recursion solved", reason)],
                "matrix",
                "total",
                ("Closed form, for any T",),
            ),
        ]

    def back(self) -> list[Chain]:
        """∂J of step T by what was carried on k steps before: one Jacobian for each of the k steps.

        Unwritable where the Jacobian is no matrix.
        """
        step = self.closed()[-2]
        last = Time("T", 0)
        carried = step.left.top if isinstance(step.left, Derivative) else step.left
        assert isinstance(carried, Symbol)
        first = Time("T-k", 0)
        own = Derivative(at_time(self.derive.loss, last), at_time(carried, last))
        nearest = Time("T-k", 1)
        ends = (last, nearest) if self.row else (nearest, last)
        steps = TimeProduct(self._step_time.letter, *ends, at_time(step.left, self._step_time), self.row)
        product_back = product([own, steps] if self.row else [steps, own])
        left = Derivative(at_time(self.derive.loss, last), at_time(carried, first))
        links: list[Link] = [(product_back, "chain rule", ("one Jacobian a step",))]
        bundle = self.closed()[:-2]
        return [*bundle, chain(left, links, "matrix", "later"), step]

    # Any quantity.

    def of(self, leaf: Expr, unroll: int = 0) -> list[Chain]:
        """The other readings of the gradient by a value, a parameter or a token."""
        if leaf.op is Op.CARRY:
            return []
        chains: list[Chain] = []
        if any(leaf in self.derive.below(s) for s in self.board.model.states):
            chains += self._through_the_step_before(leaf)
        if all(v.leaf is not leaf for v in self.state_values()):
            chains += self._over_all_steps(leaf)
            if unroll and leaf.op is Op.PARAM and self._from_same_step(leaf, self._useful, self._total):
                chains += self._unrolled_parameter(leaf, self.board.symbols[leaf], unroll)
        return chains

    def _pre_activations(self, write: MatrixForm) -> dict[Formula, Formula]:
        """The derivatives by what non-linearities are applied to, each in terms of that by its value."""
        top = self._later if write is self._before else ALL
        among = self._carried if write is self._before else self._useful
        known: dict[Formula, Formula] = {}
        for value in self.derive.values:
            if value.activation and not self.states_of(value):
                parts = self._from_same_step(value.leaf, among, write)
                if parts:
                    known[self._by(top, value)] = add(parts)
        return known

    def _through_the_step_before(self, leaf: Expr) -> list[Chain]:
        """∂J of step t through what step t-1 computed: from the carried values of step t-1 down."""
        arrivals: dict[str, Derivative] = {}
        for state in self.board.model.states:
            value = self.board.values[state.variable]
            carry = build.carry(state.name, state.shape)
            if state.lag == 1 and self.derive.uses(carry):
                arrivals[value.name] = self.derive.left(carry, 1)
        symbol = self.board.symbols[leaf]
        is_parameter = symbol.time is None
        target = next((v for v in self.derive.values if v.leaf is leaf), None)
        parts = self._from_same_step(leaf, self._carried, self._before)
        if target is not None and target.name in arrivals:
            if arrivals[target.name].at is None:
                return []
            if not parts:
                return []
            parts = [arrivals[target.name], *parts]
        if not parts:
            return []
        left = Derivative(self._later, symbol, NOW if is_parameter else None)
        links: list[Link] = [(add(parts), "chain rule", ("J of step t, through what step t-1 computed",))]
        known = self._pre_activations(self._before)
        links.append((self._put_in(links[0][0], known), PUT_IN, ()))
        for value in self.derive.values:
            if value.name in self._carried and not value.activation and value is not target:
                inner = self._from_same_step(value.leaf, self._carried, self._before)
                if inner and value.name not in arrivals:
                    known[self._by(self._later, value)] = add(inner)
        links.append((self._put_in(links[-1][0], known), "down from what is carried", ()))
        moved: list[Link] = [(shift_time(f, -1), rule, why) for f, rule, why in links]
        arrived = self._arrived()
        links = [*moved, (self._put_in(moved[-1][0], arrived), "what step t passes back put in", ())]
        title: Text = ("Through the step before",)
        return [chain(shift_time(left, -1), links, "matrix", "before", title)]

    def _arrived(self) -> dict[Formula, Formula]:
        """What step t passes back to each carried value, written out."""
        found: dict[Formula, Formula] = {}
        for state in self.board.model.states:
            carry = build.carry(state.name, state.shape)
            uses = self.derive.uses(carry)
            if state.lag == 1 and uses:
                formula = add([f for u in uses for f in self.derive.parts(carry, u)[1]])
                found[self.derive.left(carry)] = formula
        for value in self.derive.values:
            if value.name in self.derive.active and (value.error is not None or self.states_of(value)):
                uses = self.derive.uses(value.leaf)
                gradient = add([f for u in uses for f in self.derive.parts(value.leaf, u)[1]])
                found[value.error or Derivative(self.derive.loss, value.symbol)] = gradient
        return found

    def _put_in(self, formula: Formula, known: dict[Formula, Formula]) -> Formula:
        """The formula with everything that is known put in; as it was, where that gets too long to help."""
        after = formula
        for _ in range(len(known) + 1):
            new = transform(transform(after, lambda part: known.get(part, part)), tidy)
            if new == after:
                break
            after = new
            if size(after) > LONGEST:
                return formula
        return after

    def _over_all_steps(self, leaf: Expr) -> list[Chain]:
        symbol = self.board.symbols[leaf]
        parts = self._from_same_step(leaf, self._useful, self._total)
        start = self._from_the_start(leaf)
        left = Derivative(ALL, symbol)
        if not parts and not start:
            return []
        if not parts:
            begins: list[Link] = [(add(start), "chain rule", ("it is what the first step starts from",))]
            return [chain(left, begins, "matrix", "total", ("Over all steps",))]
        here = add(parts)
        spelt = self._put_in(here, self._pre_activations(self._total))
        if symbol.time is not None:
            title: Text = ("From the losses of steps t to T",)
            links: list[Link] = [(here, "chain rule", ()), (spelt, PUT_IN, ())]
            return [chain(left, links, "matrix", "total", title)]
        reason: Text = ("the same ", symbol, " is used at every step; its gradient is the sum over its uses")
        if start:
            reason = (*reason, ", and the first step starts from it")

        def every(body: Formula) -> Formula:
            return add([Sum("t", body, None, FIRST, LAST), *start])

        links = [
            (every(Derivative(ALL, symbol, NOW)), "one parameter at every step", reason),
            (every(here), "chain rule", ()),
            (every(spelt), PUT_IN, ()),
            (every(self._with_closed_form(spelt)), "closed form put in", ()),
        ]
        return [chain(left, links, "matrix", "total", ("Over all steps",))]

    def _with_closed_form(self, formula: Formula) -> Formula:
        """The derivative by the one carried vector replaced by its closed form."""
        states = self.board.model.states
        if len(states) != 1:
            return formula
        try:
            closed = self.closed()[-1]
        except Unwritable:
            return formula
        if not isinstance(closed.left, Derivative) or closed.left.at is not None:
            return formula
        put_in = transform(formula, lambda part: closed.result if part == closed.left else part)
        return put_in if size(put_in) <= LONGEST else formula

    def _from_the_start(self, leaf: Expr) -> list[Formula]:
        """What a parameter gets from the values before the first step that are made of it."""
        found: list[Formula] = []
        for state in self.board.model.states:
            if state.initial is None or leaf not in topological([state.initial]):
                continue
            if self.board.batch:
                raise Unwritable("the start of every example of a batch")
            start = build.value("∂" + state.name, state.shape)
            before = Symbol(state.variable, state.shape, Time("", 1 - state.lag))
            known = {start: Derivative(ALL, before)}
            write = MatrixForm(self.board, known.get)
            found.append(write(reverse({state.initial: [start]}, [leaf])[leaf]))
        return found

    # Written out for a given number of steps.

    def unrolled(self, steps: int) -> list[Chain]:
        """The recursion of every carried value written out from the last step to the first."""
        chains: list[Chain] = []
        for value in self.state_values():
            parts = self._all_parts(value)
            spelt = [(self._spelt_later(f), lag) for f, lag in parts]
            for n in range(steps, 0, -1):
                moment = Time("", n)
                title: Text = ("Unrolled over T = ", Number(steps), " steps") if n == steps else ()
                rule = "the last step" if n == steps else "recursion"
                links: list[Link] = [(self._until(parts, n, steps), rule, ())]
                links.append((self._until(spelt, n, steps), PUT_IN, ()))
                links += self._sum_of_terms(value, n, steps)
                chains.append(
                    chain(Derivative(ALL, at_time(value.symbol, moment)), links, "matrix", "total", title)
                )
            chains += self._of_the_last_loss(value, steps)
        return chains

    def _until(self, parts: list[tuple[Formula, int]], step: int, steps: int) -> Formula:
        """What arrives at a step from itself and from later ones, up to the last."""
        here = [at_time(f, Time("", step)) for f, lag in parts if step + lag <= steps]
        return add(here) if here else Number(0.0)

    def _sum_of_terms(self, value: Value, step: int, steps: int) -> list[Link]:
        """One term for each loss, each with the Jacobians on its way, if that is not too long."""
        if step == steps or not self._is_all_through_one_value():
            return []
        state = self.board.model.states[0]
        asked = self._from_same_step(value.leaf, self.derive.active, self.derive.matrix)
        try:
            jacobian = StepJacobian(self.derive).between(state, state)
        except Unwritable:
            return []
        terms = []
        for last in range(step, steps + 1):
            own = at_time(self._expanded(add(asked)), Time("", last))
            numbers = list(range(last, step, -1))
            factors = [at_time(jacobian, Time("", n)) for n in (numbers if self.row else numbers[::-1])]
            terms.append(product([own, *factors] if self.row else [*factors, own]))
        whole = add(terms)
        return [(whole, "one term for each loss", ())] if size(whole) <= LONGEST else []

    def _of_the_last_loss(self, value: Value, steps: int) -> list[Chain]:
        """∂J of step T by what step 1 carried on: the Jacobians one after the other, nothing in between."""
        states = self.board.model.states
        if steps < 2 or not self._is_all_through_one_value():
            return []
        try:
            step = StepJacobian(self.derive).between(states[0], states[0])
        except Unwritable:
            return []
        last = Time("", steps)
        own = at_time(Derivative(self.derive.loss, value.symbol), last)
        left = Derivative(at_time(self.derive.loss, last), at_time(value.symbol, FIRST))
        per_step = Derivative(value.symbol, shift_time(value.symbol, -1))
        numbers = list(range(steps, 1, -1))
        order = numbers if self.row else numbers[::-1]

        def along(jacobian: Formula) -> Formula:
            factors = [at_time(jacobian, Time("", n)) for n in order]
            return product([own, *factors] if self.row else [*factors, own])

        links: list[Link] = [
            (along(per_step), "chain rule", ("one Jacobian for every step on the way",)),
            (along(step if size(step) <= LONGEST // 2 else per_step), "Jacobian of one step", ()),
        ]
        return [chain(left, links, "matrix", "later", ("Of step ", Number(steps), " alone"))]

    def _unrolled_parameter(self, leaf: Expr, symbol: Symbol, steps: int) -> list[Chain]:
        parts = self._from_same_step(leaf, self._useful, self._total)
        spelt = self._put_in(add(parts), self._pre_activations(self._total))
        terms = [at_time(spelt, Time("", n)) for n in range(steps, 0, -1)] + self._from_the_start(leaf)
        links: list[Link] = [(add(terms), "one term a step", ())]
        title: Text = ("Unrolled over T = ", Number(steps), " steps")
        return [chain(Derivative(ALL, symbol), links, "matrix", "total", title)]
