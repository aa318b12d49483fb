"""Which definition is the next token's distribution, and the output layer for a file that has none."""

from __future__ import annotations

from dataclasses import replace

from bptt.errors import EquationError, Label
from bptt.lowering.dependence import depends_on
from bptt.lowering.inference import Shapes
from bptt.lowering.layout import ROW
from bptt.lowering.names import OBJECTIVE, Scope, nearest
from bptt.lowering.surface import names
from bptt.source import Span
from bptt.syntax.tree import Binary, Call, Equation, Expression, Name, Negate

OUTPUT = "yhat"
_HINT = "an output layer looks like yhat = softmax(h @ U + b)"


def find_output(scope: Scope) -> str | None:
    """The name of the output: as stated, else `yhat`, else the only distribution that nothing else uses.

    None if there is no such definition. Raises EquationError if the file says it twice, or several
    could be meant.
    """
    stated = _stated(scope)
    if stated is not None:
        return stated
    if OUTPUT in scope.definitions:
        return OUTPUT
    candidates = [n for n in _candidates(scope) if not _is_used(n, scope)]
    by_objective = [n for n in candidates if OBJECTIVE in scope.definitions and _is_trained(n, scope)]
    for choice in (by_objective, candidates):
        if len(choice) == 1:
            return choice[0]
        if choice:
            first, *others = [scope.definitions[n].target.span for n in choice]
            raise EquationError.at(
                first,
                "several definitions could be the output: " + ", ".join(choice),
                more=[Label(span) for span in others],
                hint=f"call the distribution of the next token {OUTPUT}",
            )
    return None


def find_used_output(scope: Scope, shapes: Shapes) -> str | None:
    """The only distribution, where the definitions that use it make no vector out of it (an entropy)."""
    candidates = _candidates(scope)
    return candidates[0] if len(candidates) == 1 and not _unused_vectors(scope, shapes) else None


def complete(scope: Scope, shapes: Shapes, top: str | None = None) -> Scope:
    """The scope with an output layer upon its last vector (or `top`), in the file's layout; a remark says so.

    Raises EquationError if it is not clear upon which vector.
    """
    hidden = top if top in _vectors(scope, shapes) else _last_vector(scope, shapes)
    if hidden is None:
        last = list(scope.definitions.values())[-1]
        raise EquationError.at(last.target.span, "nothing is the distribution of the next token", hint=_HINT)
    span = scope.definitions[hidden].target.span
    weight = scope.free_name("U", "Wy", "U")
    bias = scope.free_name("b" if not any(n.startswith("b") for n in scope.params) else "b2", "by", "b")
    factors = (hidden, weight) if shapes.layout == ROW else (weight, hidden)
    left, right = (Name(n, span=span) for n in factors)
    product = Binary("@", left, right, span, span)
    logits = Binary("+", product, Name(bias, span=span), span, span)
    equation = Equation(Name(OUTPUT, span=span), Call("softmax", (logits,), span, span), span)
    return scope.with_definition(
        equation, f"no output is given; added: {OUTPUT} = softmax({factors[0]} @ {factors[1]} + {bias})"
    )


def with_cross_entropy(scope: Scope, output: str, target: str) -> Scope:
    """The scope with the objective written out: the cross-entropy of a target and the output."""
    span = scope.definitions[output].target.span
    logarithm = Call("log", (Name(output, span=span),), span, span)
    product = Binary("*", Name(target, span=span), logarithm, span, span)
    value = Negate(Call("sum", (product,), span, span), span)
    scope = replace(scope, tokens={**scope.tokens, target: "what the output is compared with"})
    equation = Equation(Name(OBJECTIVE, span=span), value, span)
    return scope.with_definition(equation, f"no J is given; added: J = -sum({target} * log({output}))")


def _last_vector(scope: Scope, shapes: Shapes) -> str | None:
    """The only vector that no equation uses at time t, else the only one that is carried, else the last."""
    unused = _unused_vectors(scope, shapes)
    carried = [n for n in _vectors(scope, shapes) if n in scope.lags]
    for choice in (unused, carried):
        if len(choice) == 1:
            return choice[0]
    last = _vectors(scope, shapes)[-1:]
    return last[0] if last and last[0] in unused else None


def _vectors(scope: Scope, shapes: Shapes) -> list[str]:
    varying = [n for n in scope.definitions if n in scope.varying and n != OBJECTIVE]
    return [n for n in varying if shapes.orientation(shapes.of(n)) is not None]


