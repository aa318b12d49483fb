"""Pages in a terminal: as they look, and that no line is wider than it may be."""

import re
from pathlib import Path

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
    Index,
    Indexed,
    Kronecker,
    Neg,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    Symbol,
    Time,
    TokenPart,
    Transpose,
)
from bptt.ir.dims import Dim
from bptt.render.boxes import padded, width
from bptt.render.page import Code, Display, Graph, Page, Paragraph, Row, Section, Table
from bptt.render.terminal import render
from bptt.render.unicode import show

E, N, V = Dim.named("e"), Dim.named("h"), Dim.named("V")
i, j, k, l = map(Index, "ijkl")
h, h_before, e = Symbol("h", (N,), NOW), Symbol("h", (N,), BEFORE), Symbol("e", (E,), NOW)
y, yhat, J = Symbol("y", (V,), NOW), Symbol("yhat", (V,), NOW), Symbol("J")
H, I, U, b1 = Symbol("H", (N, N)), Symbol("I", (E, N)), Symbol("U", (N, V)), Symbol("b1", (N,))
L, x = Symbol("L", (V, E)), Symbol("x", (V,), NOW)
a_h, delta_h = Symbol("a", (N,), NOW, of="h"), Symbol("delta", (N,), NOW, of="h")
delta_next = Symbol("delta", (N,), NEXT, of="h")
error = Add((yhat, Neg(y)))
slope = (h, Add((Number(1), Neg(h))))
pre_activation = Add((Product((h_before, H)), Product((e, I)), b1))
backwards = Add(
    (
        Hadamard((Product((error, Transpose(U))), *slope)),
        Hadamard((Product((delta_next, Transpose(H))), *slope)),
    )
)
grid = Grid(((0.1, 2.5, -13), (1.25, 0, 7.0014)))


def at(base: Formula, *indices: Index) -> Indexed:
    return Indexed(base, indices)


error_k = Add((at(yhat, k), Neg(at(y, k))))
index_form = Display(
    (
        Row(
            Sum("k", Product((error_k, Derivative(Sum("l", Product((at(h, l), at(U, l, k)))), at(U, i, j))))),
            Derivative(J, at(U, i, j)),
            note=("chain rule, through the softmax and the cross entropy of ", yhat),
        ),
        Row(Sum("k", Product((error_k, at(h, i), Kronecker(j, k)))), note=("only ", at(U, i, j), " is left")),
        Row(
            Product((Add((at(yhat, j), Neg(at(y, j)))), at(h, i))), note=("the sum picks ", k.letter, " = j")
        ),
    ),
    title="index form",
)
matrix_form = Display(
    (
        Row(Product((Transpose(h), error)), Derivative(J, U), shapes=True),
        Row(backwards, delta_h, shapes=True, note=("what flows back",)),
    ),
    title="matrix form",
)


def page(*blocks: object, title: str = "A page") -> Page:
    return Page(title, (Section(("All",), "all", blocks),), "row", True)  # type: ignore[arg-type]


def shown(*blocks: object, columns: int = 80) -> str:
    """The blocks alone, without the headings above them."""
    return render(page(*blocks), columns).split("───\n\n", 1)[1]


HISTORY = "the state, and what is known of all that was read"
MODEL = Page(
    "The gradients of elman.eq",
    (
        Section(
            ("The model",),
            "model",
            (
                Paragraph(
                    (
                        "The state ", h, " is computed from ", h_before, ", that of the step before. Its\n"
                        "pre-activation is ", pre_activation, " (a row).",
                    )
                ),
                Display(
                    (
                        Row(TokenPart(L, x), e),
                        Row(pre_activation, a_h, note=("the pre-activation of ", h)),
                        Row(Apply("sigmoid", a_h), h, note=("the state",)),
                        Row(CrossEntropy(y, yhat), J),
                    )
                ),
                Graph(
                    (
                        ("x", x, "input"), ("h", h, "state"), ("e", e, "value"),
                        ("H", H, "parameter"), ("b1", b1, "parameter"),
                    ),
                    (
                        ("x", "e", False), ("h", "h", True), ("e", "h", False),
                        ("H", "h", False), ("b1", "h", False),
                    ),
                ),
            ),
        ),
        Section(
            ("The gradient by ", U),
            "U",
            (
                Section(("Both ways",), "U.forms", (index_form, matrix_form), folded=True),
                Section(
                    ("In numbers",),
                    "U.numbers",
                    (
                        Display(
                            (
                                Row(Product((Transpose(grid), Add((grid, Neg(H))))), Derivative(J, U)),
                                Row(Apply("sigmoid", grid), sign="≈", note=("three places",)),
                                Row(Blocks(((Transpose(H), Product((H, I))), (U, Number(0))))),
                            )
                        ),
                        Table(
                            (("name",), ("shape",), ("largest",), ("what it is",)),
                            (
                                (("", h), ("h",), ("0.5",), (HISTORY,)),
                                (("", U), ("h × V",), ("12",), ("a parameter",)),
                            ),
                        ),
                        Code("h = sigmoid(h[t-1] @ H)\n    as it stands"),
                    ),
                ),
            ),
        ),
    ),
    "row",
    True,
)  # fmt: skip

