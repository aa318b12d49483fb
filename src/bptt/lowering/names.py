"""Who is who: definitions, parameters, what is carried, and the order in which it is computed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import TypeVar

from bptt.errors import EquationError, Label
from bptt.lowering.dependence import TOKENS, computation_order, varying_definitions
from bptt.lowering.history import delay_tokens
from bptt.lowering.surface import names
from bptt.source import Source, Span
from bptt.syntax.tree import (
    Document,
    Equation,
    Expression,
    InitialState,
    Name,
    OutputStatement,
    ShapeStatement,
    SizeStatement,
)

OBJECTIVE = "J"
LONGEST_LAG = 100

S = TypeVar("S", Equation, InitialState, ShapeStatement)


@dataclass(frozen=True)
class Scope:
    """A document with its names resolved.

    `definitions` and `initials` (`h[0] = …`) are in the order of the file, `order` is one in which the
    definitions can be computed. `params` are the names that nothing defines, with their first places.
    `lags` says how far back a definition is used. `varying` are the definitions that depend on a token or
    on the past; the others depend on parameters alone. `named_sizes` are names in stated shapes that no
    vector has to bear: in an equation they are numbers. `added` are definitions that the file does not
    have. `tokens` are the names of what is given at each step, with what they are; `ranks` says how many axes
    a name has, where that is known.
    """

    source: Source
    definitions: dict[str, Equation]
    initials: dict[str, InitialState]
    shapes: dict[str, ShapeStatement]
    sizes: dict[str, SizeStatement]
    outputs: tuple[OutputStatement, ...]
    params: dict[str, Span]
    named_sizes: frozenset[str]
    lags: dict[str, int]
    order: tuple[str, ...]
    varying: frozenset[str]
    added: frozenset[str]
    remarks: tuple[str, ...]
    tokens: Mapping[str, str] = field(default_factory=lambda: TOKENS)
    ranks: Mapping[str, int] = field(default_factory=dict)

    def expressions(self) -> list[Expression]:
        """The right sides of all equations and starts."""
        return [e.value for e in self.definitions.values()] + [i.value for i in self.initials.values()]

    def all_names(self) -> set[str]:
        return {*self.definitions, *self.params, *self.named_sizes, *self.tokens, "t"}

    def free_name(self, *wishes: str) -> str:
        """The first of the wishes that is not taken; failing that, the last one with a number."""
        taken = self.all_names()
        for wish in wishes:
            if wish not in taken:
                return wish
        number = 2
        while f"{wishes[-1]}{number}" in taken:
            number += 1
        return f"{wishes[-1]}{number}"

    def with_definition(self, equation: Equation, remark: str) -> Scope:
        """The scope with one more equation at the end."""
        definitions = {**self.definitions, equation.target.id: equation}
        return _complete(self, definitions, (*self.remarks, remark))


def resolve(document: Document, tokens: Mapping[str, str] = TOKENS) -> Scope:
    """The document's names; raises EquationError for names that are used in a way that has no meaning."""
    statements = document.statements
    definitions = _unique(s for s in statements if isinstance(s, Equation))
    initials = _unique(s for s in statements if isinstance(s, InitialState))
    shapes = _unique(s for s in statements if isinstance(s, ShapeStatement))
    if not definitions:
        start = document.statements[0].span if document.statements else document.source.span(0, 0)
        raise EquationError.at(
            start, "no equations", hint="a model needs at least one, such as h = sigmoid(x @ W)"
        )
    for target in [e.target for e in definitions.values()] + [i.target for i in initials.values()]:
        _check_target(target, tokens)
    sizes: dict[str, SizeStatement] = {}
    for s in statements:
        if isinstance(s, SizeStatement):
            _check_size(s, sizes.get(s.name.id))
            sizes[s.name.id] = s
    scope = Scope(
        source=document.source,
        definitions=definitions,
        initials=initials,
        shapes=shapes,
        sizes=sizes,
        outputs=tuple(s for s in statements if isinstance(s, OutputStatement)),
        params={},
        named_sizes=_named_sizes(shapes, definitions),
        lags={},
        order=(),
        varying=frozenset(),
        added=frozenset(),
        remarks=document.remarks,
        tokens=tokens,
    )
    for equation in definitions.values():
        for name in names(equation.value):
            _check_use(name, scope)
    constant = definitions.keys() - varying_definitions(definitions, tokens)
    taken = {n.id for e in definitions.values() for n in names(e.value)} | definitions.keys()
    remarks: list[str] = []
    if "x" not in definitions:  # here x is no token, but a quantity that is carried like any other
        definitions, remarks = delay_tokens(definitions, constant, taken)
    scope = _complete(scope, definitions, (*scope.remarks, *remarks))
    _check_initials(scope)
    _check_shapes(scope)
    return scope


def nearest(name: str, candidates: Iterable[str]) -> str:
    """`did you mean …?` for a misspelt name, or nothing."""
    pool = [c for c in candidates if c != name]
    lower = {c.lower(): c for c in pool}
    close = [lower[name.lower()]] if name.lower() in lower else get_close_matches(name, pool, n=1)
    return f"did you mean {close[0]}?" if close else ""


