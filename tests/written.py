"""Written formulas of every kind and a page with every kind of block, for the tests of the renderers."""

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
)
from bptt.ir.dims import Dim
from bptt.render.page import Code, Display, Graph, Meaning, Page, Paragraph, Row, Section, Table

E, N, V = Dim.named("e"), Dim.named("h"), Dim.named("V")
i, j, k, l = map(Index, "ijkl")
h, h_before, e = Symbol("h", (N,), NOW), Symbol("h", (N,), BEFORE), Symbol("e", (E,), NOW)
x, y, yhat = Symbol("x", (V,), NOW), Symbol("y", (V,), NOW), Symbol("yhat", (V,), NOW)
z, J = Symbol("z", (V,), NOW), Symbol("J")
H, I, U, L = Symbol("H", (N, N)), Symbol("I", (E, N)), Symbol("U", (N, V)), Symbol("L", (V, E))
b1, W_e = Symbol("b1", (N,)), Symbol("W_e", (E, N))
a_h, delta_h = Symbol("a", (N,), NOW, of="h"), Symbol("delta", (N,), NOW, of="h")
delta_next, delta_y = Symbol("delta", (N,), NEXT, of="h"), Symbol("delta", (V,), NOW, of="yhat")
TO_T = Time("T")
logits = Add((Product((h_before, H)), Product((TokenPart(L, x), I)), b1))
jacobian = Product((Diag(Apply("tanh", Symbol("a", (N,), Time("s"), "h"), True)), Transpose(H)))

# A formula of every kind, and those in which brackets and the order of scripts matter.
FORMULAS: list[Formula] = [
    Number(2.0),
    Number(-0.5),
    Number(1e-5),
    Number(2.5e20),
    Size(E + N + Dim.number(1)),
    Size(N + N),
    h,
    h_before,
    Symbol("h", (N,), Time("", 0)),
    W_e,
    b1,
    Symbol("theta"),
    Symbol("foo_bar", (), NOW),
    Symbol("W_i"),
    a_h,
    delta_h,
    delta_y,
    Indexed(h_before, (i,)),
    Indexed(U, (i, j)),
    Indexed(W_e, (i, j)),
    Indexed(b1, (i,)),
    Indexed(delta_h, (i,)),
    Indexed(H, (i, Index("j", E))),
    Indexed(Transpose(U), (i, j)),
    Indexed(Product((h_before, H)), (k,)),
    Indexed(Derivative(J, h), (k,)),
    TokenPart(L, x),
    TokenPart(W_e, x),
    TokenPart(Transpose(U), x),
    logits,
    Add((h, Neg(h_before), Neg(Add((h, b1))))),
    Add((h, Add((Neg(a_h), b1)), Product((Number(-2.0), b1)))),
    Neg(Neg(h)),
    Product((Number(-2.0), h)),
    Product((h, Number(3.0))),
    Product((Hadamard((h, h_before)), H)),
    Product((Symbol("sigma"), Add((h, b1)))),
    Product((Sum("k", Indexed(h, (k,))), Indexed(h, (i,)))),
    Product((Apply("log", h), h)),
    Hadamard((Product((delta_h, Transpose(H))), Apply("sigmoid", a_h, True))),
    Hadamard((h, Add((Number(1.0), Neg(h))))),
    Quotient(Number(1.0), Product((Size(V), Size(N)))),
    Power(h_before, 2.0),
    Power(delta_h, 2.0),
    Power(h, 0.5),
    Power(Apply("exp", Indexed(h, (i,))), 2.0),
    Transpose(h_before),
    Transpose(delta_h),
    Transpose(Add((h, b1))),
    Transpose(Apply("softmax", z)),
    Product((delta_h, Diag(h), Transpose(H))),
    Apply("sigmoid", a_h),
    Apply("tanh", a_h, True),
    Apply("relu", a_h),
    Apply("step", a_h),
    Apply("softplus", a_h),
    Apply("log_softmax", z),
    Apply("logsumexp", z),
    Apply("sum", z),
    Apply("sqrt", Add((h, Number(1.0)))),
    Apply("exp", Neg(Indexed(a_h, (i,)))),
    Apply("exp", Sum("k", Indexed(h, (k,)))),
    Apply("exp", h, True),
    Apply("log", Indexed(yhat, (k,))),
    Apply("log", Add((Number(1.0), h))),
    CrossEntropy(y, yhat),
    Neg(Sum("k", Product((Indexed(y, (k,)), Apply("log", Indexed(yhat, (k,))))), V)),
    Sum("t", Product((Transpose(h_before), delta_h)), lower=Time("", 1), upper=TO_T),
    Sum("b", J, size=Dim.named("B"), lower=Time("", 1)),
    TimeProduct("s", TO_T, NEXT, jacobian, True),
    TimeProduct("s", NEXT, TO_T, Symbol("D", (N, N), Time("s")), False),
    Kronecker(j, Index("k", E)),
    Ones((N,)),
    Ones(()),
    Zeros((N, N)),
    Zeros(()),
    Identity(N),
    Concatenation((h_before, e)),
    Part(Symbol("delta", (E + N,), NOW, "c"), E, E + N),
    Part(Product((delta_h, Transpose(H))), Dim.number(0), E),
    Blocks(((H, Zeros((N, E))), (Zeros((E, N)), Identity(E)))),
    Grid(((0.12345, -1.5e-7), (1234.5, 2.0))),
    Derivative(J, Indexed(U, (i, j))),
    Derivative(J, H, BEFORE),
    Derivative(Sum("k", Product((Indexed(h, (k,)), Indexed(U, (k, j)))), N), Indexed(U, (i, j))),
    Derivative(Product((h_before, H)), h_before, BEFORE),
    Derivative(Apply("tanh", a_h), a_h),
    Product((Derivative(J, h), Derivative(h, h_before))),
    Diag(h),
]