PAGES = Path(__file__).parent / "terminal"


@pytest.mark.parametrize("columns", [72, 50])
def test_page(columns: int) -> None:
    assert render(MODEL, columns) == (PAGES / f"page_{columns}.txt").read_text(encoding="utf-8")


def test_colour_changes_nothing_but_escapes() -> None:
    coloured = render(MODEL, 60, colour=True)
    assert "\x1b[1mThe model\x1b[0m\n" in coloured
    assert "\x1b[2mthe state\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render(MODEL, 60)
    assert "\x1b" not in render(MODEL, 60)


def test_folded_sections_are_open() -> None:
    section = Section(("Both ways",), "forms", (Paragraph(("in full",)),), folded=True)
    assert "in full" in shown(section)


def test_marks_above_letters_take_no_column() -> None:
    tilde = Symbol("htilde", (N,), NOW)
    assert show(tilde) == "h\u0303" and width(show(tilde)) == 1
    assert width("ŷ") == width("y\u0302") == 1 and width("𝟙[j=k]") == 6 and width("字") == 2
    assert padded(show(tilde), 3, ">") == "  h\u0303"
    lines = shown(Display((Row(h, tilde), Row(h, h)))).splitlines()
    assert lines == ["  h\u0303 = h", "  h = h"]


def test_formulas_among_words_stay_whole() -> None:
    text = ("and so the pre-activation (", pre_activation, ") is a row of numbers")
    lines = shown(Paragraph(text), columns=40).splitlines()
    assert lines == ["and so the pre-activation", "(h[t-1] H + e I + b₁) is a row of", "numbers"]


def test_a_formula_wider_than_the_page_is_broken_among_words() -> None:
    lines = shown(Paragraph(("so ", pre_activation, " is")), columns=12).splitlines()
    assert lines == ["so h[t-1] H", "+ e I + b₁", "is"]


def test_breaks_are_taken_outside_of_brackets_first() -> None:
    def lines(right: Formula, columns: int) -> list[str]:
        return shown(Display((Row(right, h),)), columns=columns).splitlines()

    assert lines(backwards, 40) == ["  h = (ŷ − y) Uᵀ ∘ h ∘ (1 − h)", "    + δʰ[t+1] Hᵀ ∘ h ∘ (1 − h)"]
    # Within a term before ∘, one step to the right of what stands below the sign.
    assert lines(backwards, 24)[:3] == ["  h = (ŷ − y) Uᵀ ∘ h", "        ∘ (1 − h)", "    + δʰ[t+1] Hᵀ ∘ h"]
    assert lines(Apply("sigmoid", pre_activation), 22) == ["  h = σ(h[t-1] H + e I", "        + b₁)"]
    assert lines(Hadamard((h, e, y, h_before)), 16) == ["  h = h ∘ e ∘ y", "        ∘ h[t-1]"]
    assert lines(Product((H, I, U, H, I, U)), 15) == ["  h = H I U H I", "        U"]
    assert lines(Concatenation((h_before, e, h_before)), 20) == ["  h = [h[t-1], e,", "        h[t-1]]"]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (33, ["  h = H (h", "        + (h[t-1] ∘ h[t-1]", "            ∘ h[t-1] ∘ h[t-1]) U)"]),
        # The U has no place behind the bracket, with what the line is indented by.
        (
            32,
            ["  h = H (h", "        + (h[t-1] ∘ h[t-1]", "            ∘ h[t-1] ∘ h[t-1])", "            U)"],
        ),
    ],
)
def test_what_goes_on_is_indented_and_still_fits(columns: int, expected: list[str]) -> None:
    powers = Hadamard((h_before, h_before, h_before, h_before))
    right = Product((H, Add((h, Product((powers, U))))))
    assert shown(Display((Row(right, h),)), columns=columns).splitlines() == expected


