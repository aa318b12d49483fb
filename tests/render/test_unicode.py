"""Formulas on one line: the notation of every kind, and brackets exactly where they are needed."""

import re
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bptt.formula.tree import (
    BEFORE,
    NEXT,
    NOW,
    Add,
    Apply,
    Blocks,
    Concatenation,
    CrossEntropy,
    Derivative,
    Diag,
    Formula,
    Grid,
    Hadamard,
    Identity,
    Index,
    Indexed,
    Kronecker,
    Neg,
    Number,
    Ones,
    Part,
    Power,
    Product,
    Quotient,
    Size,
    Sum,
    Symbol,
    Time,
    TimeProduct,
    TokenPart,
    Transpose,
    Zeros,
    children,
)
from bptt.ir.dims import ZERO, Dim
from bptt.render.precedence import factors, signed, terms
from bptt.render.unicode import show
from bptt.render.unicode_names import name, number, rounded

E, N, V = Dim.named("e"), Dim.named("h"), Dim.named("V")
i, j, k, l = map(Index, "ijkl")
h, h_before = Symbol("h", (N,), NOW), Symbol("h", (N,), BEFORE)
y, yhat = Symbol("y", (V,), NOW), Symbol("yhat", (V,), NOW)
H, U, L = Symbol("H", (N, N)), Symbol("U", (N, V)), Symbol("L", (V, E))
b1, W_e = Symbol("b1", (N,)), Symbol("W_e", (N, N))
a_h, delta_h = Symbol("a", (N,), NOW, of="h"), Symbol("delta", (N,), NOW, of="h")
delta_hidden2 = Symbol("delta", (N,), NOW, of="hidden2")
x, J = Symbol("x", (), NOW), Symbol("J")
a, b, c, d = (Symbol(letter) for letter in "abcd")
one, two = Number(1), Number(2)
START, END = Time("", 1), Time("T")


def at(base: Formula, *indices: Index) -> Indexed:
    return Indexed(base, indices)


