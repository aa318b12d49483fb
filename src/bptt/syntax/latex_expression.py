"""Expressions in LaTeX: precedence climbing over tokens, where factors side by side are a product."""

from __future__ import annotations

from bptt.errors import EquationError
from bptt.source import Span
from bptt.syntax.latex_names import (
    CLOSING,
    Context,
    RawName,
    Script,
    read_name,
    read_script,
    resolve,
    unclosed,
)
from bptt.syntax.latex_objective import CROSS_ENTROPY, cross_entropy, summed_cross_entropy
from bptt.syntax.lexer import Token
from bptt.syntax.nesting import MAX_DEPTH, check_depth, too_deep
from bptt.syntax.spelling import canonical_function, canonical_name
from bptt.syntax.tree import (
    BINARY_PRECEDENCE,
    JUXTAPOSED,
    NEGATION_PRECEDENCE,
    Binary,
    Call,
    Concatenation,
    Equation,
    Expression,
    Negate,
    Number,
    Transpose,
)

_PRODUCT = BINARY_PRECEDENCE["@"]
_PRECEDENCE = {symbol: BINARY_PRECEDENCE[symbol] for symbol in "+-*/"} | {r"\cdot": _PRODUCT}
_TIGHTEST = max(BINARY_PRECEDENCE.values()) + 1
_FIRST_OF_FACTOR = frozenset(
    ["name", "word", "function", "number", "accent", "(", "[", "{", r"\{", r"\frac", r"\sqrt", r"\sum"]
    + [r"\overbrace", r"\underbrace"]
)
# By convention functions, where a bracket follows: `f(x)` is no product with a parameter f.
_FUNCTION_LETTERS = frozenset(["f", "g", "phi"])

# What to write instead of what is not read.
_INSTEAD = {
    r"\times": r"a product of matrices has no sign, an elementwise one is \odot",
    r"\otimes": r"an outer product of columns is `a b^\top`, an elementwise product `a \odot b`",
    r"\oplus": r"to concatenate, write `[a; b]`",
    r"\prod": "write the product out, or take a sum of logarithms",
    r"\int": "there are no integrals",
    r"\begin{cases}": "there are no cases; relu, sigmoid and the like are functions",
    r"\mathbb": "the ones of `1 - z` are written `1`",
    r"\partial": "derivatives are worked out from the model, not written in it",
    r"\nabla": "derivatives are worked out from the model, not written in it",
    "'": "derivatives are worked out from the model, not written in it",
    "|": "there are no absolute values; a size is named only in a shape",
    r"\dots": "write the equation in full, for every t",
    "prose": "only formulas are read inside an equation",
}