def test_a_bracket_is_not_broken_where_its_beginning_has_no_place() -> None:
    weights = Symbol("attention_weights", (N,))
    right = Product((weights, Add((weights, weights, weights))))
    assert shown(Display((Row(right, h),)), columns=40).splitlines() == [
        "  h = attention_weights",
        "        (attention_weights",
        "          + attention_weights",
        "          + attention_weights)",
    ]


def test_a_sum_that_is_broken_has_one_term_to_a_line() -> None:
    terms = Add(
        (Number(1), Neg(Product((h, H))), Product((Hadamard((h, Add((y, e)), h_before)), Transpose(H))))
    )
    assert shown(Display((Row(terms, h),)), columns=26).splitlines() == [
        "  h = 1",
        "    − h H",
        # A factor stands rather behind the bracket that was broken than alone.
        "    + (h ∘ (y + e)",
        "        ∘ h[t-1]) Hᵀ",
    ]
    assert shown(Display((Row(terms, sign=""),)), columns=26).splitlines()[1] == "  − h H"


def test_wide_blocks_are_made_narrower() -> None:
    def lines(blocks: Blocks, columns: int) -> list[str]:
        return shown(Display((Row(blocks, h),)), columns=columns).splitlines()

    scaled = [Product((Diag(Hadamard(factors)), Transpose(H))) for factors in (slope, (e, *slope))]
    wide = Add((Product((Diag(h), U)), *scaled))
    square = Blocks(((H, wide), (wide, Number(0))))
    assert lines(square, 64) == [
        "      ⎡                           diag(h) U            ⎤",
        "      ⎢           H             + diag(h ∘ (1 − h)) Hᵀ ⎥",
        "      ⎢                         + diag(e ∘ h ∘ (1 − h))⎥",
        "      ⎢                             Hᵀ                 ⎥",
        "  h = ⎢                                                ⎥",
        "      ⎢  diag(h) U                                     ⎥",
        "      ⎢+ diag(h ∘ (1 − h)) Hᵀ              0           ⎥",
        "      ⎢+ diag(e ∘ h ∘ (1 − h))                         ⎥",
        "      ⎣    Hᵀ                                          ⎦",
    ]
    # Where nothing could be read in the columns any more, row by row.
    assert lines(square, 44) == [
        "  h = [H, diag(h) U + diag(h ∘ (1 − h)) Hᵀ",
        "        + diag(e ∘ h ∘ (1 − h)) Hᵀ;",
        "        diag(h) U + diag(h ∘ (1 − h)) Hᵀ",
        "          + diag(e ∘ h ∘ (1 − h)) Hᵀ, 0]",
    ]
    # A column that is no wider than its share stays as it is.
    assert lines(Blocks(((Add((H, U)), wide),)), 50) == [
        "      ⎡         diag(h) U               ⎤",
        "  h = ⎢H + U  + diag(h ∘ (1 − h)) Hᵀ    ⎥",
        "      ⎣       + diag(e ∘ h ∘ (1 − h)) Hᵀ⎦",
    ]


def test_a_wide_left_side_has_a_line_to_itself() -> None:
    left = Derivative(J, Indexed(Symbol("output_weights", (N, V)), (i, j)))
    rows = (Row(h, left), Row(e), Row(y, J))
    assert shown(Display(rows), columns=40).splitlines() == [
        "  ∂J/∂output_{weights,ij}",
        "    = h",
        "    = e",
        "  J = y",
    ]


def test_reasons_stand_in_one_column_or_below() -> None:
    rows = (
        Row(h, J, note=("short",)),
        Row(pre_activation, note=("a reason that is rather long",)),
        Row(e, note=("here",)),
    )
    assert shown(Display(rows), columns=50).splitlines() == [
        "  J = h    short",
        "    = h[t-1] H + e I + b₁",
        "      ↳ a reason that is rather long",
        "    = e    here",
    ]
    assert shown(Display(rows), columns=80).splitlines() == [
        "  J = h                      short",
        "    = h[t-1] H + e I + b₁    a reason that is rather long",
        "    = e                      here",
    ]


