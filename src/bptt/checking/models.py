"""From the equations of a document to a model with a meaning.

An author's equations are no file of ours: the loss is called E or L, the target q or t, nothing says how
large x is, a number stands where a vector could. So what nothing defines is given where it bears a time, is
what the model reads, or is what its output is compared with; the rest are parameters.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field, replace

from bptt.errors import EquationError
from bptt.formula.functions import arbitrary
from bptt.ir.model import Model
from bptt.lowering import lower_written
from bptt.lowering.surface import rewrite
from bptt.source import Source
from bptt.syntax import tree
from bptt.syntax.tree import Document, Equation, Expression, Name

OBJECTIVE = "J"
PRODUCTS = ("@", tree.JUXTAPOSED)
# Small Greek letters that stand for numbers unless something tells otherwise.
NUMBERS = frozenset({"alpha", "beta", "gamma", "eta", "kappa", "lambda", "mu", "epsilon", "rho"})
READ = "what the model reads"
TARGET = "what its output is compared with"
DESIRED = "what its output should be"
# x, or several of them: x1, x2.
_READS = re.compile(r"x\d?")
AT_EACH_STEP = "given at each step"


@dataclass(frozen=True)
class Stating:
    """What a document says of a model: its equations, with the loss as J; names that are `timed`; what it is
    `given` for certain, with what that is; `ranks` that its indices show; `tables` of
    which a token picks a part; `mentioned` are the names that stand where the model holds.
    """

    equations: Mapping[str, Equation]
    timed: frozenset[str]
    given: Mapping[str, str]
    ranks: Mapping[str, int]
    source: Source
    tables: tuple[str, ...] = ()
    mentioned: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Understood:
    """A model, what was given to it, and the equations that it was made of; `left_out` are those that do not
    go with the others, by name, with the reason.
    """

    model: Model
    given: dict[str, str]
    equations: dict[str, Equation]
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def targets(self) -> frozenset[str]:
        return frozenset(name for name, what in self.given.items() if what == TARGET)


def understand(stating: Stating) -> Understood:
    """The model that the equations make, or as many of them as go together. EquationError where none do.

    What an author usually means by a letter (a capital is a matrix, a small Greek letter a number) is tried
    first, and given up where it does not fit.
    """
    named = _with_names({name: _smooth(equation) for name, equation in stating.equations.items()})
    usual = replace(stating, ranks={**_usual_ranks(named, stating), **stating.ranks})
    reasons: list[EquationError] = []

    def lowered(equations: dict[str, Equation], how: Stating) -> Understood | None:
        try:
            return _lowered(equations, how)
        except EquationError as error:
            reasons.append(error)
            return None

    turned = {name: rank for name, rank in usual.ranks.items() if rank != 1 or name in _turned(named)}
    vectors_turned = replace(stating, ranks={**turned, **stating.ranks})
    for how in (usual, vectors_turned, stating):
        if (found := lowered(named, how)) is not None:
            return found
    # An equation that belongs to another part of the document must not spoil the model.
    for how in (usual, stating):
        for name in reversed(named):
            rest = {n: e for n, e in named.items() if n != name}
            if rest and (found := lowered(rest, how)) is not None:
                return replace(found, left_out={name: _said(reasons[0])})
    kept: dict[str, Equation] = {}
    left_out: dict[str, str] = {}
    best = None
    for name, equation in named.items():
        found = lowered({**kept, name: equation}, usual)
        if found is None:
            left_out[name] = _said(reasons[-1])
        else:
            kept[name], best = equation, found
    if best is None:
        raise reasons[0]
    return replace(best, left_out=left_out)


def _smooth(equation: Equation) -> Equation:
    """The equation with a smooth function for each of which nothing is known."""

    def change(e: Expression) -> Expression:
        if not isinstance(e, tree.Call) or e.function in tree.FUNCTIONS:
            return e
        slope, shift = (tree.Number(value, e.span) for value in arbitrary(e.function))
        scaled = tree.Binary("*", slope, e.arguments[0], e.span, e.span)
        return replace(e, function="tanh", arguments=(tree.Binary("+", scaled, shift, e.span, e.span),))

    return replace(equation, value=rewrite(equation.value, change))


def _said(error: EquationError) -> str:
    """The message of an error without its place."""
    return str(error).splitlines()[0].rpartition("error: ")[2]


def _usual_ranks(equations: Mapping[str, Equation], stating: Stating) -> dict[str, int]:
    """How many axes the names have that nothing defines, by the custom of the field."""
    free = {name.id for e in equations.values() for name in _names(e.value)} - equations.keys()
    parts = [part for e in equations.values() for part in _parts(e.value)]
    products = [part for part in parts if isinstance(part, tree.Binary) and part.operator in PRODUCTS]
    sides = [side for part in products for side in (part.left, part.right)]
    named = [side.operand if isinstance(side, tree.Transpose) else side for side in sides]
    factors = {side.id for side in named if isinstance(side, Name)}
    found: dict[str, int] = {}
    divisors = {name for e in equations.values() for name in _divisors(e.value)}
    for name in free - _given(equations, stating).keys():
        letter = name.split("_")[0].rstrip("0123456789")
        if letter in NUMBERS or name in divisors:
            found[name] = 0
        elif len(letter) == 1 and letter.isupper():
            found[name] = 2
        elif len(letter) == 1 and name in factors:
            found[name] = 1
    return found


def _turned(equations: Mapping[str, Equation]) -> set[str]:
    """The names that stand transposed somewhere."""
    parts = [part for e in equations.values() for part in _parts(e.value)]
    names = [p.operand for p in parts if isinstance(p, tree.Transpose)]
    return {name.id for name in names if isinstance(name, Name)}


def _divisors(e: Expression) -> Iterator[str]:
    """The names by which something is divided."""
    if isinstance(e, tree.Binary) and e.operator == "/" and isinstance(e.right, Name):
        yield e.right.id
    for part in tree.children(e):
        yield from _divisors(part)


def _lowered(equations: dict[str, Equation], stating: Stating) -> Understood:
    equations = _with_look_up(equations, stating)
    equations = {n: replace(e, value=_compared_rightly(e.value, equations)) for n, e in equations.items()}
    given = _given(equations, stating)
    used = {name.id for e in equations.values() for name in _names(e.value)} | equations.keys()
    given = {name: what for name, what in given.items() if name in used}
    equations, given = _with_past(equations, given)
    free = (name for name in ("y", "target") if name not in equations)
    target = next((name for name, what in given.items() if what == TARGET), next(free, "y"))
    if OBJECTIVE not in equations:
        given[target] = TARGET
    document = Document(tuple(equations.values()), stating.source)
    model = lower_written(document, given, stating.ranks, target, _top(equations, stating))
    return Understood(model, given, equations)


def _with_look_up(equations: dict[str, Equation], stating: Stating) -> dict[str, Equation]:
    """The equations with e = x L, where the document speaks of the part of L that x picks, and e is the one
    vector of each step that nothing defines.
    """
    names = {name.id for e in equations.values() for name in _names(e.value)} | equations.keys()
    tables = [table for table in stating.tables if table not in names]
    given = [name for name, what in _given(equations, stating).items() if what == AT_EACH_STEP]
    if len(tables) != 1 or len(given) != 1 or "x" in names:
        return equations
    span = stating.source.span(0, 0)
    token, table = Name("x", span=span), Name(tables[0], span=span)
    picked = tree.Binary(tree.JUXTAPOSED, token, table, span, span)
    return {given[0]: Equation(Name(given[0], span=span), picked, span), **equations}


def _top(equations: Mapping[str, Equation], stating: Stating) -> str | None:
    """The only quantity that is spoken of and that no other needs: a loss is made of it."""
    used = {name.id for e in equations.values() for name in _names(e.value) if not name.lag}
    found = [name for name in equations if name not in used and name in stating.mentioned]
    return found[0] if len(found) == 1 else None


def _given(equations: Mapping[str, Equation], stating: Stating) -> dict[str, str]:
    """What is given, by name."""
    used = {name.id for e in equations.values() for name in _names(e.value)}
    free = used - equations.keys()
    given = dict.fromkeys(sorted(free & stating.timed), AT_EACH_STEP)
    given |= dict.fromkeys(sorted(name for name in free if _READS.fullmatch(name)), READ)
    given |= {name: what for name, what in stating.given.items() if name not in equations}
    for equation in equations.values():
        given |= dict.fromkeys(_compared(equation.value, free), TARGET)
    for equation in stating.equations.values():
        given |= {name: DESIRED for name in _subtracted(equation.value, free) if name not in given}
    return given


def _compared_rightly(e: Expression, defined: Container[str]) -> Expression:
    """CE(ŷ, y) for CE(y, ŷ): the logarithm is that of what the model computes."""

    def change(part: Expression) -> Expression:
        match part:
            case tree.Binary("*", Name() as a, tree.Call("log", (Name() as b,)) as log) if (
                a.id in defined and b.id not in defined
            ):
                return replace(part, left=b, right=replace(log, arguments=(a,)))
        return part

    return rewrite(e, change)


def _compared(e: Expression, free: set[str]) -> Iterator[str]:
    """The names that nothing defines and that stand beside a logarithm: targets."""
    match e:
        case tree.Binary(operator="*" | "@" | "juxtaposed", left=left, right=right):
            for one, other in ((left, right), (right, left)):
                if any(isinstance(part, tree.Call) and part.function == "log" for part in _parts(one)):
                    yield from (name.id for name in _names(other) if name.id in free)
    for part in tree.children(e):
        yield from _compared(part, free)


def _subtracted(e: Expression, free: set[str]) -> Iterator[str]:
    """The names that nothing defines and that are one side of a difference that is squared."""
    match e:
        case tree.Binary("**", tree.Binary("-", left, right), tree.Number(2.0)):
            yield from (s.id for s in (left, right) if isinstance(s, Name) and s.id in free)
    for part in tree.children(e):
        yield from _subtracted(part, free)


def _with_past(
    equations: dict[str, Equation], given: dict[str, str]
) -> tuple[dict[str, Equation], dict[str, str]]:
    """What is given and used a step later is carried, and so has to be a quantity of its own."""
    names = [name for e in equations.values() for name in _names(e.value)]
    past = {name.id: name for name in names if name.lag and name.id in given}
    for name, use in past.items():
        what = given.pop(name)
        given[f"{name}_now"] = what
        equations = {
            name: Equation(Name(name, span=use.span), Name(f"{name}_now", span=use.span), use.span),
            **equations,
        }
    return equations, given


def _with_names(equations: dict[str, Equation]) -> dict[str, Equation]:
    """The equations with the names of quantities in the place of what they are defined as. Of two names for
    one thing, the later one is the earlier.
    """
    before: dict[str, Equation] = {}
    while before != equations:
        before = equations
        values = {name: e.value for name, e in before.items() if isinstance(e.value, tree.Binary)}
        equations = {}
        for name, equation in before.items():
            same = (n for n in equations if n in values and _are_alike(values[n], equation.value))
            first = next(same, None)
            value = (
                _with_parts_named(equation.value, values)
                if first is None
                else tree.Name(first, span=equation.value.span)
            )
            equations[name] = replace(equation, value=value)
    return equations


def _is_same(one: Expression, other: Expression) -> bool:
    """Whether two expressions are equal, however their products are written."""
    match one, other:
        case tree.Binary(operator=a), tree.Binary(operator=b):
            if a != b and {a, b} != {"@", tree.JUXTAPOSED}:
                return False
            return _is_same(one.left, other.left) and _is_same(one.right, other.right)
    return one == other


def _with_parts_named(e: Expression, values: Mapping[str, Expression]) -> Expression:
    """The expression with names for those of its parts that have one."""

    def part(inner: Expression) -> Expression:
        name = next((name for name, value in values.items() if _are_alike(inner, value)), None)
        return _with_parts_named(inner, values) if name is None else tree.Name(name, span=inner.span)

    match e:
        case tree.Binary(left=left, right=right):
            return replace(e, left=part(left), right=part(right))
        case tree.Call(arguments=arguments):
            return replace(e, arguments=tuple(map(part, arguments)))
        case tree.Negate(operand=operand) | tree.Transpose(operand=operand):
            return replace(e, operand=part(operand))
        case tree.Concatenation(items=items):
            return replace(e, items=tuple(map(part, items)))
        case _:
            return e


def _are_alike(one: Expression, other: Expression) -> bool:
    """Whether they are the same, but for the order of terms."""
    first, second = list(_terms(one)), list(_terms(other))
    return len(first) == len(second) and all(any(_is_same(a, b) for b in second) for a in first)


def _terms(e: Expression) -> Iterator[Expression]:
    match e:
        case tree.Binary("+", left, right):
            yield from _terms(left)
            yield from _terms(right)
        case _:
            yield e


def _parts(e: Expression) -> Iterator[Expression]:
    yield e
    for part in tree.children(e):
        yield from _parts(part)


def _names(e: Expression) -> Iterator[Name]:
    return (part for part in _parts(e) if isinstance(part, Name))
