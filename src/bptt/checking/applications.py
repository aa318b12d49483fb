"""The functions of a document: which letters are applied to what stands behind them, and what they are.

σ(a) = 1/(1 + e^(-a)) says that σ is the sigmoid, φ = tanh that φ is; f(x) = W h + b gives a name to what it
is equal to, and f is a quantity. A φ that nothing defines is any smooth function, taken element by element:
then only that is right which is right for every function.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from bptt.checking.meaning import Reader
from bptt.checking.meanings import Meanings, Mode, Quantity
from bptt.checking.names import EQUALS, Lettering, Unclear
from bptt.checking.synonyms import changed
from bptt.checking.vocabulary import FUNCTIONS, is_arbitrary
from bptt.checking.written import (
    Bracketed,
    Call,
    Chain,
    Differential,
    Letter,
    Nabla,
    Numeral,
    Relation,
    Scripts,
    Statement,
    Unread,
    Written,
    mapped,
    walk,
)
from bptt.formula.evaluate import Point, evaluate
from bptt.formula.functions import elementwise
from bptt.formula.tree import Formula, Symbol

_NONE = Scripts()
# Where functions are compared: on both sides of zero, and not too far from it.
_POINTS = (-1.7, -0.6, -0.2, 0.3, 0.9, 2.1)
# Letters that are applied to what they are the probability of, and multiplied with anything else.
PROBABILITIES = frozenset({"p", "P"})
# Letters at a function that count elements or steps.
_NO_LABELS = frozenset({"t", "i", "j", "k"})
# Functions that a definition may turn out to be.
_KNOWN = ("sigmoid", "tanh", "relu", "softplus", "exp", "step")


def with_functions(statements: list[Statement]) -> list[Statement]:
    """The statements with every application of a function of their own under the name of what it is."""
    found = _Applications(statements)
    if not (found.meant or found.inline or found.named or found.factors or found.labelled):
        return statements
    seen: dict[int, Written] = {}  # left sides that are carried on stay the same object

    def whole(node: Written) -> Written:
        return seen.setdefault(id(node), mapped(node, found.written))

    return [changed(statement, whole) for statement in statements]


class _Applications:
    """`meant` are functions by their names, each with the one that it is; `inline` those that are written
    out, each with its variable and its value; `named` names of quantities with what they depend on;
    `factors` letters that are multiplied with the brackets behind them; `labelled` the names of functions
    with a label.
    """

    def __init__(self, statements: list[Statement]) -> None:
        self.lettering = Lettering(frozenset(), frozenset())
        nodes = [part for s in statements for part in walk_all(s)]
        calls = [node for node in nodes if isinstance(node, Call)]
        applied = {function_name(call.function) for call in calls}
        primed = {function_name(call.function) for call in calls if call.function.scripts.primes}
        self.labelled = frozenset(name for name in applied if "_" in name or name[-1:].isdigit())
        self.meant: dict[str, str] = {}
        self.inline: dict[str, tuple[str, Written]] = {}
        self.named: dict[str, tuple[Written, ...]] = {}
        for statement in statements:
            self._define(statement, applied)
        self.factors = frozenset(
            name
            for name in _quantities(statements) - primed - self.meant.keys()
            if is_arbitrary(name) or name in PROBABILITIES
        )

    def _define(self, statement: Statement, applied: set[str]) -> None:
        """What a statement says of a function."""
        left = statement.left
        rights = [link.right for link in statement.links if link.sign in EQUALS]
        match left:
            case Letter(scripts=Scripts(above=())) if function_name(left) in applied:
                for right in rights:
                    if isinstance(right, Letter) and (known := FUNCTIONS.get(right.name)) is not None:
                        self.meant.setdefault(function_name(left), known)
            case Call(function, (Letter(scripts=Scripts((), (), 0)) as variable,)):
                if not function.scripts.primes:
                    self._define_call(function_name(function), variable.name, rights)
        match left:
            case Call(function, arguments) if rights and all(isinstance(a, Letter) for a in arguments):
                name = function_name(function)
                own = {a.name for a in arguments if isinstance(a, Letter)}
                if is_arbitrary(name) and _letters(rights[0]) - own and not function.scripts.primes:
                    self.named.setdefault(name, arguments)

    def _define_call(self, name: str, variable: str, rights: list[Written]) -> None:
        for right in rights:
            known = self._recognized(right, variable)
            if known is not None and known != FUNCTIONS.get(name):
                self.meant.setdefault(name, known)
        if name not in self.meant and is_arbitrary(name) and rights and _letters(rights[0]) <= {variable}:
            self.inline.setdefault(name, (variable, rights[0]))

    def _recognized(self, right: Written, variable: str) -> str | None:
        """The known function that a formula in one number is; None where it is none of these, or holds
        other names.
        """
        number = Symbol(variable)
        meanings = Meanings(self.lettering, {variable: Quantity(number)}, frozenset(), "row")
        try:
            values = [_value(Reader(meanings, Mode())(right), at) for at in _POINTS]
        except (Unclear, ValueError, LookupError, TypeError):
            return None
        if not any(isinstance(part, Letter) and part.name == variable for part in walk(right)):
            return None
        for name in _KNOWN:
            if np.allclose(values, elementwise(name)[0](np.array(_POINTS)), rtol=1e-10, atol=1e-12):
                return name
        return None

    def written(self, node: Written) -> Written:
        """The part with what is meant in the place of what is written."""
        match node:
            case Call(function=function, arguments=arguments) if (
                self.named.get(function_name(function)) == arguments and not function.scripts.primes
            ):
                return replace(function, scripts=node.scripts, span=node.span)
            case Call(function=function, arguments=(argument,)):
                name = function_name(function)
                if name in self.inline:
                    return self._written_out(node, argument, *self.inline[name])
                if name in self.meant or name in self.labelled:
                    scripts = replace(function.scripts, below=(), above=_powers(function))
                    meant = replace(function, name=self.meant.get(name, name), scripts=scripts)
                    return replace(node, function=meant)
                lone = isinstance(argument, Letter | Numeral | Relation) or node.function.scripts == _NONE
                if name in PROBABILITIES and lone:
                    return node
                if name in self.factors and not node.function.scripts.primes:
                    bracket = Bracketed(argument, argument.span, node.scripts)
                    return Chain((function, bracket), ("",), node.span)
        return node

    def _written_out(self, node: Call, argument: Written, variable: str, value: Written) -> Written:
        """The value of a function that a document defines, at an argument."""
        if node.function.scripts.primes:
            return Unread(node.span.text, f"the derivative of {node.function.name}", node.span)

        def put(part: Written) -> Written:
            if isinstance(part, Letter) and part.name == variable:
                return Bracketed(argument, part.span, part.scripts)
            if isinstance(part, Chain):
                # What is a product of numbers there is one element by element here.
                signs = tuple("∘" if sign in ("", "·", "×") else sign for sign in part.signs)
                return replace(part, signs=signs)
            return part

        return Bracketed(mapped(value, put), node.span, node.scripts)


def _value(formula: Formula, at: float) -> float:
    point = Point({}, "row", lambda name, of, time: np.asarray(at))
    return float(evaluate(formula, point).array)


def _letters(formula: Written) -> set[str]:
    """The names of quantities in a formula."""
    functions = {id(part.function) for part in walk(formula) if isinstance(part, Call)}
    letters = (p for p in walk(formula) if isinstance(p, Letter) and id(p) not in functions)
    return {p.name for p in letters} - {"e"}


def function_name(function: Letter) -> str:
    """The name of a function with its label: `σ_h`, `f_1`, `g^{[2]}`; that of a letter with other scripts
    is its own.
    """
    parts = [_label(item) for item in function.scripts.below]
    parts += [_label(item) for item in function.scripts.above if item not in _powers(function)]
    if not is_arbitrary(f"{function.name}_h") or not all(parts):
        return function.name
    words = "".join(part for part in parts if not part.isdigit())
    digits = "".join(part for part in parts if part.isdigit())
    return function.name + (f"_{words}" if words else "") + digits


def _label(item: Written) -> str:
    inner = item.inner if isinstance(item, Bracketed) else item
    match inner:
        case Numeral(value=value) if value == int(value):
            return str(int(value))
        case Letter(name=name, scripts=Scripts((), (), 0)) if name.isalnum() and name not in _NO_LABELS:
            return name
    return ""


def _powers(function: Letter) -> tuple[Written, ...]:
    return tuple(item for item in function.scripts.above if isinstance(item, Numeral))


def _quantities(statements: Iterable[Statement]) -> set[str]:
    """The names that are defined or differentiated as quantities."""
    found: set[str] = set()
    for statement in statements:
        parts = [*walk_all(statement)]
        sides = [side for p in parts for side in _sides(p)]
        named = statement.left if statement.links and statement.links[0].sign in EQUALS else None
        found |= {function_name(side) for side in (*sides, named) if isinstance(side, Letter)}
    return found


def _sides(part: Written) -> tuple[Written | None, ...]:
    if isinstance(part, Differential):
        return part.top, part.bottom
    return (part.operand, part.by) if isinstance(part, Nabla) else ()


def walk_all(statement: Statement) -> Iterable[Written]:
    """Every part of a statement."""
    sides = [statement.left, *(link.right for link in statement.links)]
    for side in sides:
        if side is not None:
            yield from walk(side)
