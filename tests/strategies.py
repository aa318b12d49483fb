"""Random surface trees, for properties that hold of every one."""

from hypothesis import strategies as st

from bptt.source import Source
from bptt.syntax.spelling import FUNCTION_SPELLINGS, RESERVED_NAMES, canonical_name
from bptt.syntax.tree import (
    FUNCTIONS,
    JUXTAPOSED,
    Binary,
    Call,
    Concatenation,
    Document,
    Equation,
    InitialState,
    Name,
    Negate,
    Number,
    OutputStatement,
    ShapeStatement,
    SizeStatement,
    Transpose,
)

EMPTY = Source("<generated>", "")
SPAN = EMPTY.span(0, 0)
OPERATORS = ("+", "-", "*", "/", "**", "@", JUXTAPOSED)

_LETTERS = st.sampled_from(
    [
        "a",
        "b",
        "c",
        "e",
        "h",
        "p",
        "s",
        "x",
        "y",
        "z",
        "H",
        "I",
        "L",
        "T",
        "U",
        "W",
        "J",
        "theta",
        "sigma",
        "delta",
        "Omega",
        "omicron",
        "hat",
        "size",
    ]
)
_MARKS = st.sampled_from(
    ["", "", "", "1", "12", "hat", "tilde1", "_e", "_t", "_T", "_xh", "_theta", "_ln", "_e2"]
)


def _is_free(name: str) -> bool:
    return name == canonical_name(name) and name not in RESERVED_NAMES


identifiers = st.one_of(
    st.builds(str.__add__, _LETTERS, _MARKS), st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,5}", fullmatch=True)
).filter(_is_free)
unknown_functions = identifiers.filter(
    lambda name: name not in FUNCTION_SPELLINGS and name not in ("CE", "CrossEntropy")
)
names = st.builds(Name, identifiers, st.sampled_from([0, 0, 0, 1, 2, -1]), span=st.just(SPAN))
plain_names = st.builds(Name, identifiers, span=st.just(SPAN))
numbers = st.builds(
    Number,
    st.one_of(
        st.integers(0, 12).map(float), st.floats(0, 1e6), st.floats(0, allow_nan=False, allow_infinity=False)
    ),
    st.just(SPAN),
)


def _binary(operator, left, right):
    # LaTeX writes a product with a number like any other, and means `*`.
    if operator == JUXTAPOSED and (isinstance(left, Number) or isinstance(right, Number)):
        operator = "*"
    return Binary(operator, left, right, SPAN, SPAN)


def expressions(operators=OPERATORS, max_leaves=12):
    """Expressions whose binary operators are among `operators`."""

    def grow(inner):
        parts = st.lists(inner, min_size=1, max_size=3)
        functions = st.one_of(st.sampled_from(FUNCTIONS), unknown_functions)
        return st.one_of(
            st.builds(_binary, st.sampled_from(operators), inner, inner),
            st.builds(_binary, st.sampled_from(operators), inner, inner),
            st.builds(Transpose, inner, st.just(SPAN)),
            st.builds(Negate, inner, st.just(SPAN)),
            st.builds(lambda name, items: Call(name, tuple(items), SPAN, SPAN), functions, parts),
            st.builds(
                lambda items: Concatenation(tuple(items), SPAN), st.lists(inner, min_size=2, max_size=3)
            ),
        )

    return st.recursive(st.one_of(names, names, numbers), grow, max_leaves=max_leaves)


def documents(operators=OPERATORS):
    """Documents with statements of every kind; they need not make sense as models."""
    values = expressions(operators, max_leaves=6)
    dimensions = st.one_of(plain_names, st.integers(1, 10**6).map(lambda size: Number(float(size), SPAN)))
    statements = st.one_of(
        st.builds(Equation, names, values, st.just(SPAN)),
        st.builds(InitialState, plain_names, values, st.just(SPAN)),
        st.builds(SizeStatement, plain_names, st.integers(1, 10**6), st.just(SPAN)),
        st.builds(ShapeStatement, plain_names, st.lists(dimensions, max_size=3).map(tuple), st.just(SPAN)),
        st.builds(OutputStatement, names, st.just(SPAN)),
    )
    return st.lists(statements, min_size=1, max_size=4).map(lambda items: Document(tuple(items), EMPTY))
