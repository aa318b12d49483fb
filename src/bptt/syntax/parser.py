"""Parser of the equation language: one statement a line, expressions by precedence climbing."""

from __future__ import annotations

import math

from bptt.errors import EquationError, Label
from bptt.source import Source, Span
from bptt.syntax.lexer import Token, tokenize
from bptt.syntax.nesting import MAX_DEPTH, check_depth, too_deep
from bptt.syntax.spelling import RESERVED_NAMES, canonical_function
from bptt.syntax.tree import (
    BINARY_PRECEDENCE,
    JUXTAPOSED,
    NEGATION_PRECEDENCE,
    Binary,
    Call,
    Concatenation,
    Document,
    Equation,
    Expression,
    InitialState,
    Name,
    Negate,
    Number,
    OutputStatement,
    ShapeStatement,
    SizeStatement,
    Statement,
    Transpose,
)

# `×` keeps the product of LaTeX, where the shapes decide, as it is; it binds like `@`.
PRECEDENCE = BINARY_PRECEDENCE | {"×": BINARY_PRECEDENCE["@"]}
_CLOSING = {"(": ")", "[": "]"}
_STATEMENTS = "a line is `h = …`, `h[0] = …`, `size h = 128`, `H : h, h` or `x[t+1] ~ yhat`"
_TIMES = "a time is `h` or `h[t]`, `h[t-1]`, `h[t-2]`; `h[0]` is the left side that gives the initial state"
_MAX_LAG_DIGITS = 6


def parse_equations(source: Source) -> Document:
    """The document of a text in the equation language.

    Raises EquationError, with one diagnostic, at the first thing that cannot be read.
    """
    return _Parser(source).document()


