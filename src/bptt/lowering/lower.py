"""A document to a model: the steps of lowering, in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePath

from bptt.errors import EquationError
from bptt.ir import build
from bptt.ir.expr import Expr
from bptt.ir.model import Model, State
from bptt.ir.ops import Op
from bptt.lowering.dependence import TOKENS
from bptt.lowering.dimensions import given_sizes, name_sizes, rename, stated_vectors
from bptt.lowering.distribution import is_distribution
from bptt.lowering.emit import Emitter, carry_name, erase
from bptt.lowering.functions import OF_VECTORS, check_calls
from bptt.lowering.inference import Shapes
from bptt.lowering.layout import find_layout
from bptt.lowering.names import OBJECTIVE, Scope, resolve
from bptt.lowering.output import (
    OUTPUT,
    check_target,
    complete,
    find_output,
    find_used_output,
    no_distribution,
    with_cross_entropy,
)
from bptt.lowering.surface import names, postorder
from bptt.syntax.tree import Call, Document


def lower(document: Document) -> Model:
    """The model that a document describes.

    Raises EquationError, with the places and what to do, for equations that have no meaning.
    """
    scope = resolve(document)
    check_calls(scope)
    layout = find_layout(scope)
    output = find_output(scope)
    shapes = Shapes(scope, layout, output, {})
    if output is None:
        output = find_used_output(scope, shapes)
        if output is None:
            scope, output = complete(scope, shapes), OUTPUT
        shapes = Shapes(scope, layout, output, {})
    check_target(scope, output)
    # Which names are vectors, whose sizes can be stated, is known only now.
    stated = stated_vectors(scope, shapes)
    if stated:
        shapes = Shapes(scope, layout, output, stated)
    _check_vectors(scope, shapes)
    model = _emit(scope, shapes, output)
    if not is_distribution(model.definitions[output]):
        raise no_distribution(scope, output, shapes)
    return model


def lower_written(
    document: Document,
    given: Mapping[str, str],
    ranks: Mapping[str, int],
    target: str = "y",
    top: str | None = None,
) -> Model:
    """The model that equations describe which were not written for this language.

    What `given` names (with what it is) is given at each step, in the shape that the equations ask for;
    `ranks` are those of names that are known (1: a vector); J may be any number. Where nothing says what J
    is, it is the cross-entropy of `target` and the output, which is added where there is none; where it is
    not clear upon which vector (`top`, where that is known), J is 0.
    """
    scope = replace(resolve(document, given), ranks=ranks)
    check_calls(scope)
    layout = find_layout(scope)
    shapes = Shapes(scope, layout, None, {})
    try:
        output = find_output(scope)
    except EquationError:
        output = ""
    if OBJECTIVE not in scope.definitions and output != "":
        try:
            whole, name = (complete(scope, shapes, top), OUTPUT) if output is None else (scope, output)
            whole = with_cross_entropy(whole, name, target)
            shapes = Shapes(whole, layout, None, {})
            scope, output = whole, name
        except EquationError:
            output = ""
    _check_vectors(scope, shapes)
    return _emit(scope, shapes, output or "")


def _check_vectors(scope: Scope, shapes: Shapes) -> None:
    """Raise for a softmax of something that is no vector."""
    calls = [node for e in scope.expressions() for node in postorder(e) if isinstance(node, Call)]
    for call in calls:
        pair = shapes.node(call)
        if call.function in OF_VECTORS and shapes.orientation(pair) is None:
            raise EquationError.at(
                call.arguments[0].span,
                f"{call.function} of {'a scalar' if shapes.is_scalar(pair) else 'a matrix'}",
                label=shapes.words.shape(pair),
                hint=f"{call.function} takes a vector",
            )


def _emit(scope: Scope, shapes: Shapes, output: str) -> Model:
    named = name_sizes(scope, shapes, all_named=scope.tokens is TOKENS)
    sizes = given_sizes(scope, shapes, named)
    numbers = {name: build.size(rename((d, d), named)[0]) for name, d in shapes.stated_sizes().items()}
    emitter, as_written = (
        Emitter(
            pair=lambda e: rename(shapes.node(e), named),
            named=lambda name: rename(shapes.of(name), named),
            numbers={name: numbers[name] for name in scope.named_sizes},
            scalings=shapes.scalings,
            tokens=scope.tokens,
        )
        for _ in range(2)
    )
    equations: dict[str, Expr] = {}
    for name in scope.order:
        value = scope.definitions[name].value
        emitter.definitions[name] = emitter.emit(value)
        equations[name] = as_written.emit(value)
        as_written.definitions[name] = build.value(name, equations[name].shape)
    definitions = emitter.definitions
    objective = definitions.get(OBJECTIVE)
    if objective is None and scope.tokens is not TOKENS:
        objective = build.const(0.0)
    elif objective is None:
        # The cross-entropy as it stands in the books; a pass recognises it.
        log_likelihood = build.mul(build.token("y"), build.apply(Op.LOG, definitions[output]))
        objective = build.neg(build.total(log_likelihood))
    return Model(
        name=PurePath(scope.source.name).stem if not scope.source.name.startswith("<") else "model",
        source=scope.source,
        definitions=definitions,
        equations=equations,
        params={name: erase(rename(shapes.of(name), named)) for name in scope.params},
        states=tuple(_states(scope, emitter)),
        output=output,
        objective=objective,
        layout=shapes.layout,
        dims={names[0]: names for names in named.values()},
        sizes=sizes,
        remarks=(*scope.remarks, *_unused(scope, output)),
        spans={name: e.target.span for name, e in scope.definitions.items()} | scope.params,
    )


def _unused(scope: Scope, output: str) -> list[str]:
    """A remark for each definition that nothing needs: more often a slip of the pen than meant."""
    values = [statement.value for statement in scope.definitions.values()]
    values += [statement.value for statement in scope.initials.values()]
    used = {n.id for value in values for n in names(value)} | {output, OBJECTIVE}
    return [
        f"{name} is defined (line {equation.span.line}), and nothing uses it"
        for name, equation in scope.definitions.items()
        if name not in used
    ]


def _states(scope: Scope, emitter: Emitter) -> list[State]:
    """For each variable that is used later, one carry for each step back."""
    states: list[State] = []
    for variable, furthest in scope.lags.items():
        shape = erase(emitter.named(variable))
        initial: Expr | None = None
        if variable in scope.initials:
            initial = emitter.emit(scope.initials[variable].value)
            if initial.shape != shape:
                initial = build.broadcast(initial, shape)
            if build.is_zero(initial):
                initial = None
        update = emitter.definitions[variable]
        for lag in range(1, furthest + 1):
            name = carry_name(variable, lag)
            states.append(State(name, variable, lag, shape, update, initial))
            update = build.carry(name, shape)
    return states
