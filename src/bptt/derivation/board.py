"""A model as it is put on the board: every quantity that will be spoken of has a name.

What a non-linearity is applied to gets a name of its own (the pre-activation), for the derivative there is
what gets reused. After that each equation is short: its right side holds parameters, tokens, carried values
and other named values, and the chain rule goes from name to name.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from bptt.formula.tree import NOW, Symbol, Time
from bptt.ir import build
from bptt.ir.dims import Dim, Shape
from bptt.ir.expr import Expr
from bptt.ir.model import Model, State
from bptt.ir.ops import Op
from bptt.ir.traversal import substitute, topological
from bptt.passes.rewriting import rewrite
from bptt.passes.stabilize import RULES as STABLE_FORMS

OBJECTIVES = ("cross-entropy", "log-likelihood")
BATCH = Dim.named("B")
# Functions whose argument has a name: the gradient there is what people call an error, δ.
NON_LINEAR = frozenset({Op.TANH, Op.SIGMOID, Op.RELU, Op.SOFTPLUS, Op.SOFTMAX, Op.LOG_SOFTMAX})
LOSS = "J"


@dataclass(frozen=True)
class Value:
    """A named quantity of one step: `definition` is what it is made of, with every other named quantity as
    a leaf; `leaf` is that leaf for this one, `cotangent` the leaf for ∂J by it.

    `error` is the symbol that stands for this derivative where it has one (δ); `activation` tells of what a
    non-linearity is applied to which value it belongs to.
    """

    name: str
    symbol: Symbol
    definition: Expr
    leaf: Expr
    cotangent: Expr
    error: Symbol | None = None
    activation: str = ""


@dataclass(frozen=True)
class Board:
    """`values` are in the order of computation, the objective "J" last. `letters` are those that may stand
    for an index: no quantity of the model is called so. `notes` say what was changed to get here.
    """

    model: Model
    layout: str
    objective: str
    batch: bool
    values: dict[str, Value]
    letters: tuple[str, ...]
    constants: frozenset[Expr]
    notes: tuple[str, ...] = ()
    symbols: dict[Expr, Symbol] = field(repr=False, default_factory=dict)

    @property
    def loss(self) -> Value:
        return self.values[LOSS]

    @property
    def recurrent(self) -> bool:
        return bool(self.model.states)

    def state(self, carry: str) -> State:
        return next(s for s in self.model.states if s.name == carry)

    def symbol(self, e: Expr) -> Symbol | None:
        """The symbol of a leaf or of an expression that has a name; None for any other."""
        return self.symbols.get(e)

    def is_constant(self, e: Expr) -> bool:
        """Whether it is the same for all examples: made of parameters and numbers alone."""
        return all(leaf in self.constants or not leaf.varies for leaf in topological([e]) if not leaf.args)


def batch_shape(shape: Shape, layout: str) -> Shape:
    """With a row (or column) for each example."""
    return (BATCH, *shape) if layout == "row" else (*shape, BATCH)


def put_on_board(
    model: Model,
    layout: str | None = None,
    objective: str = "cross-entropy",
    batch: bool = False,
    *,
    fused: bool = True,
) -> Board:
    """The model in a layout ("row" or "column", by default its own), with J to be minimised
    ("cross-entropy") or maximised ("log-likelihood"), for one example or for a batch. `fused` takes softmax
    and cross-entropy as one, so that J is made of the logits.
    """
    notes: list[str] = []
    if layout is not None and layout != model.layout:
        notes.append(
            f"The file writes its vectors as {model.layout}s. Here they are {layout}s, and every matrix is "
            "the transpose of the one in the file."
        )
        model = in_layout(model, layout)
    equations, activations = _with_pre_activations(model)
    loss = _objective(model, equations, fused)
    equations[LOSS] = build.neg(loss) if objective == "log-likelihood" else loss
    letter = _free_name(("a", "z", "pre"), model)
    logits = _free_name(("theta", "s", "logits"), model)
    error = _free_name(("delta", "epsilon", "err"), model)
    leaves = {name: build.value(name, e.shape) for name, e in equations.items()}
    constants = _constants(equations, leaves)
    symbols: dict[Expr, Symbol] = {}
    values: dict[str, Value] = {}
    for name, definition in equations.items():
        owner, leaf = activations.get(name, ""), leaves[name]
        stacked = batch and leaf not in constants and name != LOSS
        shape = batch_shape(leaf.shape, model.layout) if stacked else leaf.shape
        time = None if leaf in constants else NOW
        if name in model.definitions or name == LOSS:
            symbol = Symbol(name, shape, time)
        elif owner == model.output:
            symbol = Symbol(logits, shape, time)
        else:
            symbol = Symbol(letter, shape, time, owner)
        has_error = owner and owner != model.output
        values[name] = Value(
            name, symbol, definition, leaf, build.value("∂" + name, leaf.shape),
            Symbol(error, shape, time, owner) if has_error else None, owner,
        )  # fmt: skip
        symbols[leaf] = symbol
        if definition.args and name != LOSS:
            symbols.setdefault(definition, symbol)
    initials = [state.initial for state in model.states if state.initial is not None]
    for e in topological([*equations.values(), *initials]):
        if not e.args and e not in symbols:
            given = _given_symbol(e, model, batch)
            if given is not None:
                symbols[e] = given
    taken = {s.name for s in symbols.values()} | set(model.dims) | {"t", "o", "q", "n" * batch}
    letters = tuple(c for c in "ijklmnpruvwsabcdfgxyz" if c not in taken)
    return Board(model, model.layout, objective, batch, values, letters, constants, tuple(notes), symbols)


def in_layout(model: Model, layout: str) -> Model:
    """The same model with its vectors in the other layout: `x @ M` becomes `M @ x`, with M turned over."""
    turned = {
        build.param(name, shape): build.transpose(build.param(name, shape[::-1]))
        for name, shape in model.params.items()
        if len(shape) == 2
    }

    def turn(e: Expr) -> Expr:
        return substitute(e, turned)

    return replace(
        model,
        definitions={name: turn(e) for name, e in model.definitions.items()},
        equations={name: turn(e) for name, e in model.equations.items()},
        params={name: shape[::-1] for name, shape in model.params.items()},
        states=tuple(
            replace(s, update=turn(s.update), initial=None if s.initial is None else turn(s.initial))
            for s in model.states
        ),
        objective=turn(model.objective),
        layout=layout,
    )


def _with_pre_activations(model: Model) -> tuple[dict[str, Expr], dict[str, str]]:
    """The equations with what non-linearities are applied to as quantities of their own, in the order of
    computation; and of each such quantity whose it is.
    """
    equations: dict[str, Expr] = {}
    owners: dict[str, str] = {}
    known: dict[Expr, Expr] = {}
    for name, equation in model.equations.items():
        if name == LOSS:
            continue
        arguments = _arguments_of_functions(equation)
        inner = {}
        for number, argument in enumerate(arguments):
            label = name if len(arguments) == 1 else f"{name}{number + 1}"
            if argument.op is Op.VALUE:
                is_plain = equation.op in NON_LINEAR and equation.args[0] is argument
                if is_plain:
                    owners.setdefault(argument.attr, name)
            elif argument in known:
                # Another function of the same: one quantity, with the name that it has.
                inner[argument] = known[argument]
            elif argument.args:
                key = "a·" + label
                # An argument within an argument has been named before.
                equations[key] = substitute(argument, known)
                inner[argument] = known[argument] = build.value(key, argument.shape)
                owners[key] = label
        equations[name] = substitute(equation, known | inner)
    return equations, owners


def _arguments_of_functions(equation: Expr) -> list[Expr]:
    """What non-linear functions are applied to, inner ones first."""
    return list(dict.fromkeys(e.args[0] for e in topological([equation]) if e.op in NON_LINEAR))


def _objective(model: Model, equations: dict[str, Expr], fused: bool) -> Expr:
    """The objective with softmax and cross-entropy in one, if that is what it is; otherwise as written."""
    written = model.equations.get(LOSS)
    if not model.output:
        return model.objective if written is None else written
    output = build.value(model.output, model.definitions[model.output].shape)
    if written is None:
        written = build.neg(build.total(build.mul(build.token("y"), build.apply(Op.LOG, output))))
    if not fused:
        return written
    stable = rewrite(substitute(written, {output: equations[model.output]}), STABLE_FORMS)
    return stable if any(e.op is Op.CROSS_ENTROPY for e in topological([stable])) else written


def _constants(equations: dict[str, Expr], leaves: dict[str, Expr]) -> frozenset[Expr]:
    """The leaves of values that are the same at every step and in every example."""
    constants: set[Expr] = set()
    for name, equation in equations.items():
        if all(e in constants for e in topological([equation]) if not e.args and e.varies):
            constants.add(leaves[name])
    return frozenset(constants)


def _given_symbol(leaf: Expr, model: Model, batch: bool) -> Symbol | None:
    shape = batch_shape(leaf.shape, model.layout) if batch and leaf.varies else leaf.shape
    match leaf.op:
        case Op.PARAM:
            return Symbol(leaf.attr, shape)
        case Op.TOKEN | Op.INPUT:
            return Symbol(leaf.attr, shape, NOW)
        case Op.MASK:
            return Symbol(f"mask{leaf.attr[0] + 1}", shape, NOW)
        case Op.CARRY:
            state = next(s for s in model.states if s.name == leaf.attr)
            return Symbol(state.variable, shape, Time("t", -state.lag))
        case _:
            return None


def _free_name(candidates: tuple[str, ...], model: Model) -> str:
    taken = {*model.definitions, *model.params}
    return next(name for name in (*candidates, candidates[-1] + "_") if name not in taken)