# Every kind of formula, by example.
NOTATION: list[tuple[Formula, str]] = [
    (Number(3), "3"),
    (Number(0.5), "0.5"),
    (Number(-2), "−2"),
    (Number(1e-8), "10⁻⁸"),
    (Size(V), "V"),
    (Size(E + N), "e + h"),
    (h, "h"),
    (h_before, "h[t-1]"),
    (Symbol("h", (N,), NEXT), "h[t+1]"),
    (Symbol("h", (N,), Time("s")), "h[s]"),
    (Symbol("h", (N,), Time("", 0)), "h[0]"),
    (yhat, "ŷ"),
    (a_h, "aʰ"),
    (Symbol("delta", (N,), NEXT, of="h"), "δʰ[t+1]"),
    (Symbol("delta", (N,), NOW, of="state"), "δˢᵗᵃᵗᵉ"),
    (delta_hidden2, "δ^hidden₂"),
    (Symbol("a", (V,), NOW, of="yhat"), "a^ŷ"),
    (Symbol("delta", (N,), NOW, of="q"), "δ^q"),
    (Symbol("delta", (N,), NOW, of="T"), "δ^T"),
    (at(h, i), "hᵢ"),
    (at(U, i, j), "Uᵢⱼ"),
    (at(h_before, i), "h[t-1]ᵢ"),
    (at(delta_h, k), "δʰₖ"),
    (at(delta_hidden2, k), "δ^hidden₂_k"),
    (at(Symbol("W", (N, N), of="hidden2"), i, j), "W^hidden₂_{ij}"),
    (at(Symbol("a", (V,), NOW, of="yhat"), k), "a^ŷₖ"),
    (at(Symbol("delta", (N,), NEXT, of="hidden2"), k), "δ^hidden₂[t+1]ₖ"),
    (at(b1, k), "b₁,ₖ"),
    (at(Symbol("h2", (N,), BEFORE), k), "h₂[t-1]ₖ"),
    (at(b1, Index("b")), "b_{1,b}"),
    (at(W_e, i, j), "W_{e,ij}"),
    (at(h, Index("b")), "h_{b}"),
    (at(U, Index("i", E), j), "U_{i+e,j}"),
    (at(h, Index("i", E)), "hᵢ₊ₑ"),
    (at(h, Index("i", Dim.number(-1))), "hᵢ₋₁"),
    (at(Product((h, H)), k), "(h H)ₖ"),
    (at(Apply("softmax", a), k), "softmax(a)ₖ"),
    (at(TokenPart(L, x), k), "L[x]ₖ"),
    (at(Transpose(H), i, j), "(Hᵀ)ᵢⱼ"),
    (TokenPart(L, x), "L[x]"),
    (TokenPart(Transpose(L), Symbol("x", (), NEXT)), "(Lᵀ)[x[t+1]]"),
    (Add((a, b, Neg(c))), "a + b − c"),
    (Neg(a), "−a"),
    (Product((Transpose(h), Add((yhat, Neg(y))))), "hᵀ (ŷ − y)"),
    (Hadamard((Derivative(J, h), h, Add((one, Neg(h))))), "∂J/∂h ∘ h ∘ (1 − h)"),
    (Quotient(one, Size(N)), "1 / dₕ"),
    (Power(h, 2), "h²"),
    (Power(h, -1), "h⁻¹"),
    (Power(h, 0.5), "h^0.5"),
    (Power(h, -0.5), "h^(−0.5)"),
    (Transpose(h_before), "h[t-1]ᵀ"),
    (Transpose(delta_h), "(δʰ)ᵀ"),
    (Transpose(Symbol("delta", (N,), NEXT, of="h")), "δʰ[t+1]ᵀ"),
    (Diag(Hadamard((h, Add((one, Neg(h)))))), "diag(h ∘ (1 − h))"),
    (Apply("sigmoid", a_h), "σ(aʰ)"),
    (Apply("tanh", a_h, prime=True), "tanh′(aʰ)"),
    (Apply("exp", at(a, k)), "exp(aₖ)"),
    (Apply("sqrt", a), "√(a)"),
    (Apply("log", at(yhat, k)), "log ŷₖ"),
    (Apply("log", Add((a, b))), "log(a + b)"),
    (CrossEntropy(y, yhat), "CE(y, ŷ)"),
    (Sum("k", at(h, k), N), "Σₖ hₖ"),
    (Sum("b", a), "Σ_b a"),
    (Sum("k", Sum("l", at(U, k, l), N), N), "Σₖ Σₗ Uₖₗ"),
    (Sum("t", a, lower=START, upper=END), "Σ_{t=1}^{T} a"),
    (Sum("n", a, Dim.named("B"), lower=START), "Σ_{n=1}^{B} a"),
    (Sum("s", a, lower=NEXT), "Σ_{s=t+1} a"),
    (TimeProduct("s", END, NEXT, Diag(Symbol("h", (N,), Time("s"))), True), "Π_{s=T…t+1} diag(h[s])"),
    (Kronecker(j, k), "𝟙[j=k]"),
    (Kronecker(j, Index("k", E)), "𝟙[j=k+e]"),
    (Ones((N,)), "𝟏"),
    (Ones(()), "1"),
    (Zeros((N, V)), "𝟎"),
    (Identity(N), "𝐈"),
    (Concatenation((h, Add((a, b)))), "[h, a + b]"),
    (Part(h, ZERO, E), "h_{1:e}"),
    (Part(delta_h, E, E + N), "δʰ_{e+1:e+h}"),
    (Part(Product((h, H)), ZERO, E), "(h H)_{1:e}"),
    (Blocks(((H, Neg(H)), (U, Zeros((N, V))))), "[H, −H; U, 𝟎]"),
    (Grid(((1, -2.5), (0.12345, 0))), "[1, −2.5; 0.123, 0]"),
    (Derivative(J, U), "∂J/∂U"),
    (Derivative(J, at(U, i, j)), "∂J/∂Uᵢⱼ"),
    (Derivative(h, h_before), "∂h/∂h[t-1]"),
    (Derivative(J, H, at=BEFORE), "∂J/∂H |ₜ₋₁"),
    (Derivative(J, H, at=Time("T")), "∂J/∂H |_T"),
    (Derivative(J, H, at=Time("T", -1)), "∂J/∂H |_{T-1}"),
    (
        Derivative(Sum("k", Product((at(h, k), at(U, k, j)))), at(U, i, j)),
        "∂/∂Uᵢⱼ (Σₖ hₖ Uₖⱼ)",
    ),
    (Derivative(J, Product((h, H))), "∂J/∂(h H)"),
]

