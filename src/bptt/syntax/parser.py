"""Parser of the equation language: one statement a line."""

from __future__ import annotations

from bptt.errors import EquationError
from bptt.source import Source, Span
from bptt.syntax.expression import CLOSING, STATEMENTS, TIMES, ExpressionReader, shown
from bptt.syntax.nesting import check_depth
from bptt.syntax.tree import (
    Document,
    Equation,
    InitialState,
    Name,
    Number,
    OutputStatement,
    ShapeStatement,
    SizeStatement,
    Statement,
)


def parse_equations(source: Source) -> Document:
    """The document of a text in the equation language.

    Raises EquationError, with one diagnostic, at the first thing that cannot be read.
    """
    return _Parser(source).document()


class _Parser(ExpressionReader):
    def document(self) -> Document:
        statements: list[Statement] = []
        while self._next.kind != "end":
            if not self._accept("newline"):
                statements += self._statement()
                if self._next.kind not in ("newline", "end"):
                    raise self._after_statement(statements[-1].span)
        if not statements:
            raise EquationError.at(
                self._source.span(0, 0),
                "there are no equations here",
                hint="write one, such as `h = tanh(x @ W)`",
            )
        return Document(tuple(statements), self._source)

    def _statement(self) -> list[Statement]:
        first = self._next
        if first.kind != "name":
            if first.kind in ("=", "~", ":"):
                raise EquationError.at(
                    first.span, f"nothing stands to the left of `{first.kind}`", hint=STATEMENTS
                )
            raise EquationError.at(first.span, f"{shown(first)} cannot begin a statement", hint=STATEMENTS)
        follower = self._after_next.kind
        if follower == "name":
            if first.text == "size":
                return self._sizes()
            message = f"unknown statement `{first.span.text}`, or `=` is missing after it"
            raise EquationError.at(first.span, message, hint=STATEMENTS)
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
                hint=f"only a name, with or without a time, stands to the left of `=`; {STATEMENTS}",
            )
        self._take()
        value = self._expression(0)
        check_depth(value)
        span = target.span.to(value.span)
        return InitialState(target, value, span) if initial else Equation(target, value, span)

    def _output(self, target: Name, initial: bool) -> OutputStatement:
        hint = "write `x[t+1] ~ yhat`: the next token is drawn from `yhat`"
        if initial or (target.id, target.lag) != ("x", -1):
            raise EquationError.at(
                target.span, "only the next token, `x[t+1]`, is drawn from a distribution", hint=hint
            )
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
            raise EquationError.at(
                span, f"{what} is a positive whole number, not 0", hint="write for instance 128"
            )
        return int(token.text), span

    def _after_statement(self, statement: Span) -> EquationError:
        """Why the statement that ends here is followed by something on its line."""
        token, rest = self._next, []
        for other in self._tokens[self._position :]:
            if other.kind in ("newline", "end"):
                break
            rest.append(other.kind)
        if token.kind in CLOSING.values():
            return EquationError.at(token.span, f"`{token.text}` closes no bracket", hint="take it away")
        if token.kind == "=":
            return EquationError.at(
                token.span, "a second `=` in one equation", hint="write each equation on a line of its own"
            )
        if token.kind == "[":
            return EquationError.at(token.span, "only a name can have a time", hint=TIMES)
        if token.kind == "name" and ("=" in rest or ":" in rest):
            return EquationError.at(
                token.span,
                "a second statement on the same line",
                hint="write each statement on a line of its own",
            )
        return self._no_operator(token)