class _Parser:
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

    # Statements

    def document(self) -> Document:
        statements: list[Statement] = []
        while self._next.kind != "end":
            if not self._accept("newline"):
                statements += self._statement()
                if self._next.kind not in ("newline", "end"):
                    raise self._after_statement(statements[-1].span)
        if not statements:
            raise EquationError.at(
                self._source.span(0, 0), "there are no equations here", hint="write one, such as `h = tanh(x @ W)`"
            )
        return Document(tuple(statements), self._source)

    def _statement(self) -> list[Statement]:
        first = self._next
        if first.kind != "name":
            if first.kind in ("=", "~", ":"):
                raise EquationError.at(first.span, f"nothing stands to the left of `{first.kind}`", hint=_STATEMENTS)
            raise EquationError.at(first.span, f"{_shown(first)} cannot begin a statement", hint=_STATEMENTS)
        follower = self._after_next.kind
        if follower == "name":
            if first.text == "size":
                return self._sizes()
            message = f"unknown statement `{first.span.text}`, or `=` is missing after it"
            raise EquationError.at(first.span, message, hint=_STATEMENTS)
        if follower == ":":
            return [self._shape()]
        if follower == "number" and first.text == "size":
            raise EquationError.at(self._after_next.span, "a size needs a name", hint="write `size h = 128`")
        return [self._equation()]

    def _equation(self) -> Statement:
        target, initial = self._name(on_left=True)
        if self._next.kind == "~":
            return self._output(target, initial)
        if self._next.kind != "=":
            raise EquationError.at(
                self._next.span if self._next.kind not in ("newline", "end") else target.span,
                f"`=` is missing after `{target.span.text}`",
                hint=f"only a name, with or without a time, stands to the left of `=`; {_STATEMENTS}",
            )
        self._take()
        value = self._expression(0)
        check_depth(value)
        span = target.span.to(value.span)
        return InitialState(target, value, span) if initial else Equation(target, value, span)

    def _output(self, target: Name, initial: bool) -> OutputStatement:
        hint = "write `x[t+1] ~ yhat`: the next token is drawn from `yhat`"
        if initial or (target.id, target.lag) != ("x", -1):
            raise EquationError.at(target.span, "only the next token, `x[t+1]`, is drawn from a distribution", hint=hint)
        self._take()
        if self._next.kind != "name":
            raise self._missing("the name of a distribution", hint)
        output, _ = self._name()
        return OutputStatement(output, target.span.to(output.span))

    def _sizes(self) -> list[Statement]:
        self._take()
        statements: list[Statement] = []
        while True:
            if self._next.kind != "name":
                raise self._missing("the name of a size", "write `size e = 64, h = 128`")
            token = self._take()
            self._check_free(token)
            name = Name(token.text, span=token.span)
            if not self._accept("="):
                raise self._missing(f"`=` after `{token.span.text}`", "write `size e = 64, h = 128`")
            value, span = self._positive_integer("a size")
            statements.append(SizeStatement(name, value, token.span.to(span)))
            if not self._accept(","):
                return statements

    def _shape(self) -> ShapeStatement:
        target = self._take()
        self._check_free(target)
        colon = self._take()
        name = Name(target.text, span=target.span)
        if self._next.kind == "(" and self._after_next.kind == ")":
            self._take()
            return ShapeStatement(name, (), target.span.to(self._take().span))
        dimensions: list[Name | Number] = []
        while True:
            token = self._next
            if token.kind == "name":
                self._check_free(self._take())
                dimensions.append(Name(token.text, span=token.span))
            elif token.kind == "number" or token.kind == "-":
                value, span = self._positive_integer("a dimension")
                dimensions.append(Number(float(value), span))
            else:
                hint = "write `H : h, h`, with names of sizes or numbers; a scalar is `c : ()`"
                raise self._missing("a dimension", hint, after=colon)
            if not self._accept(","):
                return ShapeStatement(name, tuple(dimensions), target.span.to(dimensions[-1].span))

    def _positive_integer(self, what: str) -> tuple[int, Span]:
        minus = self._accept("-")
        token = self._next
        if token.kind in ("newline", "end"):
            raise self._missing(what, "write a positive whole number, such as 128")
        span = self._take().span
        if minus or token.kind != "number" or not token.text.isdecimal() or not 0 < len(token.text) <= 12:
            span = minus.span.to(span) if minus else span
            raise EquationError.at(span, f"{what} is a positive whole number", hint="write for instance 128")
        if int(token.text) == 0:
            raise EquationError.at(span, f"{what} is a positive whole number, not 0", hint="write for instance 128")
        return int(token.text), span

    def _after_statement(self, statement: Span) -> EquationError:
        """Why the statement that ends here is followed by something on its line."""
        token, rest = self._next, []
        for other in self._tokens[self._position :]:
            if other.kind in ("newline", "end"):
                break
            rest.append(other.kind)
        if token.kind in _CLOSING.values():
            return EquationError.at(token.span, f"`{token.text}` closes no bracket", hint="take it away")
        if token.kind == "=":
            return EquationError.at(
                token.span, "a second `=` in one equation", hint="write each equation on a line of its own"
            )
        if token.kind == "[":
            return EquationError.at(token.span, "only a name can have a time", hint=_TIMES)
        if token.kind == "name" and ("=" in rest or ":" in rest):
            return EquationError.at(
                token.span, "a second statement on the same line", hint="write each statement on a line of its own"
            )
        return self._no_operator(token)

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
                    raise EquationError.at(token.span, "this number is too large", hint="the largest is about 1e308")
                return Number(value, token.span)
            case "name":
                if self._after_next.kind == "(":
                    return self._call()
                return self._name()[0]
            case "(":
                items, span = self._bracketed()
                if len(items) != 1:
                    raise EquationError.at(
                        span, "a pair of brackets ( ) holds one expression", hint="to concatenate, write `[a, b]`"
                    )
                return _with_span(items[0], span)
            case "[":
                items, span = self._bracketed()
                if len(items) < 2:
                    raise EquationError.at(
                        span, "a concatenation has at least two parts", hint="write `[a, b]`, or ( ) for grouping"
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
        closing = _CLOSING[opening.kind]
        items: list[Expression] = []
        while True:
            items.append(self._expression(0))
            if self._accept(","):
                continue
            token = self._next
            if token.kind == closing:
                self._open.pop()
                return items, opening.span.to(self._take().span)
            if token.kind in _CLOSING.values():
                raise EquationError.at(
                    token.span,
                    f"`{token.text}` does not close `{opening.text}`",
                    more=[Label(opening.span, "opened here")],
                    hint=f"write `{closing}`",
                )
            if token.kind == "[":
                raise EquationError.at(token.span, "only a name can have a time", hint=_TIMES)
            if token.kind in ("end", "=", ":", "~") or token.span.line > self._tokens[self._position - 1].span.line:
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
                raise EquationError.at(opening.span, "this bracket is never closed", hint=_TIMES)
            raise EquationError.at(inside_span, "this is not a time", hint=_TIMES)
        span = token.span.to(closing.span)
        kinds, texts = [item.kind for item in inside], [item.text for item in inside]
        if texts == ["t"]:
            return Name(token.text, span=span), False
        if len(inside) == 3 and texts[0] == "t" and kinds[1] in "+-" and texts[2].isdecimal():
            if len(texts[2]) <= _MAX_LAG_DIGITS:
                steps = int(texts[2])
                return Name(token.text, steps if kinds[1] == "-" else -steps, span=span), False
        index = opening.span.to(closing.span)
        if texts == ["0"]:
            if on_left:
                return Name(token.text, span=span), True
            raise EquationError.at(
                index,
                f"`{span.text}` stands only on the left side, to give the initial state",
                hint=f"write `{token.span.text}[t-1]` for the step before; at the first step that is the initial state",
            )
        raise EquationError.at(index, f"`{index.text}` is not a time", hint=_TIMES)

    # Errors

    def _check_free(self, token: Token) -> None:
        if token.text in RESERVED_NAMES:
            if token.text == "t":
                raise EquationError.at(token.span, "`t` is the time step, not a quantity", hint=_TIMES)
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
        return EquationError.at(found.span, f"{what} is missing before {_shown(found)}", hint=hint)

    def _unclosed(self) -> EquationError:
        opening = self._open[-1]
        return EquationError.at(
            opening.span, "this bracket is never closed", hint=f"add `{_CLOSING[opening.kind]}` where it ends"
        )

    def _no_operator(self, token: Token) -> EquationError:
        before = self._tokens[self._position - 1]
        if token.kind == "(" and before.kind in (")", "number"):
            hint = "write `*` or `@` between them"
        elif token.kind in ("name", "number", "("):
            hint = "a product is written `a @ b` (matrix) or `a * b` (elementwise)"
        else:
            hint = _STATEMENTS
        return EquationError.at(token.span, f"an operator is missing before {_shown(token)}", hint=hint)


def _shown(token: Token) -> str:
    return {"newline": "the end of the line", "end": "the end of the text"}.get(token.kind, f"`{token.span.text}`")


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


