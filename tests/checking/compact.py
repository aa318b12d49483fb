"""Written formulas in one line, for tests: scripts in brackets, products in angles, derivatives as D."""

from bptt.checking.statements import read_formula
from bptt.checking.written import (
    At,
    Big,
    Braced,
    Bracketed,
    Call,
    Cases,
    Chain,
    Differential,
    Fraction,
    Letter,
    Listed,
    Nabla,
    Numeral,
    Relation,
    Scripts,
    Statement,
    Table,
    Terms,
    Unread,
    Written,
)

CLOSING = {"(": ")", "[": "]", "{": "}", "⟨": "⟩", "⌊": "⌋", "⌈": "⌉"}


def scripts(of: Scripts) -> str:
    below = f"_[{', '.join(map(compact, of.below))}]" if of.below else ""
    above = f"^[{', '.join(map(compact, of.above))}]" if of.above else ""
    return "'" * of.primes + below + above


def compact(node: Written | None) -> str:
    match node:
        case None:
            return "nothing"
        case Letter():
            return node.name + scripts(node.scripts)
        case Numeral():
            return f"{node.value:g}" + scripts(node.scripts)
        case Bracketed():
            return node.kind + compact(node.inner) + CLOSING.get(node.kind, node.kind) + scripts(node.scripts)
        case Chain(factors=parts, signs=signs):
            rest = (f" {sign} {compact(part)}" for sign, part in zip(signs, parts[1:], strict=True))
            return f"<{(compact(parts[0]) + ''.join(rest)).replace('  ', ' ')}>"
        case Terms(terms=parts, signs=signs):
            text = " ".join(f"{sign} {compact(part)}" for sign, part in zip(signs, parts, strict=True))
            return text.removeprefix("+ ") if len(parts) > 1 else text
        case Fraction():
            return f"frac[{compact(node.top)}; {compact(node.bottom)}]" + scripts(node.scripts)
        case Differential():
            signs = "" if node.signs == ("∂", "∂") else "/".join(node.signs) + " "
            operand = f"; on {compact(node.operand)}" if node.operand else ""
            top = compact(node.top) if node.top else "·"
            return f"D[{signs}{top}; {compact(node.bottom)}{operand}]" + scripts(node.scripts)
        case Nabla():
            return f"∇[{compact(node.by)}; {compact(node.operand)}]"
        case At():
            return f"at[{compact(node.inner)}; {', '.join(map(compact, node.where))}]" + scripts(node.scripts)
        case Big():
            limits = f"{', '.join(map(compact, node.below))}; {', '.join(map(compact, node.above))}"
            return f"{node.sign}[{limits}: {compact(node.body)}]"
        case Call():
            return f"{compact(node.function)}@({', '.join(map(compact, node.arguments))})" + scripts(
                node.scripts
            )
        case Relation(sides=sides, signs=signs):
            if len(signs) == len(sides):
                return " ".join(f"{sign} {compact(side)}" for sign, side in zip(signs, sides, strict=True))
            rest = (f" {sign} {compact(side)}" for sign, side in zip(signs, sides[1:], strict=True))
            return compact(sides[0]) + "".join(rest)
        case Listed():
            return f"list[{', '.join(map(compact, node.items))}]"
        case Braced():
            return f"brace[{compact(node.inner)}; {compact(node.label)}]" + scripts(node.scripts)
        case Table():
            rows = " | ".join(", ".join(map(compact, row)) for row in node.rows)
            return f"{node.kind}[{rows}]" + scripts(node.scripts)
        case Cases(rows=rows):
            told = [(compact(value), condition) for value, condition in rows]
            shown = [f"{value} if {compact(condition)}" if condition else value for value, condition in told]
            return f"cases[{' | '.join(shown)}]" + scripts(node.scripts)
        case Unread():
            return f"?{node.text}?"


def compact_statement(statement: Statement) -> str:
    """`left = right = right`; "…" before a left side that was carried on, "⟹" before what was implied; at the
    end what it holds for."""
    parts = [("… " if statement.carried else "") + compact(statement.left)]
    for link in statement.links:
        parts.append(f"{'⟹ ' if link.implied else ''}{link.sign} {compact(link.right)}")
    if statement.conditions:
        parts.append(f"if {', '.join(map(compact, statement.conditions))}")
    return " ".join(parts)


def formula(text: str) -> str:
    """The one formula of `text` in compact notation."""
    (statement,) = read_formula(text)
    assert not statement.links
    return compact(statement.left)


def statements(text: str) -> list[str]:
    """The statements of a formula in compact notation."""
    return [compact_statement(statement) for statement in read_formula(text)]
