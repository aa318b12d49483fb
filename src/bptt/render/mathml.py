"""Formulas in presentation MathML, with the elements that browsers draw by themselves (MathML Core)."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from bptt.formula.tree import Formula
from bptt.render.marks import (
    Bold,
    Brackets,
    Call,
    Digits,
    Evaluated,
    Fence,
    Fraction,
    Known,
    Letter,
    Limits,
    Line,
    Mark,
    Matrix,
    Root,
    Script,
    Sign,
    Space,
    Stack,
    Under,
    Word,
    is_tall,
)
from bptt.render.typeset import typeset
from bptt.syntax.spelling import GREEK

# The first of the letters that have a name, but for the final sigma.
_GREEK = {name: letter for letter, name in reversed(GREEK.items()) if letter != "ς"}
_ACCENTS = {"hat": "^", "tilde": "~", "bar": "¯"}
# Signs whose space differs from what browsers give them: on both sides.
_SPACES = {
    ",": ("0", "0.17em"),
    ":": ("0.1em", "0.1em"),
    "⊤": ("0", "0"),
    "∂": ("0", "0"),
    "…": ("0", "0.1em"),
}
_NAMES = {"∂", "⊤", "…"}  # signs that stand for something, and are no operators
_FIXED = 'stretchy="false"'
# As high as a fraction, for what it stands around is on other lines.
_LARGE = 'stretchy="true" minsize="2.4em"'
_THIN = '<mspace width="0.17em"/>'


def show(formula: Formula, timed: bool, display: bool = False) -> str:
    """A `math` element; with `display` sums and fractions are as large as on a line of their own."""
    return element(typeset(formula, timed), display)


def element(mark: Mark, display: bool = False) -> str:
    style = ' displaystyle="true"' if display else ""
    return f"<math{style}>{write(mark)}</math>"


def line(sign: str, mark: Mark) -> str:
    """A line of a display that begins with its sign, or with several with spaces between."""
    return element(Line((*map(Sign, sign.split()), mark)), True).replace("<mo", '<mo form="infix"', 1)


def symbol(key: tuple[str, str], attribute: str = "data-symbol") -> str:
    """The attribute by which an element is known to be of a symbol."""
    name, of = key
    return f'{attribute}="{escape(f"{name}^{of}" if of else name)}"'


def _sign(text: str, is_small: bool) -> str:
    """An operator; in a script it has no space around it."""
    if text in _NAMES:
        return f'<mi mathvariant="normal">{text}</mi>'
    before, after = ("0", "0") if is_small else _SPACES.get(text, ("", ""))
    space = f' lspace="{before}" rspace="{after}"' if before else ""
    return f"<mo{space}>{escape(text)}</mo>"


def write(mark: Mark, is_small: bool = False) -> str:
    """The mark as one element; what is small is in a script."""
    match mark:
        case Letter(name, accent):
            letter = f"<mi>{_GREEK.get(name, name)}</mi>"
            return (
                f'<mover accent="true">{letter}<mo stretchy="false">{_ACCENTS[accent]}</mo></mover>'
                if accent
                else letter
            )
        case Word(text):
            # One letter alone would be set in italics.
            upright = ' mathvariant="normal"' if len(text) == 1 else ""
            return f"<mi{upright}>{escape(text)}</mi>"
        case Digits(text):
            return f"<mn>{text}</mn>"
        case Bold(text):
            return f'<mn class="bold">{escape(text)}</mn>'
        case Sign(text):
            return _sign(text, is_small)
        case Space():
            return _THIN
        case Line(items):
            return _row("".join(write(item, is_small) for item in items))
        case Call(function, Brackets() as argument):
            return _row(write(function, is_small) + write(argument, is_small))
        case Call(function, argument):
            return _row(write(function, is_small) + _THIN + write(argument, is_small))
        case Script(base, None, Sign("′" as prime)):
            # The character is at the head by itself; browsers would raise and shrink it once more.
            return _row(write(base) + _sign(prime, is_small))
        case Script(base, below, above):
            # As in TeX, what stands behind brackets is at the height of the closing one.
            start, end = _split(base)
            scripted = _scripted(end, below, above)
            return _row(start + scripted) if start else scripted
        case Limits(operator, below, None):
            return f"<munder><mo>{operator}</mo>{write(below, True)}</munder>"
        case Limits(operator, below, above):
            assert above is not None
            return f"<munderover><mo>{operator}</mo>{write(below, True)}{write(above, True)}</munderover>"
        case Fraction(top, bottom):
            return f"<mfrac>{write(top)}{write(bottom)}</mfrac>"
        case Root(body):
            return f"<msqrt>{write(body)}</msqrt>"
        case Brackets(body, left, right):
            return _row(_bracket(left, mark) + write(body, is_small) + _bracket(right, mark))
        case Fence(text, is_large):
            return f"<mo {_LARGE if is_large else _FIXED}>{text}</mo>"
        case Evaluated(body, below):
            bar = _row(f'{write(body)}<mo stretchy="true" form="postfix">|</mo>')
            return f"<msub>{bar}{write(below, True)}</msub>"
        case Matrix(rows):
            return _row(f"<mo>[</mo>{_table(rows)}<mo>]</mo>")
        case Stack(lines):
            return _table([[line] for line in lines], ' class="stack"')
        case Under(body, note):
            return f'<munder class="shape">{write(body)}{write(note, True)}</munder>'
        case Known(key, body):
            return f"<mrow {symbol(key)}>{write(body, is_small)}</mrow>"


def _table(rows: Iterable[Iterable[Mark]], kind: str = "") -> str:
    lines = ("".join(f"<mtd>{write(cell)}</mtd>" for cell in row) for row in rows)
    return f"<mtable{kind}>{''.join(f'<mtr>{line}</mtr>' for line in lines)}</mtable>"


def _bracket(sign: str, around: Brackets) -> str:
    return f"<mo>{sign}</mo>" if is_tall(around) else f"<mo {_FIXED}>{sign}</mo>"


def _split(base: Mark) -> tuple[str, str]:
    """What comes before the element that scripts are put to, and that element."""
    match base:
        case Brackets(body, left, right) if not is_tall(body):
            return _bracket(left, base) + write(body), _bracket(right, base)
        case Call(function, Brackets() as argument):
            start, end = _split(argument)
            return (write(function) + start, end) if start else ("", write(base))
        case _:
            return "", write(base)


def _scripted(base: str, below: Mark | None, above: Mark | None) -> str:
    kind = "m" + ("sub" if below is not None else "") + ("sup" if above is not None else "")
    scripts = "".join(write(mark, True) for mark in (below, above) if mark is not None)
    return f"<{kind}>{base}{scripts}</{kind}>"


def _row(content: str) -> str:
    return f"<mrow>{content}</mrow>"