# What stands in what: each place with what is looser and what is tighter than it.
BRACKETS: list[tuple[Formula, str]] = [
    (Add((a, Add((b, c)))), "a + b + c"),
    (Add((a, Neg(Add((b, c))))), "a − (b + c)"),
    (Add((a, Neg(Neg(b)))), "a − (−b)"),
    (Add((Neg(a), b)), "−a + b"),
    (Add((a, Number(-2))), "a − 2"),
    (Add((a, Product((Number(-2), b)))), "a − 2 b"),
    (Add((a, Neg(Sum("k", b)))), "a − Σₖ b"),
    (Add((Sum("k", a), b)), "Σₖ a + b"),
    (Neg(Add((a, b))), "−(a + b)"),
    (Neg(Product((a, b))), "−a b"),
    (Neg(Sum("k", a)), "−Σₖ a"),
    (Neg(Number(-2)), "−(−2)"),
    (Product((a, Neg(b))), "a (−b)"),
    (Product((Neg(a), b)), "(−a) b"),
    (Product((a, Number(-2))), "a (−2)"),
    (Product((a, two)), "a · 2"),
    (Product((two, Number(3))), "2 · 3"),
    (Product((two, a)), "2 a"),
    (Product((two, Power(Number(3), 2))), "2 · 3²"),
    (Product((a, Product((b, c)))), "a b c"),
    (Product((Hadamard((a, b)), c)), "(a ∘ b) c"),
    (Hadamard((Product((a, b)), c)), "a b ∘ c"),
    (Hadamard((a, Product((b, c)))), "a ∘ b c"),
    (Product((a, Sum("k", b))), "a Σₖ b"),
    (Product((Sum("k", a), b)), "(Σₖ a) b"),
    (Sum("k", Product((a, b))), "Σₖ a b"),
    (Sum("k", Add((a, b))), "Σₖ (a + b)"),
    (Sum("k", Neg(a)), "Σₖ (−a)"),
    (Hadamard((Sum("k", a), b)), "(Σₖ a) ∘ b"),
    (Hadamard((Product((a, Sum("k", b))), c)), "(a Σₖ b) ∘ c"),
    (Hadamard((a, Quotient(b, c))), "a ∘ (b / c)"),
    (Product((Quotient(a, b), c)), "(a / b) c"),
    (Quotient(Product((a, b)), c), "a b / c"),
    (Quotient(a, Product((b, c))), "a / (b c)"),
    (Quotient(a, Quotient(b, c)), "a / (b / c)"),
    (Quotient(Quotient(a, b), c), "(a / b) / c"),
    (Quotient(Hadamard((a, b)), c), "(a ∘ b) / c"),
    (Quotient(Apply("exp", a), Sum("l", Apply("exp", b))), "exp(a) / Σₗ exp(b)"),
    (Hadamard((Quotient(a, Sum("l", b)), c)), "(a / Σₗ b) ∘ c"),
    (Quotient(a, Neg(b)), "a / (−b)"),
    (Quotient(Derivative(J, a), two), "(∂J/∂a) / 2"),
    (Quotient(two, Derivative(J, a)), "2 / (∂J/∂a)"),
    (Power(Neg(a), 2), "(−a)²"),
    (Power(Number(-2), 2), "(−2)²"),
    (Power(Product((a, b)), 2), "(a b)²"),
    (Power(Transpose(a), 2), "(aᵀ)²"),
    (Power(Apply("tanh", a), 2), "tanh(a)²"),
    (Power(at(h, k), 2), "hₖ²"),
    (Power(Derivative(J, a), 2), "(∂J/∂a)²"),
    (Transpose(Product((a, b))), "(a b)ᵀ"),
    (Transpose(Transpose(a)), "(aᵀ)ᵀ"),
    (Transpose(Grid(((1, 2),))), "[1, 2]ᵀ"),
    (Product((Derivative(J, a), Derivative(a, b))), "∂J/∂a · ∂a/∂b"),
    (Product((a, Derivative(J, b))), "a ∂J/∂b"),
    (Product((Derivative(J, a), Transpose(H))), "∂J/∂a · Hᵀ"),
    (Product((Derivative(J, H, at=NOW), a)), "(∂J/∂H |ₜ) a"),
    (Hadamard((Derivative(J, H, at=NOW), a)), "(∂J/∂H |ₜ) ∘ a"),
    (Product((Derivative(Add((a, b)), c), d)), "(∂/∂c (a + b)) d"),
    (Product((Symbol("sigma"), Add((a, b)))), "σ · (a + b)"),
    (Product((Apply("log", a), b)), "(log a) b"),
    (Apply("sigmoid", Add((a, b))), "σ(a + b)"),
    (
        TimeProduct("s", END, NEXT, Product((Diag(h), Transpose(H))), True),
        "Π_{s=T…t+1} (diag(h) Hᵀ)",
    ),
    (Product((TimeProduct("s", END, NEXT, a, True), b)), "(Π_{s=T…t+1} a) b"),
]


