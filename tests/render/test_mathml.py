"""Formulas in MathML: well-formed, of elements that browsers draw, and of as many parts as each takes."""

import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given

from bptt.formula.tree import (
    BEFORE,
    Add,
    Apply,
    Blocks,
    Derivative,
    Formula,
    Index,
    Indexed,
    Kronecker,
    Neg,
    Number,
    Product,
    Sum,
    Symbol,
    TokenPart,
    Transpose,
)
from bptt.ir.dims import Dim
from bptt.render.line_breaks import height
from bptt.render.marks import Fence, Sign, width
from bptt.render.mathml import element, line, show
from bptt.render.typeset import typeset, typeset_lines
from written import FORMULAS, NUMBERS, H, L, U, a_h, b1, delta_h, h, h_before, i, j, k, x, yhat

# What an element holds: characters, one part, a number of parts, or any number of them.
TEXT, ANY = -1, None
PARTS = {
    "math": 1, "mrow": ANY, "mi": TEXT, "mn": TEXT, "mo": TEXT, "mtext": TEXT, "mspace": 0, "msub": 2,
    "msup": 2, "msubsup": 3, "munder": 2, "munderover": 3, "mover": 2, "mfrac": 2, "msqrt": 1, "mtable": ANY,
    "mtr": ANY, "mtd": 1,
}  # fmt: skip
ATTRIBUTES = {
    "mathvariant", "displaystyle", "stretchy", "form", "lspace", "rspace", "minsize", "width", "accent",
    "class", "data-symbol",
}  # fmt: skip


def check(text: str) -> ElementTree.Element:
    root = ElementTree.fromstring(text)
    assert root.tag == "math"
    for node in root.iter():
        parts = PARTS[node.tag]
        assert set(node.attrib) <= ATTRIBUTES
        assert not (node.tail or "").strip()
        if parts == TEXT:
            assert len(node) == 0 and (node.text or "").strip()
        else:
            assert not (node.text or "").strip()
            assert parts is ANY or len(node) == parts
        if node.tag == "mtable":
            assert len({len(row) for row in node}) == 1
    return root


def letters(root: ElementTree.Element) -> str:
    return "".join(root.itertext())


@pytest.mark.parametrize("formula", FORMULAS, ids=map(str, range(len(FORMULAS))))
def test_every_formula_is_sound(formula: Formula) -> None:
    check(show(formula, timed=True))
    check(show(formula, timed=False, display=True))


@given(NUMBERS)
def test_nested_formulas_are_sound(formula: Formula) -> None:
    check(show(formula, timed=True))
    for mark in typeset_lines(formula, True, 6.0):
        check(element(mark))


# Pieces of what is expected.
H_T = '<mrow data-symbol="h"><msub><mi>h</mi><mi>t</mi></msub></mrow>'
DELTA = '<mrow data-symbol="delta^h"><msubsup><mi>δ</mi><mi>t</mi><mi>h</mi></msubsup></mrow>'
BEFORE_T = '<mrow><mi>t</mi><mo lspace="0" rspace="0">−</mo><mn>1</mn></mrow>'
FROM_1 = '<mrow><mi>k</mi><mo lspace="0" rspace="0">=</mo><mn>1</mn></mrow>'
Y_HAT = '<mover accent="true"><mi>y</mi><mo stretchy="false">^</mo></mover>'
D = '<mi mathvariant="normal">∂</mi>'
ROUND, CLOSED = '<mo stretchy="false">(</mo>', '<mo stretchy="false">)</mo>'
SQUARE, SQUARE_CLOSED = '<mo stretchy="false">[</mo>', '<mo stretchy="false">]</mo>'


