"""Mathematics as an author wrote it, before anybody has decided what it means.

A formula on paper is ambiguous: `δ_{ij}` may be Kronecker's delta or an element of an error, `A B ∘ C D` has
two readings, `h^T` may be a transpose or the last step. So this tree keeps what was written and where:
products are flat lists of factors with the signs between them, scripts are kept as they stand, and a
derivative is a derivative even where an author forgot one of its two ∂. What it means is found out by
reading it against the symbols that the document has introduced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, is_dataclass, replace

from bptt.source import Source, Span


@dataclass(frozen=True)
class Scripts:
    """What stands below and above, each as the formulas between its commas, in the order of writing.

    `h^{(t-1)}_{1,i}` has above (Bracketed(t-1),) and below (1, i). `primes` counts ′; `\\intercal`, `\\top`
    and T are Letters in `above` like any other, for T may be a time.
    """

    below: tuple[Written, ...] = ()
    above: tuple[Written, ...] = ()
    primes: int = 0


@dataclass(frozen=True)
class Letter:
    """A name: a letter, a Greek letter by its name, or a word that was set as one (\\text, \\mathrm,
    \\operatorname). Accents are part of the name, as in the equation language: `\\hat{y}` is `yhat`. `bold`
    and other faces make no difference to `name` and are in `face` ("", "bold", "calligraphic",
    "blackboard", "upright").
    """

    name: str
    span: Span = field(compare=False, repr=False)
    scripts: Scripts = Scripts()
    face: str = ""


@dataclass(frozen=True)
class Numeral:
    value: float
    span: Span = field(compare=False, repr=False)
    scripts: Scripts = Scripts()


@dataclass(frozen=True)
class Bracketed:
    """Something in brackets; `kind` is the opening bracket: ( [ { | ‖ ⟨ ⌊."""

    inner: Written
    span: Span = field(compare=False, repr=False)
    scripts: Scripts = Scripts()
    kind: str = "("


@dataclass(frozen=True)
class Chain:
    """Factors in a row. `signs[n]` stands before factor n + 1: "" (side by side), "∘" (also ⊙), "·", "×",
    "⊗", "*", "/" or "@".
    """

    factors: tuple[Written, ...]
    signs: tuple[str, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class Terms:
    """Terms with the sign before each: "+", "-" or "±"; the first has "+" where nothing stands."""

    terms: tuple[Written, ...]
    signs: tuple[str, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class Fraction:
    """A fraction that is no derivative; a derivative that lost both of its ∂ looks like one."""

    top: Written
    bottom: Written
    span: Span = field(compare=False, repr=False)
    scripts: Scripts = Scripts()


@dataclass(frozen=True)
class Differential:
    """A derivative written as a fraction: ∂top/∂bottom. `top` is None for the operator ∂/∂x, which acts on
    what follows it (`operand`, None where nothing does). `signs` are the letters that stood for ∂ above and
    below ("∂", "d", "δ", or "" where it is missing). A short name for a derivative, `dW` for ∂J/∂W, is one
    with `signs` ("d", ""); it is `guessed` where the document does not say what it stands for, and means by
    it perhaps the derivative by what the function in W = f(…) is applied to.
    """

    top: Written | None
    bottom: Written
    signs: tuple[str, str]
    span: Span = field(compare=False, repr=False)
    operand: Written | None = None
    scripts: Scripts = Scripts()
    guessed: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Nabla:
    """∇_x f; `by` is None where nothing stands below."""

    by: Written | None
    operand: Written | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class At:
    """Something with a bar: `… |_{(t-1)}`. `where` is what stands at the foot of the bar."""

    inner: Written
    where: tuple[Written, ...]
    span: Span = field(compare=False, repr=False)
    scripts: Scripts = Scripts()


@dataclass(frozen=True)
class Big:
    """Σ, Π or ∫ with what stands below and above, and all that follows up to the next + or − of its level."""

    sign: str
    below: tuple[Written, ...]
    above: tuple[Written, ...]
    body: Written
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class Call:
    """A word applied to something: `\\log x`, `softmax(z)`, `σ′(z)`, `diag(v)`. Whether a letter before a
    bracket is a function or a factor is known only when it is read: σ, f, g, tanh, … before a bracket are
    Calls, other letters are factors of a Chain. `scripts` stand behind the argument, as in `softmax(z)_k`;
    those of the function are on it.
    """

    function: Letter
    arguments: tuple[Written, ...]
    span: Span = field(compare=False, repr=False)
    scripts: Scripts = Scripts()


@dataclass(frozen=True)
class Relation:
    """A relation inside a formula: the condition `i = k` in `1(i = k)`, `x ∈ R^n`, or `y | x` (sign "|").

    `signs[n]` stands between sides n and n + 1; where there are as many signs as sides, the first stands
    before all of them, as in `x_{<t}`.
    """

    sides: tuple[Written, ...]
    signs: tuple[str, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class Listed:
    """Formulas with commas between them: arguments, indices, concatenations."""

    items: tuple[Written, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class Braced:
    """A formula with a brace above or below it and what is said there (a name, a shape)."""

    inner: Written
    label: Written
    span: Span = field(compare=False, repr=False)
    scripts: Scripts = Scripts()


@dataclass(frozen=True)
class Table:
    """Rows of cells: a matrix, or equations in a brace (`kind` is the environment's name)."""

    rows: tuple[tuple[Written, ...], ...]
    kind: str
    span: Span = field(compare=False, repr=False)
    scripts: Scripts = Scripts()


@dataclass(frozen=True)
class Cases:
    """A value for each of several conditions, in order; the condition is None where it says "otherwise"."""

    rows: tuple[tuple[Written, Written | None], ...]
    span: Span = field(compare=False, repr=False)
    scripts: Scripts = Scripts()


@dataclass(frozen=True)
class Unread:
    """What could not be read, as it stands, with the reason: prose in a formula, an unknown command, …"""

    text: str
    reason: str
    span: Span = field(compare=False, repr=False)


Written = (
    Letter
    | Numeral
    | Bracketed
    | Chain
    | Terms
    | Fraction
    | Differential
    | Nabla
    | At
    | Big
    | Call
    | Relation
    | Listed
    | Braced
    | Table
    | Cases
    | Unread
)


@dataclass(frozen=True)
class Link:
    """`sign right`: "=", "≈", ":=", "≡", "∝", "<", "∈", "~", …; `implied` where ⟹ or ↓ led to it.

    `span` is that of the right side with its sign.
    """

    sign: str
    right: Written
    span: Span = field(compare=False, repr=False)
    implied: bool = False


@dataclass(frozen=True)
class Statement:
    """A chain of relations as the author meant it: lines of an `aligned`, and displays that begin with `=`,
    go on with the left side before them (`carried`; the left side's span is then where it was written). A
    formula that stands alone is the `left` of a statement without links; `left` is None where nothing stands
    before the first sign and no statement came before.
    `words` are the words right before it in the prose ("let", "where", "if k is the true label"), `section`
    the index of the heading it stands under. `conditions` is all that it is said to need, in words or
    behind it: `i ≠ k`, `t = 1, 2, 3`; a Letter `otherwise` where the others do not hold.
    """

    left: Written | None
    links: tuple[Link, ...]
    span: Span = field(compare=False, repr=False)
    carried: bool = False
    words: str = field(default="", compare=False)
    section: int = field(default=0, compare=False)
    conditions: tuple[Written, ...] = ()

    @property
    def sides(self) -> tuple[Written, ...]:
        """The left side, if there is one, and what follows in the chain."""
        rights = tuple(link.right for link in self.links)
        return rights if self.left is None else (self.left, *rights)


@dataclass(frozen=True)
class Reading:
    """A document read: its statements in order, and what of it could not be read at all.

    `headings[0]` is "", for what stands before the first heading. `unread` holds what is no part of any
    statement: delimiters that are never closed, formulas that are too long, commands that define themselves.
    """

    source: Source
    statements: tuple[Statement, ...]
    headings: tuple[str, ...] = ()
    unread: tuple[Unread, ...] = ()


def children(node: Written) -> tuple[Written, ...]:
    """The parts of a formula in order, its scripts after them."""
    match node:
        case Letter() | Numeral():
            parts: tuple[Written | None, ...] = ()
        case Bracketed(inner=inner):
            parts = (inner,)
        case Chain(factors=parts) | Terms(terms=parts) | Relation(sides=parts) | Listed(items=parts):
            pass
        case Fraction(top=top, bottom=bottom):
            parts = (top, bottom)
        case Differential(top=top, bottom=bottom, operand=operand):
            parts = (top, bottom, operand)
        case Nabla(by=by, operand=operand):
            parts = (by, operand)
        case At(inner=inner, where=where):
            parts = (inner, *where)
        case Big(below=below, above=above, body=body):
            parts = (*below, *above, body)
        case Call(function=function, arguments=arguments):
            parts = (function, *arguments)
        case Braced(inner=inner, label=label):
            parts = (inner, label)
        case Table(rows=rows):
            parts = tuple(cell for row in rows for cell in row)
        case Cases(rows=cases):
            parts = tuple(part for case in cases for part in case)
        case Unread():
            parts = ()
    scripts = getattr(node, "scripts", None)
    if scripts is not None:
        parts = (*parts, *scripts.below, *scripts.above)
    return tuple(part for part in parts if part is not None)


def walk(node: Written) -> Iterator[Written]:
    """The formula and all its parts, each before its own parts."""
    ahead = [node]
    while ahead:
        part = ahead.pop()
        yield part
        ahead += reversed(children(part))


def mapped(node: Written, change: Callable[[Written], Written]) -> Written:
    """The formula with `change` applied to every part, from the inside out."""
    changed: dict[str, object] = {}
    for item in fields(node):
        old = getattr(node, item.name)
        new = _mapped_within(old, change)
        if new is not old and (item.name != "function" or isinstance(new, Letter)):
            # What is applied stays a name: 1(z > 0) is no product.
            changed[item.name] = new
    return change(replace(node, **changed) if changed else node)  # type: ignore[arg-type]


def rewritten(statement: Statement, change: Callable[[Written], Written]) -> Statement:
    """The statement with `change` applied to every part of its formulas."""
    left = None if statement.left is None else mapped(statement.left, change)
    links = tuple(replace(link, right=mapped(link.right, change)) for link in statement.links)
    return replace(statement, left=left, links=links)


def _mapped_within(value: object, change: Callable[[Written], Written]) -> object:
    """What a field holds, with its formulas changed; the very object where nothing does."""
    match value:
        case tuple():
            parts = tuple(_mapped_within(part, change) for part in value)
            same = all(new is old for new, old in zip(parts, value, strict=True))
            return value if same else parts
        case Scripts(below=below, above=above):
            lower, upper = _mapped_within(below, change), _mapped_within(above, change)
            if lower is below and upper is above:
                return value
            return replace(value, below=lower, above=upper)  # type: ignore[arg-type]
        case Span():
            return value
    return mapped(value, change) if is_dataclass(value) else value  # type: ignore[arg-type]
