"""Expressions of the equation language, by precedence climbing."""

from __future__ import annotations

import math

from bptt.errors import EquationError, Label
from bptt.source import Source, Span
from bptt.syntax.lexer import Token, tokenize
from bptt.syntax.nesting import MAX_DEPTH, too_deep
from bptt.syntax.spelling import RESERVED_NAMES, canonical_function
from bptt.syntax.tree import (
    BINARY_PRECEDENCE,
    JUXTAPOSED,
    NEGATION_PRECEDENCE,
    Binary,
    Call,
    Concatenation,
    Expression,
    Name,
    Negate,
    Number,
    Part,
    Transpose,
)

# `×` keeps the product of LaTeX, where the shapes decide, as it is; it binds like `@`.
PRECEDENCE = BINARY_PRECEDENCE | {"×": BINARY_PRECEDENCE["@"]}
CLOSING = {"(": ")", "[": "]"}
STATEMENTS = "a line is `h = …`, `h[0] = …`, `size h = 128`, `H : h, h` or `x[t+1] ~ yhat`"
TIMES = "a time is `h` or `h[t]`, `h[t-1]`, `h[t-2]`; `h[0]` is the left side that gives the initial state"
_MAX_LAG_DIGITS = 6


class ExpressionReader:
    """The tokens of a text, and the expressions among them; statements are `parser`'s."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._tokens = tokenize(source)
        self._position = 0
        self._depth = 0
        self._open: list[Token] = []

    # Tokens

    @property
    def _next(self) -> Token:
        return self._tokens[self._position]

    @property
    def _after_next(self) -> Token:
        return self._tokens[min(self._position + 1, len(self._tokens) - 1)]

    def _take(self) -> Token:
        token = self._next
        if token.kind != "end":
            self._position += 1
        return token

    def _accept(self, kind: str) -> Token | None:
        return self._take() if self._next.kind == kind else None

    # Expressions

    def _expression(self, minimum: int) -> Expression:
        """An expression whose operators bind at least as tightly as `minimum`."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise too_deep(self._next.span)
        left = self._prefix()
        for _ in range(MAX_DEPTH):
            token = self._next
            if token.kind == ".T":
                left = Transpose(left, left.span.to(self._take().span))
                continue
            precedence = PRECEDENCE.get(token.kind, -1)
            if precedence < max(minimum, 0):
                break
            self._take()
            # Equal precedence ends the right operand, except of `**`, which associates to the right.
            right = self._expression(precedence if token.kind == "**" else precedence + 1)
            operator = JUXTAPOSED if token.kind == "×" else token.kind
            left = Binary(operator, left, right, left.span.to(right.span), token.span)
        else:
            raise too_deep(left.span)
        self._depth -= 1
        return left

    def _prefix(self) -> Expression:
        token = self._next
        match token.kind:
            case "-":
                self._take()
                operand = self._expression(NEGATION_PRECEDENCE)
                return Negate(operand, token.span.to(operand.span))
            case "number":
                self._take()
                value = float(token.text)
                if math.isinf(value):
                    raise EquationError.at(
                        token.span, "this number is too large", hint="the largest is about 1e308"
                    )
                return Number(value, token.span)
            case "name":
                if self._after_next.kind == "(":
                    return self._call()
                return self._name()[0]
            case "(":
                items, span = self._bracketed()
                if len(items) != 1:
                    raise EquationError.at(
                        span,
                        "a pair of brackets ( ) holds one expression",
                        hint="to concatenate, write `[a, b]`",
                    )
                return _with_span(items[0], span)
            case "[":
                items, span = self._bracketed()
                if len(items) < 2:
                    raise EquationError.at(
                        span,
                        "a concatenation has at least two parts",
                        hint="write `[a, b]`, or ( ) for grouping",
                    )
                return Concatenation(tuple(items), span)
        raise self._missing("an operand", "write a name, a number, or an expression in brackets")

    def _call(self) -> Call:
        function = self._take()
        arguments, span = self._bracketed()
        name = canonical_function(function.text)
        return Call(name, tuple(arguments), function.span.to(span), function.span)

    def _bracketed(self) -> tuple[list[Expression], Span]:
        """Expressions between commas in a pair of brackets, and the place of it all."""
        opening = self._take()
        self._open.append(opening)
        closing = CLOSING[opening.kind]
        items: list[Expression] = []
        while True:
            items.append(self._expression(0))
            if self._accept(","):
                continue
            token = self._next
            if token.kind == closing:
                self._open.pop()
                return items, opening.span.to(self._take().span)
            if token.kind in CLOSING.values():
                raise EquationError.at(
                    token.span,
                    f"`{token.text}` does not close `{opening.text}`",
                    more=[Label(opening.span, "opened here")],
                    hint=f"write `{closing}`",
                )
            if token.kind == "[":
                raise EquationError.at(token.span, "only a name can have a time", hint=TIMES)
            if (
                token.kind in ("end", "=", ":", "~")
                or token.span.line > self._tokens[self._position - 1].span.line
            ):
                raise self._unclosed()
            raise self._no_operator(token)

    def _name(self, on_left: bool = False) -> tuple[Name, bool]:
        """A name with its time, and whether that time is `[0]`, the initial state."""
        token = self._take()
        self._check_free(token)
        if self._next.kind != "[":
            return Name(token.text, span=token.span), False
        opening = self._take()
        inside: list[Token] = []
        while self._next.kind not in ("]", "[", "(", "newline", "end", "=") and len(inside) < 4:
            inside.append(self._take())
        closing = self._accept("]")
        if not closing:
            inside_span = opening.span.to(inside[-1].span) if inside else opening.span
            if self._next.kind == "end" or self._next.kind == "=":
                raise EquationError.at(opening.span, "this bracket is never closed", hint=TIMES)
            raise EquationError.at(inside_span, "this is not a time", hint=TIMES)
        span = token.span.to(closing.span)
        kinds, texts = [item.kind for item in inside], [item.text for item in inside]
        if texts == ["t"]:
            return Name(token.text, span=span), False
        is_shift = len(inside) == 3 and texts[0] == "t" and kinds[1] in ("+", "-")
        if is_shift and texts[2].isdecimal() and len(texts[2]) <= _MAX_LAG_DIGITS:
            steps = int(texts[2])
            return Name(token.text, steps if kinds[1] == "-" else -steps, span=span), False
        index = opening.span.to(closing.span)
        if texts == ["0"]:
            if on_left:
                return Name(token.text, span=span), True
            raise EquationError.at(
                index,
                f"`{span.text}` stands only on the left side, to give the initial state",
                hint=f"write `{token.span.text}[t-1]`; at the first step, that is the initial state",
            )
        raise EquationError.at(index, f"`{index.text}` is not a time", hint=TIMES)

    # Errors

    def _check_free(self, token: Token) -> None:
        if token.text in RESERVED_NAMES:
            if token.text == "t":
                raise EquationError.at(token.span, "`t` is the time step, not a quantity", hint=TIMES)
            raise EquationError.at(
                token.span,
                f"`{token.text}` is a function, not a quantity",
                hint=f"write its argument in brackets, `{token.text}(…)`, or choose another name",
            )

    def _missing(self, what: str, hint: str, after: Token | None = None) -> EquationError:
        """`what` ought to stand here, after the token just taken, but does not."""
        found = self._next
        if self._open and found.kind in ("end", "=", ":", "~"):
            return self._unclosed()
        before = after or self._tokens[self._position - 1]
        if found.kind in ("newline", "end"):
            return EquationError.at(before.span, f"{what} is missing after `{before.span.text}`", hint=hint)
        return EquationError.at(found.span, f"{what} is missing before {shown(found)}", hint=hint)

    def _unclosed(self) -> EquationError:
        opening = self._open[-1]
        return EquationError.at(
            opening.span, "this bracket is never closed", hint=f"add `{CLOSING[opening.kind]}` where it ends"
        )

    def _no_operator(self, token: Token) -> EquationError:
        before = self._tokens[self._position - 1]
        if token.kind == "(" and before.kind in (")", "number"):
            hint = "write `*` or `@` between them"
        elif token.kind in ("name", "number", "("):
            hint = "a product is written `a @ b` (matrix) or `a * b` (elementwise)"
        else:
            hint = STATEMENTS
        return EquationError.at(token.span, f"an operator is missing before {shown(token)}", hint=hint)


def shown(token: Token) -> str:
    return {"newline": "the end of the line", "end": "the end of the text"}.get(
        token.kind, f"`{token.span.text}`"
    )


def _with_span(expression: Expression, span: Span) -> Expression:
    """The same expression, its place widened to the brackets around it."""
    match expression:
        case Number(value):
            return Number(value, span)
        case Name(id, lag):
            return Name(id, lag, span=span)
        case Transpose(operand):
            return Transpose(operand, span)
        case Negate(operand):
            return Negate(operand, span)
        case Binary(operator, left, right, _, operator_span):
            return Binary(operator, left, right, span, operator_span)
        case Call(function, arguments, _, function_span):
            return Call(function, arguments, span, function_span)
        case Concatenation(items):
            return Concatenation(items, span)
        case Part(operand, items, place):
            return Part(operand, items, place, span)
