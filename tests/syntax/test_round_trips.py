"""What is written is read back as the same tree, in both spellings."""

from hypothesis import given

from bptt.source import Source
from bptt.syntax import parse, parse_equations, parse_latex, to_latex, unparse
from bptt.syntax.tree import JUXTAPOSED, Binary, Equation, Name
from strategies import OPERATORS, SPAN, documents, expressions

# LaTeX has no sign for `@`: it is written like the product that the shapes decide.
WITHOUT_MATMUL = tuple(operator for operator in OPERATORS if operator != "@")


@given(documents())
def test_equations_round_trip(document):
    text = unparse(document)
    assert parse_equations(Source("<test>", text)) == document
    assert unparse(parse_equations(Source("<test>", text))) == text


@given(expressions(max_leaves=30))
def test_expressions_round_trip(expression):
    document = parse_equations(Source("<test>", f"v = {unparse(expression)}"))
    assert document.statements == (Equation(Name("v", span=SPAN), expression, SPAN),)


@given(documents(WITHOUT_MATMUL))
def test_latex_round_trip(document):
    text = to_latex(document)
    assert parse_latex(Source("<test>", text)) == document
    assert parse(Source("<test>", text)) == document


@given(expressions(WITHOUT_MATMUL, max_leaves=30))
def test_latex_expressions_round_trip(expression):
    equation = Equation(Name("v", span=SPAN), expression, SPAN)
    assert parse_latex(Source("<test>", to_latex(equation))).statements == (equation,)


def test_latex_writes_matmul_side_by_side():
    matmul = Equation(
        Name("h", span=SPAN),
        Binary("@", Name("W", span=SPAN), Name("x", span=SPAN), SPAN, SPAN),
        SPAN,
    )
    (back,) = parse_latex(Source("<test>", to_latex(matmul))).statements
    assert back.value == Binary(JUXTAPOSED, Name("W", span=SPAN), Name("x", span=SPAN), SPAN, SPAN)


def test_latex_tells_labels_from_elements():
    document = parse_equations(Source("<test>", "a = x\nh = a_i * x_k + a_T\n"))
    assert parse_latex(Source("<test>", to_latex(document))) == document