HOSTILE = (
    '<script>alert(1)</script> $x$ `y` | 100% of #1 & _a_ *b* \\n {c} [d](http://e) ~f~ ^g "h" ŷ ∂ θ é 中'
)

GRAPH = Graph(
    (
        ("x", x, "input"),
        ("L", L, "parameter"),
        ("e", e, "value"),
        ("H", H, "parameter"),
        ("h", h, "state"),
        ("U", U, "parameter"),
        ("yhat", yhat, "value"),
        ("y", y, "input"),
        ("J", J, "objective"),
    ),
    (
        ("x", "e", False),
        ("L", "e", False),
        ("e", "h", False),
        ("H", "h", False),
        ("h", "h", True),
        ("h", "yhat", False),
        ("U", "yhat", False),
        ("yhat", "J", False),
        ("y", "J", False),
        ("yhat", "e", True),
    ),
)

_LONG = Add(tuple(Product((Transpose(Symbol("h", (N,), Time("", n))), delta_h)) for n in range(24)))

PAGE = Page(
    "The gradients of a network",
    (
        Section(
            ("The model",),
            "model",
            (
                Paragraph(("The network reads ", x, " and predicts ", y, ".")),
                Display(
                    (
                        Row(TokenPart(L, x), e, note=("a row of the table ", L)),
                        Row(Apply("sigmoid", logits), h),
                        Row(CrossEntropy(y, yhat), J),
                    )
                ),
                Table(
                    (("Name",), ("What it is",)),
                    (((H,), ("carries ", h_before, " on")), ((U,), ("makes logits",))),
                ),
                GRAPH,
                Code("h = sigmoid(h[t-1] @ H)  # σ\n"),
            ),
        ),
        Section(
            ("The gradient of ", U),
            "U",
            (
                Display(
                    (
                        Row(
                            Sum(
                                "k",
                                Product(
                                    (Indexed(delta_y, (k,)), Derivative(Indexed(z, (k,)), Indexed(U, (i, j))))
                                ),
                                V,
                            ),
                            Derivative(J, Indexed(U, (i, j))),
                            note=("the chain rule: ", J, " depends on ", U, " through ", z),
                        ),
                        Row(Product((Indexed(h, (i,)), Indexed(delta_y, (j,)))), note=("one term is left",)),
                    ),
                    title="Index form",
                ),
                Display(
                    (Row(Product((Transpose(h), delta_y)), Derivative(J, U), shapes=True),),
                    title="Matrix form",
                ),
                Section(
                    ("Over all steps, ", Derivative(J, H, BEFORE)),
                    "all steps",
                    (
                        Display(
                            (
                                Row(_LONG, Derivative(J, H), note=("written out",)),
                                Row(Hadamard((Add((*_LONG.terms, h)), h)), sign="≈"),
                            )
                        ),
                    ),
                    folded=True,
                ),
            ),
        ),
    ),
    "row",
    True,
    {
        ("h", ""): Meaning((N,), ("the state, ", Apply("sigmoid", logits))),
        ("J", ""): Meaning((), ("the loss",)),
    },
)

HOSTILE_PAGE = Page(
    HOSTILE,
    (
        Section(
            (HOSTILE, h),
            "a key",
            (
                Paragraph((HOSTILE,)),
                Paragraph(("- no list\n1. none\n# no heading",)),
                Display(
                    (Row(h, h_before, note=(HOSTILE, J)), Row(Concatenation((h, e)), Concatenation((h, e)))),
                    title=HOSTILE,
                ),
                Table(((HOSTILE,),), (((HOSTILE, h),),)),
                Code(HOSTILE + "\n```\n"),
                Section((HOSTILE,), "another", (), folded=True),
            ),
        ),
    ),
    "column",
    False,
    {("h", ""): Meaning((N,), (HOSTILE,))},
)

SCALARS = [Symbol("u"), Symbol("v", (), BEFORE), Symbol("a", (), NOW, "h"), Indexed(h, (i,))]


def _wrapped(inner: st.SearchStrategy[Formula]) -> st.SearchStrategy[Formula]:
    many = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        many.map(Add),
        many.map(Product),
        many.map(Hadamard),
        inner.map(Neg),
        st.builds(Quotient, inner, inner),
        st.builds(Power, inner, st.sampled_from([2.0, 3.0, 0.5, -1.0])),
        st.builds(Apply, st.sampled_from(["exp", "log", "sqrt", "sigmoid"]), inner),
        st.builds(lambda body: Sum("k", body, Dim.number(3)), inner),
    )


# Formulas of numbers, nested at will: what brackets are for.
NUMBERS: st.SearchStrategy[Formula] = st.recursive(
    st.one_of(st.sampled_from(SCALARS), st.sampled_from([-2.0, 0.5, 3.0]).map(Number)), _wrapped, max_leaves=8
)