@pytest.mark.parametrize(
    ("formula", "text"), NOTATION + BRACKETS, ids=[text for _, text in NOTATION + BRACKETS]
)
def test_written(formula: Formula, text: str) -> None:
    assert show(formula) == text


def test_every_kind_has_an_example() -> None:
    def kinds(formula: Formula) -> set[type]:
        return {type(formula)}.union(*map(kinds, children(formula)))

    assert set().union(*(kinds(formula) for formula, _ in NOTATION)) == set(get_args(Formula))


def test_what_is_no_formula_is_refused() -> None:
    with pytest.raises(TypeError, match="no way to write"):
        show("h")  # type: ignore[arg-type]


def test_times_are_written_out_where_a_sum_runs_over_them() -> None:
    product = Product((Transpose(h_before), delta_h))
    assert show(product) == "h[t-1]ᵀ δʰ"
    assert show(Sum("t", product, lower=START, upper=END)) == "Σ_{t=1}^{T} h[t-1]ᵀ δʰ[t]"
    assert show(Sum("s", product, lower=START, upper=END)) == "Σ_{s=1}^{T} h[t-1]ᵀ δʰ"
    assert show(Sum("t", at(h, Index("t")), V)) == "Σₜ hₜ"
    falling = TimeProduct("t", END, START, Diag(h), True)
    assert show(Product((h, falling))) == "h Π_{t=T…1} diag(h[t])"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("yhat", "ŷ"),
        ("ntilde", "ñ"),
        ("htilde", "h\u0303"),
        ("xbar", "x\u0304"),
        ("theta", "θ"),
        ("theta1", "θ₁"),
        ("sigma", "σ"),
        ("betahat", "β\u0302"),
        ("b12", "b₁₂"),
        ("yhat2", "ŷ₂"),
        ("W_e", "W_e"),
        ("W_e1", "W_e₁"),
        ("W_theta", "W_θ"),
        ("Delta", "Δ"),
        ("hidden", "hidden"),
        ("hidden2", "hidden₂"),
        ("hidden_state", "hidden_state"),
        # Their signs are taken: Β is no B, and Σ is a sum.
        ("Beta", "Beta"),
        ("Sigma", "Sigma"),
    ],
)
def test_names(written: str, shown: str) -> None:
    assert name(written) == shown