def _unused_vectors(scope: Scope, shapes: Shapes) -> list[str]:
    others = [e.value for name, e in scope.definitions.items() if name != OBJECTIVE]
    used = {n.id for value in others for n in names(value) if n.lag == 0}
    return [n for n in _vectors(scope, shapes) if n not in used]


def check_target(scope: Scope, output: str) -> None:
    """Raise if the output or what is carried depends on the token to be predicted, or J not on the output."""
    for name in (output, *scope.lags):
        for place in depends_on(scope.definitions, name, "y"):
            through = "" if place.user == name else f", through {place.user}"
            raise EquationError.at(
                place.use.span,
                f"{name} depends on y, the token to be predicted{through}",
                hint=f"only {OBJECTIVE} may use y; did you mean x?",
            )
    if OBJECTIVE in scope.definitions and not any(depends_on(scope.definitions, OBJECTIVE, output)):
        raise EquationError.at(
            scope.definitions[OBJECTIVE].target.span,
            f"{OBJECTIVE} does not depend on {output}",
            hint=f"the objective is what {output} is trained for, as in J = -sum(y * log({output}))",
        )


def no_distribution(scope: Scope, output: str, shapes: Shapes) -> EquationError:
    """The error for an output that is not certain to be a distribution."""
    value = scope.definitions[output].value
    return EquationError.at(
        scope.definitions[output].target.span,
        f"{output} is no distribution",
        more=[Label(*_culprit(value, shapes))],
        hint="it has to be a softmax, or a mixture a * p + (1 - a) * q of two, with a scalar a = sigmoid(…)",
    )


def _culprit(value: Expression, shapes: Shapes) -> tuple[Span, str]:
    """A part of the output's value that keeps it from being a distribution, and what to say of it."""
    match value:
        case Binary(operator="+", left=Binary(operator="*") as first):
            for gate in (first.left, first.right):
                if not isinstance(gate, Call) and not shapes.is_scalar(shapes.node(gate)):
                    return (
                        gate.span,
                        "a weight has to be a scalar: sigmoid(sum(h * w)), or sigmoid(h @ w) with w : h, 1",
                    )
        case Call(function="log_softmax"):
            return value.span, "these are its logarithms: exp(…) of them is a distribution"
    return value.span, "its elements need not add up to 1"


def _stated(scope: Scope) -> str | None:
    if not scope.outputs:
        return None
    first, *others = scope.outputs
    for other in others:
        if other.output.id != first.output.id:
            raise EquationError.at(
                other.span,
                "two outputs are stated",
                label="again here",
                more=[Label(first.span, "first here")],
                hint="a model has one",
            )
    name = first.output
    if name.id not in scope.definitions or name.lag:
        raise EquationError.at(
            name.span, f"{name.span.text} is stated to be the output, but nothing defines it",
            hint=nearest(name.id, scope.definitions) or _HINT,
        )  # fmt: skip
    return name.id


def _looks_like_one(e: Expression, scope: Scope) -> bool:
    """Whether an expression has the form of a distribution, shapes aside."""
    match e:
        case Call(function="softmax"):
            return True
        case Call(function="exp", arguments=(Call(function="log_softmax"),)):
            return True
        case Binary(operator="/", left=Call(function="exp"), right=Call(function="sum", arguments=(below,))):
            return e.left == below
        case Binary(operator="+"):
            return _is_weighted(e.left, scope) and _is_weighted(e.right, scope)
        case Name():
            return (
                e.lag == 0
                and e.id in scope.definitions
                and _looks_like_one(scope.definitions[e.id].value, scope)
            )
        case _:
            return False


def _candidates(scope: Scope) -> list[str]:
    return [n for n, e in scope.definitions.items() if n != OBJECTIVE and _looks_like_one(e.value, scope)]


def _is_trained(name: str, scope: Scope) -> bool:
    return any(depends_on(scope.definitions, OBJECTIVE, name))


def _is_weighted(e: Expression, scope: Scope) -> bool:
    return isinstance(e, Binary) and (_looks_like_one(e.left, scope) or _looks_like_one(e.right, scope))


def _is_used(name: str, scope: Scope) -> bool:
    """Whether another definition, the objective apart, uses it."""
    return any(
        n.id == name for other, e in scope.definitions.items() if other != OBJECTIVE for n in names(e.value)
    )
