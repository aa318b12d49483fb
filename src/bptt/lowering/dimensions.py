"""Names for the sizes that stay free: each is the size of the vectors that have it, and bears their names."""

from __future__ import annotations

from collections.abc import Mapping

from bptt.errors import EquationError
from bptt.ir.dims import VOCABULARY, Dim
from bptt.lowering.inference import Pair, Shapes
from bptt.lowering.names import Scope, nearest
from bptt.lowering.sizes import ONE, Stated, substitute, unknown, unknowns
from bptt.syntax.tree import Name, SizeStatement


def stated_vectors(scope: Scope, shapes: Shapes) -> dict[str, Stated]:
    """What the file states about the sizes of vectors, by the vectors' names: stated shapes and `size` lines.

    Raises EquationError for a number given to a size that follows from others.
    """
    stated = {d.id: d for s in scope.shapes.values() for d in s.dimensions if isinstance(d, Name)}
    found: dict[str, Stated] = {}
    for name in (*scope.definitions, *scope.params):
        vector = vector_size(shapes, name)
        if vector is None:
            continue
        size = scope.sizes.get(name)
        if size is not None and vector != VOCABULARY:
            _check_free(size, vector, shapes)
        if name in stated:
            span = size.span if size else stated[name].span
            found[name] = Stated(span, name, size.value if size else None, True)
        elif size is not None:
            found[name] = Stated(size.span, None, size.value)
    return found


def vector_size(shapes: Shapes, name: str) -> Dim | None:
    """The size of a name that is a vector, None for any other."""
    pair = shapes.of(name)
    if shapes.orientation(pair) is None:
        return None
    return pair[0] if pair[1] == ONE else pair[1]


def name_sizes(scope: Scope, shapes: Shapes, *, all_named: bool = True) -> dict[str, tuple[str, ...]]:
    """All names of each free size, by the unknown that it is; its own name comes first.

    A size is that of the vectors which the file defines, a carried one if there is any; else the name in a
    stated shape; else that of a parameter. A size that nothing names raises an EquationError, or (not
    `all_named`) gets a number of its own.
    """
    defined: dict[str, list[str]] = {}
    others: dict[str, list[str]] = {}
    for name in (*scope.definitions, *scope.params, *(() if all_named else scope.tokens)):
        size = vector_size(shapes, name)
        if size is not None and (u := unknown(size)):
            (defined if name in scope.definitions else others).setdefault(u, []).append(name)
    for bearers in defined.values():
        # Of several names, the author's own choice: what is carried, and what the `size` lines use.
        own = min(bearers, key=lambda n: (n in scope.added, n not in scope.lags, n not in scope.sizes))
        bearers.sort(key=lambda name: name != own)
    for name, size in shapes.stated_sizes().items():
        if (u := unknown(size)) and name not in defined.get(u, []):
            defined.setdefault(u, []).append(name)
    named = {u: tuple(names) for u, names in (others | defined).items()}
    for name in (*scope.params, *scope.definitions, *(() if all_named else scope.tokens)):
        for d in shapes.of(name):
            for u in unknowns(d):
                if u not in named and all_named:
                    raise _undetermined(name, scope)
                named.setdefault(u, (f"n{len(named)}",))
    return named


def given_sizes(scope: Scope, shapes: Shapes, named: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """The numbers of the `size` lines, by the sizes' own names.

    Raises EquationError for a line about something that is no free size.
    """
    own = {alias: names[0] for names in named.values() for alias in names}
    stated = shapes.stated_sizes()
    given: dict[str, int] = {}
    for name, statement in scope.sizes.items():
        size = stated.get(name)
        if size is None and name in shapes.named:
            size = vector_size(shapes, name)
        if size is None:
            guess = nearest(name, own)
            what = f"{name} is no vector" if name in shapes.named else f"no vector is called {name}"
            known = f"the sizes are {', '.join(own)}" if own else "all sizes are fixed by the equations"
            raise EquationError.at(statement.span, f"{what}, so it has no size to give", hint=guess or known)
        u = unknown(size)
        if u is None:
            continue
        given[named[u][0]] = statement.value
    return given


def _check_free(statement: SizeStatement, size: Dim, shapes: Shapes) -> None:
    """Raise for a number that is given to a size which follows from others."""
    if unknown(size) is None and size != Dim.number(statement.value):
        raise EquationError.at(
            statement.span,
            f"the size of {statement.name.id} cannot be given: it is {shapes.words.size(size)}",
            hint="leave it out",
        )


def rename(pair: Pair, named: Mapping[str, tuple[str, ...]]) -> Pair:
    """A resolved shape, with the unknowns called by their own names."""
    values = {u: Dim.named(names[0]) for u, names in named.items()}
    return substitute(pair[0], values), substitute(pair[1], values)


def _undetermined(name: str, scope: Scope) -> EquationError:
    if name in scope.definitions:
        span = scope.definitions[name].target.span
        hint = f"name the vectors that {name} is made of, each in an equation of its own"
    else:
        span = scope.params[name]
        guess = nearest(name, [*scope.definitions, *(p for p in scope.params if p != name)])
        hint = (
            f"give the vector that it makes a name, as in e = x @ {name}; or state the shape, {name} : 64, 32"
        )
        if guess and guess.removeprefix("did you mean ").rstrip("?").lower() == name.lower():
            hint = guess
    return EquationError.at(span, f"nothing determines the size of {name}", hint=hint)