@pytest.mark.parametrize(
    ("value", "exact", "short"),
    [
        (3, "3", "3"),
        (-0.25, "−0.25", "−0.25"),
        (0.044715, "0.044715", "0.0447"),
        (12.34567, "12.34567", "12.346"),
        (0.00012345, "0.00012345", "0.000123"),
        (-2.5e-5, "−2.5·10⁻⁵", "−2.50·10⁻⁵"),
        (1e-8, "10⁻⁸", "1.00·10⁻⁸"),
        (-0.9999, "−0.9999", "−1"),
        (1e20, "10²⁰", "1.00·10²⁰"),
        (0.0, "0", "0"),
        (float("-inf"), "−∞", "−∞"),
        (float("nan"), "nan", "nan"),
    ],
)
def test_numbers(value: float, exact: str, short: str) -> None:
    assert (number(value), rounded(value)) == (exact, short)


# A parser for what the property below writes, to see that brackets say what is meant. A tree is a tuple of
# its kind and its parts; sums of sums and products of products are one, as they are written.
_TOKEN = re.compile(r" *(∂J/∂\w|Σₖ|Π\S+|∂/∂a|log|σ\(|tanh′\(|[a-d]|[0-9]|[+−∘/·()]|[²³ᵀ]|$)")
_LETTERS = frozenset("abcd")


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens: list[str] = []
        place = 0
        while place < len(text):
            match = _TOKEN.match(text, place)
            assert match, text[place:]
            self._tokens.append(match[1])
            place = match.end()
        self._tokens.append("")

    def whole(self) -> tuple:
        tree = self._sum()
        assert self._tokens == [""]
        return tree

    def _next(self, *tokens: str) -> str:
        return self._tokens.pop(0) if self._tokens[0] in tokens and self._tokens[0] else ""

    def _sum(self) -> tuple:
        signed_terms = [("-" if self._next("−") else "+", self._hadamard())]
        while sign := self._next("+", "−"):
            signed_terms.append(("-" if sign == "−" else "+", self._hadamard()))
        return _sum_of(signed_terms)

    def _hadamard(self) -> tuple:
        parts = [self._quotient()]
        while self._next("∘"):
            parts.append(self._quotient())
        return ("hadamard", *parts) if len(parts) > 1 else parts[0]

    def _quotient(self) -> tuple:
        top = self._product()
        return ("quotient", top, self._open() or self._power()) if self._next("/") else top

    def _product(self) -> tuple:
        parts = [self._open() or self._power()]
        while self._tokens[0] not in ("", "+", "−", "∘", "/", ")"):
            self._next("·")
            parts.append(self._open() or self._power())
        return ("product", *parts) if len(parts) > 1 else parts[0]

    def _open(self) -> tuple | None:
        if self._next("Σₖ"):
            return ("Σ", self._hadamard())
        if self._next("∂/∂a"):
            assert self._next("(")
            body = self._sum()
            assert self._next(")")
            return ("∂", body)
        if self._next("log"):
            return ("log", self._tokens.pop(0)) if self._tokens[0] in _LETTERS else ("log", self._power())
        if self._tokens[0].startswith("Π"):
            self._tokens.pop(0)
            return ("Π", self._power())
        return None

    def _power(self) -> tuple:
        tree = self._atom()
        if mark := self._next("²", "³", "ᵀ"):
            tree = (mark, tree)
        assert self._tokens[0] not in ("²", "³", "ᵀ")
        return tree

    def _atom(self) -> tuple:
        token = self._tokens.pop(0)
        if token[-1:] == "(":
            inner = self._sum()
            assert self._next(")")
            return (token, inner) if token != "(" else inner
        assert token in _LETTERS or token.isdigit() or token.startswith("∂J"), token
        return (token,)