def test_shapes_stand_below_factors() -> None:
    row = Row(Add((Product((Number(2), Transpose(h), error)), U)), shapes=True)
    assert shown(Display((row,))).splitlines() == ["  = 2  hᵀ   (ŷ − y) +   U", "      (h×1)  (1×V)    (h×V)"]
    joined = Row(Concatenation((e, h)), h, shapes=True)
    assert shown(Display((joined, Row(y), Row(e)))).splitlines() == [
        "      h     =  [e, h]",
        "  (1×(e+h))   (1×(e+h))",
        "",
        "            = y",
        "            = e",
    ]


def test_no_shape_below_what_has_none() -> None:
    row = Row(Product((Add((h, y)), U)), J, shapes=True)
    assert shown(Display((row,))).splitlines() == ["  J = (h + y)   U", "              (h×V)"]


def test_numbers_are_aligned_on_the_point() -> None:
    rows = (Row(Grid(((1, -10.25), (0.125, 3), (-7, 0))), J),)
    assert shown(Display(rows)).splitlines() == [
        "      ⎡ 1      −10.25⎤",
        "  J = ⎢ 0.125    3   ⎥",
        "      ⎣−7        0   ⎦",
    ]
    assert shown(Display((Row(Grid(((1, 2),)), J),))).splitlines() == ["  J = [1  2]"]


def test_a_table_without_a_header_and_with_narrow_columns() -> None:
    table = Table(((), ()), ((("", h), ("a long description of it",)), (("", pre_activation), ("short",))))
    assert shown(table, columns=30).splitlines() == [
        "  h              a long",
        "                 description",
        "                 of it",
        "",
        "  h[t-1] H + e   short",
        "  I + b₁",
    ]


def test_a_long_list_of_what_is_used_hangs() -> None:
    names = [f"weights{number}" for number in range(6)]
    nodes = (("h", h, "state"), *((name, Symbol(name), "parameter") for name in names))
    lines = shown(Graph(nodes, tuple((name, "h", False) for name in names)), columns=40).splitlines()
    assert lines == ["  h ← weights₀, weights₁, weights₂,", "      weights₃, weights₄, weights₅"]


def formulas() -> st.SearchStrategy[Formula]:
    timed = st.builds(
        Symbol,
        st.sampled_from(["h", "yhat", "b1", "W_e", "htilde"]),
        st.just((N,)),
        st.sampled_from([NOW, BEFORE, NEXT]),
    )
    leaves = st.one_of(
        timed, timed.map(lambda base: at(base, k)), st.integers(-9, 9).map(Number), st.just(Derivative(J, h))
    )

    def more(parts: st.SearchStrategy[Formula]) -> st.SearchStrategy[Formula]:
        many = st.lists(parts, min_size=2, max_size=4).map(tuple)
        return st.one_of(
            many.map(Add),
            many.map(Product),
            many.map(Hadamard),
            many.map(Concatenation),
            parts.map(Neg),
            parts.map(Transpose),
            st.builds(Quotient, parts, parts),
            st.builds(CrossEntropy, parts, parts),
            st.builds(Power, parts, st.just(2)),
            parts.map(lambda body: Sum("k", body)),
            parts.map(lambda body: Sum("t", body, lower=Time("", 1), upper=Time("T"))),
            parts.map(lambda argument: Apply("softmax", argument)),
        )

    return st.recursive(leaves, more, max_leaves=20)


def displays() -> st.SearchStrategy[Display]:
    notes = st.lists(st.sampled_from(["because", "it", "of", h, pre_activation, " "]), max_size=8).map(tuple)
    rows = st.builds(Row, formulas(), st.none() | formulas(), note=notes)
    return st.builds(
        Display, st.lists(rows, min_size=1, max_size=3).map(tuple), st.sampled_from(["", "title"])
    )


@given(displays(), st.integers(60, 120))
def test_no_line_is_wider_than_the_page(display: Display, columns: int) -> None:
    text = render(page(display, Paragraph(tuple(row.right for row in display.rows))), columns)
    assert max(map(width, text.splitlines())) <= columns


@given(formulas(), st.integers(30, 60))
def test_nothing_is_lost_where_lines_are_broken(formula: Formula, columns: int) -> None:
    text = shown(Display((Row(formula, J),)), columns=columns)
    assert "".join(text.split()) == "J=" + "".join(show(formula).split())