def known(name: str, content: str) -> str:
    return f'<mrow data-symbol="{name}">{content}</mrow>'


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (h, H_T),
        (h_before, known("h", f"<msub><mi>h</mi>{BEFORE_T}</msub>")),
        (Symbol("theta"), known("theta", "<mi>θ</mi>")),
        (Symbol("sigma"), known("sigma", "<mi>σ</mi>")),
        (Symbol("Wr"), known("Wr", "<mi>Wr</mi>")),
        (b1, known("b1", "<msub><mi>b</mi><mn>1</mn></msub>")),
        (yhat, known("yhat", f"<msub>{Y_HAT}<mi>t</mi></msub>")),
        (delta_h, DELTA),
        (Indexed(U, (i, j)), known("U", "<msub><mi>U</mi><mrow><mi>i</mi><mi>j</mi></mrow></msub>")),
        (
            Transpose(delta_h),
            f'<mrow>{ROUND}{DELTA}<msup>{CLOSED}<mi mathvariant="normal">⊤</mi></msup></mrow>',
        ),
        (Indexed(Symbol("h"), (Index("2"),)), known("h", "<msub><mi>h</mi><mn>2</mn></msub>")),
        (Add((h, Neg(h))), f"<mrow>{H_T}<mo>−</mo>{H_T}</mrow>"),
        (Neg(h), f"<mrow><mo>−</mo>{H_T}</mrow>"),
        (Number(-0.5), "<mrow><mo>−</mo><mn>0.5</mn></mrow>"),
        (
            TokenPart(L, x),
            f"<msub>{known('L', '<mi>L</mi>')}{known('x', '<msub><mi>x</mi><mi>t</mi></msub>')}</msub>",
        ),
        (Apply("sigmoid", h), f"<mrow><mi>σ</mi><mrow>{ROUND}{H_T}{CLOSED}</mrow></mrow>"),
        (Apply("log", h), f'<mrow><mi>log</mi><mspace width="0.17em"/>{H_T}</mrow>'),
        (
            Kronecker(j, k),
            f'<mrow><mn class="bold">1</mn><mrow>{SQUARE}<mrow><mi>j</mi><mo>=</mo><mi>k</mi></mrow>'
            f"{SQUARE_CLOSED}</mrow></mrow>",
        ),
        (
            Sum("k", h, Dim.named("V")),
            f"<mrow><munderover><mo>∑</mo>{FROM_1}<mi>V</mi></munderover>{H_T}</mrow>",
        ),
        (
            Derivative(h, H, BEFORE),
            f"<msub><mrow><mfrac><mrow>{D}{H_T}</mrow><mrow>{D}{known('H', '<mi>H</mi>')}</mrow></mfrac>"
            f'<mo stretchy="true" form="postfix">|</mo></mrow><mrow>{ROUND}{BEFORE_T}{CLOSED}</mrow></msub>',
        ),
    ],
)
def test_formulas(formula: Formula, expected: str) -> None:
    assert show(formula, timed=True) == f"<math>{expected}</math>"


def test_a_prime_is_raised_once() -> None:
    assert "<mi>σ</mi><mo>′</mo>" in show(Apply("sigmoid", a_h, True), True)


def test_names_cannot_break_out() -> None:
    root = check(show(Symbol('<script>"&', of="'><x>"), True))
    assert letters(root) == '<script>"&' + "'><x>"
    assert next(node.get("data-symbol") for node in root.iter("mrow")) == '<script>"&^' + "'><x>"


def test_a_line_begins_with_an_operator_between_two_sides() -> None:
    root = check(line("=", typeset(h, True)))
    assert letters(root) == "=ht"
    assert root.find(".//mo").get("form") == "infix"
    assert letters(check(line("= … +", typeset(h, True)))) == "=…+ht"
    assert letters(check(line("", typeset(h, True)))) == "ht"


def test_brackets_on_two_lines_are_as_large_as_what_they_hold() -> None:
    assert 'minsize="2.4em"' in element(Fence("(", is_large=True))
    assert element(Fence("(", is_large=False)) == '<math><mo stretchy="false">(</mo></math>'


def test_a_broken_formula_says_the_same() -> None:
    terms = Add(tuple(Apply("tanh", Add((h, Neg(b1), Neg(Apply("sigmoid", a_h))))) for _ in range(6)))
    lines = typeset_lines(terms, True, 8.0)
    assert len(lines) > 6
    assert "".join(letters(check(element(mark))) for mark in lines) == letters(check(show(terms, True)))
    assert all(mark.items[0] in (Sign("+"), Sign("−")) for mark in lines[1:])


def test_products_of_brackets_are_broken_with_a_dot() -> None:
    factor = Apply("tanh", Add((h, b1, h_before)))
    lines = typeset_lines(Product((factor, factor, factor)), True, 12.0)
    assert [letters(check(element(mark)))[0] for mark in lines] == ["t", "·", "·"]


def test_cells_of_wide_matrices_are_broken() -> None:
    wide = Add(tuple(Apply("tanh", Add((h, b1))) for _ in range(8)))
    (mark,) = typeset_lines(Blocks(((H, wide), (wide, H))), True, 30.0)
    assert width(mark) < 33.0
    assert height(mark) == 16
    root = check(element(mark))
    assert len(root.findall(".//mtable[@class='stack']")) == 2
    assert letters(root) == letters(check(show(Blocks(((H, wide), (wide, H))), True)))


def test_terms_that_are_broken_begin_on_a_line() -> None:
    wide = Apply("tanh", Add((h, b1, h_before, b1, h, b1, h_before)))
    lines = [letters(check(element(mark))) for mark in typeset_lines(Add((h, wide, h)), True, 12.0)]
    assert lines[0] == "ht" and lines[1].startswith("+tanh(") and lines[-1] == "+ht"