class ExpressionParser:
    """Reads the tokens of one expression, up to the token of kind "end".

    `before` are equations for quantities named by an over- or underbrace: `\\overbrace{a + b}^{g_t}`.
    """

    def __init__(self, tokens: list[Token], context: Context, defined: frozenset[str] = frozenset()) -> None:
        self._tokens = tokens
        self._context = context
        self._defined = defined
        self._position = 0
        self._depth = 0
        self.before: list[Equation] = []

    def parse(self) -> Expression:
        value = self._expression(0)
        if self._next.kind != "end":
            raise self._unexpected(self._next)
        check_depth(value)
        return value

    @property
    def _next(self) -> Token:
        return self._tokens[self._position]

    def _take(self) -> Token:
        token = self._next
        if token.kind != "end":
            self._position += 1
        return token

    # Operators

    def _expression(self, minimum: int) -> Expression:
        """An expression whose operators bind at least as tightly as `minimum`."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise too_deep(self._next.span)
        left = self._prefix()
        for _ in range(MAX_DEPTH):
            token = self._next
            side_by_side = token.kind in _FIRST_OF_FACTOR
            precedence = _PRODUCT if side_by_side else _PRECEDENCE.get(token.kind, -1)
            if precedence < max(minimum, 0):
                break
            if not side_by_side:
                self._take()
            elif token.kind == "number" and isinstance(left, Number):
                hint = r"write `\cdot` between them, or one number"
                raise EquationError.at(left.span.to(token.span), "two numbers side by side", hint=hint)
            right = self._expression(precedence + 1)
            left = _binary(token, side_by_side, left, right)
        else:
            raise too_deep(left.span)
        self._depth -= 1
        return left

    def _prefix(self) -> Expression:
        sign = self._next
        if sign.kind == "-":
            self._take()
            operand = self._expression(NEGATION_PRECEDENCE)
            return Negate(operand, sign.span.to(operand.span))
        if sign.kind == "+":
            self._take()
        return self._factor()

    # Factors

    def _factor(self) -> Expression:
        """An atom with whatever stands above and below it."""
        token = self._next
        match token.kind:
            case "number":
                self._take()
                return self._scripts(Number(float(token.text), token.span))
            case "(" | "[" | r"\{":
                return self._scripts(self._group())
            case "function":
                return self._function()
            case r"\frac":
                self._take()
                numerator, denominator = self._argument(token), self._argument(token)
                span = token.span.to(self._tokens[self._position - 1].span)
                return self._scripts(Binary("/", numerator, denominator, span, token.span))
            case r"\sqrt":
                self._take()
                if self._next.kind == "[":
                    raise EquationError.at(
                        self._next.span, "only square roots are read", hint="write a power instead"
                    )
                operand = self._argument(token)
                span = token.span.to(self._tokens[self._position - 1].span)
                return self._scripts(Call("sqrt", (operand,), span, token.span))
            case r"\overbrace" | r"\underbrace":
                return self._brace()
            case r"\sum":
                return self._sum()
            case "name" | "word" | "accent" | "{":
                return self._name()
        raise self._unexpected(token)

    def _name(self) -> Expression:
        first = self._next
        if (first.kind, first.text) == ("name", "sigma") and self._tokens[self._position + 1].kind == "(":
            return self._call(self._take(), "sigmoid")
        if (
            first.text in _FUNCTION_LETTERS - self._context.defined
            and self._tokens[self._position + 1].kind == "("
        ):
            return self._call(self._take(), first.text)
        if first.kind == "word" and self._tokens[self._position + 1].kind == "(":
            return self._call(self._take(), first.text)
        raw = read_name(self._tokens, self._position)
        if raw is None:
            if first.kind == "{":
                return self._scripts(self._group())
            raise EquationError.at(first.span, "an accent stands over a single name", hint=r"write `\hat{y}`")
        if raw.base == "e" and not raw.has_time and [script.kind for script in raw.scripts] == ["^"]:
            exponent = raw.scripts[0]
            if not exponent.is_transpose:
                self._position = raw.end
                return self._exponential(exponent, raw.span, first)
        resolved = resolve(raw, self._context)
        self._position = raw.end
        value: Expression = resolved.name
        for script in resolved.rest:
            value = self._raised(value, script)
        return self._scripts(value)

    def _exponential(self, script: Script, span: Span, first: Token) -> Expression:
        if self._context.e_is_variable:
            hint = r"write `\exp(…)`, or, for a power of the quantity e, `(e)^{…}`"
            raise EquationError.at(
                span, "`e` is a quantity of this model, so `e^{…}` could be two things", hint=hint
            )
        return self._scripts(Call("exp", (self._inside(script),), span, first.span))

    def _scripts(self, value: Expression) -> Expression:
        """`value` with the scripts that follow it: transposes and powers."""
        while self._next.kind in ("_", "^", "'"):
            if self._next.kind == "'":
                raise self._unexpected(self._next)
            script, self._position = read_script(self._tokens, self._position)
            if script.kind == "_":
                index = self._context.sum_index
                if index is None or [token.text for token in script.inner] != [index]:
                    hint = "equations are read for whole vectors and matrices, not for their elements"
                    raise EquationError.at(
                        script.span, "an index on an expression is not understood", hint=hint
                    )
                continue
            value = self._raised(value, script)
        return value

    def _raised(self, value: Expression, script: Script) -> Expression:
        span = value.span.to(script.span)
        if script.is_transpose:
            return Transpose(value, span)
        if script.tokens[0].kind in ("'", "*"):
            raise self._unexpected(script.tokens[0])
        return Binary("**", value, self._inside(script), span, script.span)

    def _inside(self, script: Script) -> Expression:
        end = Token("end", "", script.span.source.span(script.span.end, script.span.end))
        inner = ExpressionParser([*script.tokens, end], self._context)
        inner._depth = self._depth
        return inner.parse()

    # Brackets

    def _group(self) -> Expression:
        r"""What is in ( ), { }, \{ \} or [ ]; in the last, with commas or semicolons, a concatenation."""
        items, span = self._bracketed()
        if len(items) == 1:
            return items[0]
        if self._tokens[self._position - 1].kind != "]":
            raise EquationError.at(
                span, "these brackets hold one expression", hint="to concatenate, write `[a; b]`"
            )
        return Concatenation(tuple(items), span)

    def _bracketed(self) -> tuple[list[Expression], Span]:
        opening = self._take()
        items = []
        while True:
            if self._next.kind == "end":
                raise unclosed(opening)
            items.append(self._expression(0))
            token = self._take()
            if token.kind == CLOSING[opening.kind]:
                return items, opening.span.to(token.span)
            # A second equals sign is that of the next equation, which begins before the bracket is closed.
            if token.kind in ("end", "="):
                raise unclosed(opening)
            if token.kind not in (",", ";"):
                raise self._unexpected(token)

    def _argument(self, command: Token) -> Expression:
        """What a command such as \\frac applies to: a group, or a single letter or digit."""
        token = self._next
        if token.kind == "name":
            self._take()
            return resolve(RawName(token.text, (), token.span, self._position), self._context).name
        if token.kind == "number" and len(token.text) == 1:
            return Number(float(self._take().text), token.span)
        if token.kind != "{":
            raise EquationError.at(
                command.span, f"`{command.text}` lacks an argument", hint="write it in braces"
            )
        items, span = self._bracketed()
        if len(items) != 1:
            raise EquationError.at(
                span, "these braces hold one expression", hint="to concatenate, write `[a; b]`"
            )
        return items[0]

    def _brace(self) -> Expression:
        r"""`\overbrace{value}^{g_t}`: the value or, where the note names a quantity of this step, that one.

        It is then defined before the equation, so that it can be spoken of.
        """
        command = self._take()
        value = self._argument(command)
        note: Script | None = None
        while self._next.kind in ("_", "^"):
            note, self._position = read_script(self._tokens, self._position)
        if note is not None:
            inside = [*note.tokens, Token("end", "", note.span)]
            raw = read_name(inside, 0)
            if raw is not None and raw.has_time and raw.end == len(inside) - 1:
                name = resolve(raw, self._context).name
                if name.lag == 0 and name.id not in self._defined:
                    self.before.append(Equation(name, value, command.span.to(note.span)))
                    return name
        return value

    # Functions

    def _function(self) -> Expression:
        function = self._take()
        powers = []
        while self._next.kind in ("_", "^", "'"):
            if self._next.kind == "'":
                raise self._unexpected(self._next)
            script, self._position = read_script(self._tokens, self._position)
            if script.kind == "_" or script.tokens[0].kind in ("'", "-"):
                what = f"this mark on `{function.text}` is not understood"
                raise EquationError.at(
                    script.span, what, hint="there are the natural logarithm, and positive powers"
                )
            powers.append(script)
        if self._next.kind in ("(", "[", "{", r"\{"):
            value: Expression = self._call(function, function.text)
        elif self._next.kind in _FIRST_OF_FACTOR:
            argument = self._expression(_TIGHTEST)
            if self._next.kind in _FIRST_OF_FACTOR:
                raise EquationError.at(
                    function.span.to(self._next.span),
                    f"where does the argument of `{function.text}` end?",
                    hint=f"write it in brackets: `{function.span.text}(…)`",
                )
            span = function.span.to(argument.span)
            value = Call(canonical_function(function.text), (argument,), span, function.span)
        else:
            hint = f"write `{function.span.text}(…)`"
            raise EquationError.at(function.span, f"`{function.text}` lacks its argument", hint=hint)
        for script in powers:
            value = self._raised(value, script)
        return self._scripts(value) if powers else value

    def _call(self, function: Token, name: str) -> Expression:
        arguments, span = self._bracketed()
        name = canonical_name(canonical_function(name))
        call = Call(name, tuple(arguments), function.span.to(span), function.span)
        return self._scripts(cross_entropy(call) if name in CROSS_ENTROPY else call)

    def _sum(self) -> Expression:
        r"""`\sum_i y_i \log p_i`, the cross-entropy, is the one sum over an index that is read."""
        sign = self._take()
        index = ""
        while self._next.kind in ("_", "^"):
            script, self._position = read_script(self._tokens, self._position)
            if script.kind == "_":
                index = script.tokens[0].text
        outer, self._context.sum_index = self._context.sum_index, index
        self._context.indexed = set()
        try:
            summand = self._expression(BINARY_PRECEDENCE["*"]) if self._next.kind != "end" else None
        finally:
            self._context.sum_index = outer
        value = summed_cross_entropy(summand, sign.span, self._context.indexed) if summand else None
        if value is not None:
            return value
        raise EquationError.at(
            sign.span,
            "this sum over an index is not understood",
            hint=r"write a product, as `W x`; the sum of all elements of v is `\operatorname{sum}(v)`",
        )

    def _unexpected(self, token: Token) -> EquationError:
        if token.kind == "end":
            if self._position == 0:
                return EquationError.at(
                    token.span, "an expression is missing here", hint="write one after the `=`"
                )
            before = self._tokens[self._position - 1].span
            return EquationError.at(before, f"an operand is missing after `{before.text}`", hint="write it")
        hint = _INSTEAD.get(token.kind, "")
        if not hint and token.kind in (")", "]", "}", r"\}"):
            hint = "it closes no bracket that is open here"
        hint = hint or "an expression consists of names, numbers, functions, products and sums"
        return EquationError.at(token.span, f"`{token.span.text}` is not understood here", hint=hint)


def _binary(token: Token, side_by_side: bool, left: Expression, right: Expression) -> Binary:
    span = left.span.to(right.span)
    sign = token.span.source.span(token.span.start, token.span.start) if side_by_side else token.span
    operator = JUXTAPOSED if side_by_side or token.kind == r"\cdot" else token.kind
    if operator == JUXTAPOSED and (isinstance(left, Number) or isinstance(right, Number)):
        operator = "*"
    return Binary(operator, left, right, span, sign)