def _sum_of(parts: list[tuple[str, tuple]]) -> tuple:
    if len(parts) == 1:
        return ("neg", parts[0][1]) if parts[0][0] == "-" else parts[0][1]
    return ("sum", *parts)


def tree_of(formula: Formula) -> tuple:
    """What the reader is to find."""
    if not isinstance(formula, Add) and signed(formula)[0]:
        return ("neg", tree_of(signed(formula)[1]))
    match formula:
        case Number(value):
            return (str(value),)
        case Symbol(name):
            return (name,)
        case Add():
            return _sum_of([("-" if negative else "+", tree_of(term)) for negative, term in terms(formula)])
        case Product() | Hadamard():
            return (type(formula).__name__.lower(), *map(tree_of, factors(formula)))
        case Quotient(top, bottom):
            return ("quotient", tree_of(top), tree_of(bottom))
        case Power(base, exponent):
            return ("²" if exponent == 2 else "³", tree_of(base))
        case Transpose(operand):
            return ("ᵀ", tree_of(operand))
        case Sum(body=body):
            return ("Σ", tree_of(body))
        case TimeProduct(body=body):
            return ("Π", tree_of(body))
        case Apply("log", Symbol(name)):
            return ("log", name)
        case Apply(function, argument):
            return ({"sigmoid": "σ(", "tanh": "tanh′(", "log": "log"}[function], tree_of(argument))
        case Derivative(Symbol("J"), Symbol(name)):
            return (f"∂J/∂{name}",)
        case Derivative(top):
            return ("∂", tree_of(top))
    raise AssertionError(formula)


def formulas() -> st.SearchStrategy[Formula]:
    symbols = st.sampled_from("abcd").map(Symbol)
    leaves = st.one_of(
        symbols, st.integers(-9, 9).map(Number), symbols.map(lambda symbol: Derivative(J, symbol))
    )

    def more(parts: st.SearchStrategy[Formula]) -> st.SearchStrategy[Formula]:
        many = st.lists(parts, min_size=2, max_size=3).map(tuple)
        return st.one_of(
            many.map(Add),
            many.map(Product),
            many.map(Hadamard),
            parts.map(Neg),
            st.builds(Quotient, parts, parts),
            st.builds(Power, parts, st.sampled_from([2, 3])),
            parts.map(Transpose),
            parts.map(lambda body: Sum("k", body)),
            parts.map(lambda body: TimeProduct("s", END, NEXT, body, True)),
            parts.map(lambda argument: Apply("sigmoid", argument)),
            parts.map(lambda argument: Apply("tanh", argument, prime=True)),
            symbols.map(lambda argument: Apply("log", argument)),
            parts.filter(lambda top: not isinstance(top, Symbol)).map(lambda top: Derivative(top, a)),
        )

    return st.recursive(leaves, more, max_leaves=8)


@given(formulas())
def test_brackets_say_what_is_meant(formula: Formula) -> None:
    assert _Reader(show(formula)).whole() == tree_of(formula)


# Brackets that are no part of a call or of ∂/∂a (…). Those around an open end are there for the reader alone.
_BRACKET = re.compile(r"(?<![σ′g])(?<!∂a )\((?!log|∂|Π)")


@given(formulas())
def test_brackets_are_needed(formula: Formula) -> None:
    text = show(formula)
    for bracket in _BRACKET.finditer(text):
        left, right = bracket.start(), _closing(text, bracket.start())
        without = text[:left] + text[left + 1 : right] + text[right + 1 :]
        try:
            found = _Reader(without).whole()
        except AssertionError:
            continue
        assert found != tree_of(formula), without


def _closing(text: str, opening: int) -> int:
    depth = 0
    for place in range(opening, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if depth == 0:
            return place
    raise AssertionError(text)