def _complete(scope: Scope, definitions: dict[str, Equation], remarks: tuple[str, ...]) -> Scope:
    """Parameters, lags, order and what varies, for these definitions."""
    params: dict[str, Span] = {}
    known = definitions.keys() | scope.tokens.keys() | scope.named_sizes
    lags: dict[str, int] = {}
    for expression in replace(scope, definitions=definitions).expressions():
        for name in names(expression):
            if name.lag:
                lags[name.id] = max(name.lag, lags.get(name.id, 0))
            elif name.id not in known:
                params.setdefault(name.id, name.span)
    return replace(
        scope,
        definitions=definitions,
        params=params,
        lags={name: lags[name] for name in definitions if name in lags},
        order=computation_order(definitions),
        varying=frozenset(varying_definitions(definitions, scope.tokens)),
        added=frozenset(definitions.keys() - scope.definitions.keys()) | scope.added,
        remarks=remarks,
    )


def _unique(statements: Iterable[S]) -> dict[str, S]:
    """The statements by what they are about; two about one name are an error."""
    found: dict[str, S] = {}
    for s in statements:
        name = s.target.id
        if name in found:
            what = {Equation: "defined", InitialState: "given a start", ShapeStatement: "given a shape"}[
                type(s)
            ]
            raise EquationError.at(
                s.target.span,
                f"{name} is {what} twice",
                label="again here",
                more=[Label(found[name].target.span, "first here")],
                hint="remove one of the two, or give it another name",
            )
        found[name] = s
    return found


def _check_target(target: Name, tokens: Mapping[str, str]) -> None:
    reserved = {**tokens, "t": "time", "V": "the vocabulary"} if tokens is TOKENS else tokens
    if target.id in reserved:
        raise EquationError.at(
            target.span,
            f"{target.id} cannot be defined: it is {reserved[target.id]}",
            hint="choose another name",
        )
    if target.lag:
        raise EquationError.at(
            target.span,
            f"{target.span.text} cannot be defined",
            hint=f"define {target.id}: a bare name means time t",
        )


def _check_size(s: SizeStatement, earlier: SizeStatement | None) -> None:
    if s.name.id == "V":
        raise EquationError.at(
            s.span, "V cannot be given: it is the size of the vocabulary", hint="leave it out"
        )
    if s.value < 1:
        raise EquationError.at(
            s.span, f"the size {s.name.id} has to be at least 1", hint="give a positive number"
        )
    if earlier is not None and earlier.value != s.value:
        raise EquationError.at(
            s.span,
            f"the size {s.name.id} is given twice",
            label=str(s.value),
            more=[Label(earlier.span, str(earlier.value))],
            hint="remove one of the two",
        )


def _check_use(name: Name, scope: Scope) -> None:
    """Raise for a name that cannot be used at this time."""
    written = name.span.text
    if name.lag < 0:
        raise EquationError.at(
            name.span,
            f"{written} lies in the future",
            hint="an equation can use the present (h) and the past (h[t-1])",
        )
    if name.lag > LONGEST_LAG:
        raise EquationError.at(
            name.span, f"{written} lies too far back", hint=f"at most {LONGEST_LAG} steps back can be carried"
        )
    if name.id == "t" and "t" not in scope.tokens:
        raise EquationError.at(
            name.span, "t is time and has no value", hint="choose another name for a parameter"
        )
    if not name.lag:
        return
    if name.id == "y" and "y" not in scope.definitions:
        known = "x" if name.lag == 1 else f"x[t-{name.lag - 1}]"
        raise EquationError.at(
            name.span, f"{written} is not available", hint=f"it is the token {known}: write that"
        )
    if name.id not in scope.definitions and name.id not in scope.tokens:
        guess = nearest(name.id, scope.definitions)
        raise EquationError.at(
            name.span,
            f"{written} is used, but nothing defines {name.id}",
            hint=guess
            or f"give its equation, {name.id} = …; a parameter is the same at every step: write {name.id}",
        )


def _named_sizes(shapes: Mapping[str, ShapeStatement], definitions: Mapping[str, Equation]) -> frozenset[str]:
    stated = {d.id for s in shapes.values() for d in s.dimensions if isinstance(d, Name)}
    return frozenset(stated - definitions.keys() - shapes.keys() - {"V"})


def _check_initials(scope: Scope) -> None:
    for name, initial in scope.initials.items():
        if name not in scope.definitions:
            raise EquationError.at(
                initial.target.span,
                f"{name}[0] is given, but nothing defines {name}",
                hint=nearest(name, scope.definitions) or f"give its equation, {name} = …",
            )
        if name not in scope.lags:
            raise EquationError.at(
                initial.target.span,
                f"{name}[0] is given, but {name}[t-1] is never used",
                hint=f"remove the line, or use {name}[t-1] in an equation",
            )
        for n in names(initial.value):
            _check_use(n, scope)
            if n.lag or n.id in scope.tokens or n.id in scope.varying:
                raise EquationError.at(
                    n.span,
                    f"{name}[0] cannot depend on {n.span.text}",
                    label="known only at time t" if not n.lag else "the past of the first step",
                    hint="the start is made of parameters and numbers",
                )


def _check_shapes(scope: Scope) -> None:
    for name, statement in scope.shapes.items():
        is_word = scope.tokens is TOKENS and name in TOKENS
        if is_word and [type(d) for d in statement.dimensions] != [Name]:
            raise EquationError.at(
                statement.target.span,
                f"{name} is a vector of size V: {TOKENS[name]}",
                hint="leave the line out",
            )
        if name not in scope.tokens and name not in scope.definitions and name not in scope.params:
            guess = nearest(name, [*scope.definitions, *scope.params])
            raise EquationError.at(
                statement.target.span,
                f"{name} is given a shape, but no equation uses it",
                hint=guess or "remove the line",
            )
        if len(statement.dimensions) > 2:
            raise EquationError.at(
                statement.span, f"{name} is given {len(statement.dimensions)} dimensions",
                hint="a matrix has two, a vector one",
            )  # fmt: skip
