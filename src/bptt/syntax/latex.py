"""LaTeX to a document: which parts of the formulas are statements, and what each of them says."""

from __future__ import annotations

from dataclasses import replace

from bptt.errors import EquationError
from bptt.source import Source, Span
from bptt.syntax.latex_expression import ExpressionParser
from bptt.syntax.latex_lexer import segments
from bptt.syntax.latex_names import (
    Context,
    RawName,
    check_braces,
    matching,
    observe,
    read_name,
    read_script,
    resolve,
)
from bptt.syntax.latex_parts import Part, is_inline, split, tokens_of
from bptt.syntax.lexer import Token
from bptt.syntax.spelling import canonical_name
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

_DERIVATIVES = (r"\partial", r"\nabla")
_ORDERS = {r"\le", r"\leq", r"\ge", r"\geq", "<", ">"}
_COMPARISONS = _ORDERS | {r"\approx", r"\propto", r"\neq", r"\ll", r"\to"}
_FORMS = (
    r"an equation is `name = expression`; a shape is `W \in \mathbb{R}^{m \times n}`, "
    r"an output `x_{t+1} \sim p`"
)


def parse_latex(source: Source) -> Document:
    """The document of a text in LaTeX: of its formulas or, where it has no delimiters, of all of it.

    What is passed over (derivatives, sets, second right sides) is named in the document's remarks. Raises
    EquationError at the first formula that ought to be an equation of the model and cannot be read.
    """
    found = segments(source)
    whole = source.span(0, len(source.text))
    context = Context()
    parts: list[Part] = []
    for segment in found or [whole]:
        tokens = tokens_of(segment, bare=not found)
        check_braces(tokens)
        parts += split(tokens, context, inline=bool(found) and is_inline(segment), bare=not found)
    for part in parts:
        observe(part.tokens, context)
    reader = _Reader(parts, context)
    reader.read()
    if not reader.statements:
        raise EquationError.at(source.span(0, 0), "there are no equations here", hint=_FORMS)
    return Document(tuple(reader.statements), source, tuple(reader.remarks()))


class _Reader:
    def __init__(self, parts: list[Part], context: Context) -> None:
        self._parts = parts
        self._context = context
        self.statements: list[Statement] = []
        self._remarks: list[str] = []
        self._derivatives: list[int] = []  # lines
        self._mentioned: list[Part] = []  # names in a row, of which a shape may follow
        self._defined = frozenset(filter(None, map(self._target, parts)))
        context.defined = self._defined
        self._has_derivatives = any(_mentions(part.tokens, *_DERIVATIVES) for part in parts)

    def _target(self, part: Part) -> str | None:
        """The name that a part defines, as far as that can be told without reading it."""
        try:
            raw = read_name(part.tokens, 0)
            if raw is not None and part.tokens[raw.end].kind == "=":
                return resolve(raw, self._context, on_left=True).name.id
        except EquationError:  # raised again when the part is read
            pass
        return None

    def remarks(self) -> list[str]:
        remarks = list(self._remarks)
        if self._derivatives:
            lines = ", ".join(str(line) for line in sorted(set(self._derivatives))[:12])
            remarks.append(f"derivatives are worked out, not read: passed over in line {lines}")
        if self._context.step_used and self._context.last_step is not None:
            last = self._context.last_step.text
            remarks.append(
                f"the steps end at {last}: what has the index {last} is read as of time t, "
                "so every position of a text is in turn the last step"
            )
        return remarks

    def read(self) -> None:
        passed_over = False  # whether lines that only go on, `= …`, belong to something passed over
        for part in self._parts:
            if part.tokens[0].kind == "=":
                if not self.statements and not passed_over:
                    raise EquationError.at(part.span, "nothing stands to the left of `=`", hint=_FORMS)
                if not passed_over:
                    self._remark(part.span, "a further right side is not read")
                continue
            passed_over = not self._statement(part)
        self._check_mentioned()

    def _statement(self, part: Part) -> bool:
        """Read one part; False if it is a derivative, or a definition, that is passed over."""
        tokens = part.tokens
        first = tokens[0]
        if _mentions(tokens, *_DERIVATIVES) or (
            self._has_derivatives and (first.kind, first.text) == ("name", "delta")
        ):
            self._derivatives.append(part.span.line)
            return False
        if [token.text for token in tokens[:-1]] == ["t"]:
            return True  # \text{for all } t
        relations = _relations(tokens)
        raw = read_name(tokens, 0)
        if not relations and raw is not None and tokens[raw.end].kind == "end":
            self._mentioned.append(part)
            return True
        relation = tokens[relations[0]].kind if relations else ""
        if relation == r"\in":
            self._shape(part, relations[0])
            return True
        self._check_mentioned()
        if relation == r"\sim":
            self._sample(part, relations[0])
        elif first.text in ("p", "P", r"\Pr") and tokens[1].kind == "(" and _conditional(tokens):
            self._probability(part)
        elif first.text in ("size", r"\dim") and tokens[1].kind in ("(", "name", "accent"):
            self._size(part)
        elif first.text in ("CE", "SCE") and tokens[1].kind == "(" and relations:
            self._remark(part.span, "the definition of the cross-entropy is known, and not read")
            return False
        elif not relations:
            self._no_equation(part)
        else:
            self._equation(part)
        return True

    def _remark(self, span: Span, sentence: str) -> None:
        self._remarks.append(f"line {span.line}: {sentence}")

    # What is no equation

    def _no_equation(self, part: Part) -> None:
        tokens = part.tokens
        if _mentions(tokens, "="):
            ExpressionParser(tokens, self._context).parse()  # finds the bracket that holds the `=`
        is_number = tokens[0].kind == "number" and tokens[1].kind == "end"
        if part.inline or is_number:
            return
        comparison = next((token for token in tokens if token.kind in _COMPARISONS), None)
        if comparison is not None:
            if comparison.kind in _ORDERS and _mentions_time(tokens):
                return  # 1 \le t \le T
            raise EquationError.at(
                comparison.span, f"`{comparison.span.text}` makes no equation", hint=_FORMS
            )
        raise EquationError.at(part.span, "this is no equation: it has no `=`", hint=_FORMS)

    def _check_mentioned(self) -> None:
        """Names by themselves are nothing to be read in prose, and a mistake in a text of formulas alone."""
        for part in self._mentioned:
            if part.bare:
                raise EquationError.at(part.span, "this is no equation: it has no `=`", hint=_FORMS)
        self._mentioned.clear()

    def _shape(self, part: Part, place: int) -> None:
        targets, self._mentioned = [*self._mentioned, part], []
        if part.tokens[0].text == "t" and place == 1:
            return  # t \in \{1, …, T\}
        dimensions = self._real_dimensions(part.tokens, place + 1)
        if dimensions is None:
            self._remark(part.span, f"the set in `{part.span.text}` is not read")
            return
        for target in targets:
            raw = read_name(target.tokens, 0)
            if raw is None or target.tokens[raw.end].kind not in ("end", r"\in"):
                raise EquationError.at(target.span, "a shape is stated of a name", hint=_FORMS)
            name = resolve(raw, self._context).name
            # A shape is that of every step: h_{t-1} has the shape of h.
            name = Name(name.id, span=name.span)
            self.statements.append(ShapeStatement(name, dimensions, target.span.to(part.span)))

    def _real_dimensions(self, tokens: list[Token], place: int) -> tuple[Name | Number, ...] | None:
        r"""The dimensions of the set at `place`, \mathbb{R}^{m \times n}; None if it is another set."""
        if tokens[place].kind != "reals":
            return None
        if tokens[place + 1].kind == "end":
            return ()
        if tokens[place + 1].kind != "^":
            return None
        script, end = read_script(tokens, place + 1)
        dimensions: list[Name | Number | None] = []
        piece: list[Token] = []
        for token in [*script.tokens, Token(",", ",", script.span)]:
            if token.kind in (r"\times", ","):
                dimensions.append(self._dimension(piece))
                piece = []
            elif token.kind != "|":
                piece.append(token)
        known = tuple(dimension for dimension in dimensions if dimension is not None)
        return known if len(known) == len(dimensions) and tokens[end].kind == "end" else None

    def _dimension(self, piece: list[Token]) -> Name | Number | None:
        if [token.kind for token in piece] == ["number"]:
            is_size = piece[0].text.isdecimal() and int(piece[0].text[:12]) > 0
            return Number(float(piece[0].text), piece[0].span) if is_size else None
        tokens = [*piece, _end(piece[-1].span)] if piece else []
        raw = read_name(tokens, 0) if tokens else None
        if raw is None or tokens[raw.end].kind != "end" or raw.has_time:
            return None
        resolved = resolve(raw, self._context)
        return None if resolved.rest else resolved.name

    def _size(self, part: Part) -> None:
        r"""`\text{size}(x) = \text{size}(y) = N`."""
        sides = _sides(part.tokens)
        value = [token for token in sides[-1][:-1] if token.kind != "|"]
        dimension = self._dimension(value)
        if dimension is None or len(sides) < 2:
            raise EquationError.at(
                part.span, "this size is not understood", hint=r"write `\text{size}(h) = 128`"
            )
        for side in sides[:-1]:
            inside = [token for token in side[1:] if token.kind not in ("(", ")")]
            raw = read_name(inside, 0)
            if side[0].text not in ("size", r"\dim") or raw is None or inside[raw.end].kind != "end":
                raise EquationError.at(
                    part.span, "this size is not understood", hint=r"write `\text{size}(h) = 128`"
                )
            name = resolve(raw, self._context).name
            if isinstance(dimension, Number):
                self.statements.append(SizeStatement(name, int(dimension.value), part.span))
            else:
                self.statements.append(ShapeStatement(name, (dimension,), part.span))

    def _sample(self, part: Part, place: int) -> None:
        r"""`x_{t+1} \sim p`, or with the number of the step after the last one."""
        raw = read_name(part.tokens, 0)
        if raw is None or raw.base != "x" or raw.end != place:
            hint = r"write `x_{t+1} \sim p`: the next token is drawn from p"
            raise EquationError.at(part.span, "only the next token is drawn from a distribution", hint=hint)
        self._output(part, part.tokens[place + 1 :])

    def _probability(self, part: Part) -> None:
        r"""`p(x_{t+1} = v_j | x_t, \dots) = \hat{y}_j^{(t)}`."""
        self._output(part, part.tokens[matching(part.tokens, 1) + 2 :], indexed=True)

    def _output(self, part: Part, tokens: list[Token], indexed: bool = False) -> None:
        raw = read_name(tokens, 0)
        if raw is None or tokens[raw.end].kind != "end":
            place = tokens[0].span.to(tokens[-1].span)
            hint = r"give the distribution a name, `p = \text{softmax}(…)`, and write it here"
            raise EquationError.at(
                place, "the distribution of the next token is not a single name", hint=hint
            )
        if indexed:
            raw = self._whole(raw)
        name = resolve(raw, self._context).name
        self.statements.append(OutputStatement(name, part.span))

    def _whole(self, raw: RawName) -> RawName:
        r"""\\hat{y} of its j-th element \\hat{y}_j, unless the model has a quantity of that very name."""
        name = canonical_name("_".join([raw.base, *(script.label() or "" for script in raw.scripts)]))
        scripts = tuple(script for script in raw.scripts if not (script.kind == "_" and script.is_letter))
        return raw if name in self._defined else replace(raw, scripts=scripts)

    # Equations

    def _equation(self, part: Part) -> None:
        left, right, *more = _sides(part.tokens)
        if right[0].kind == "string" and right[1].kind == "end":
            self._remark(part.span, f"`{part.span.text}` is an example, and not read")
            return
        target, is_initial = self._left_side(left)
        parser = ExpressionParser(right, self._context, self._defined)
        value = parser.parse()
        if more:
            self._remark(part.span, f"of several right sides of `{target.id}`, the first is read")
        self.statements += parser.before
        span = part.span
        self.statements.append(
            InitialState(target, value, span) if is_initial else Equation(target, value, span)
        )

    def _left_side(self, tokens: list[Token]) -> tuple[Name, bool]:
        raw = read_name(tokens, 0)
        place = tokens[0].span.to(tokens[-2].span) if len(tokens) > 1 else tokens[0].span
        refusal = EquationError.at(place, "the left side of an equation is a single name", hint=_FORMS)
        if raw is None:
            raise refusal
        # J(\theta) is J.
        is_objective = raw.base == "J" and tokens[raw.end].kind == "("
        end = matching(tokens, raw.end) + 1 if is_objective else raw.end
        resolved = resolve(raw, self._context, on_left=True)
        if tokens[end].kind != "end" or resolved.rest:
            raise refusal
        return resolved.name, resolved.is_initial


def _end(span: Span) -> Token:
    return Token("end", "", span.source.span(span.end, span.end))


def _mentions(tokens: list[Token], *kinds: str) -> bool:
    return any(token.kind in kinds for token in tokens) or (
        r"\partial" in kinds and _quotient_of_differentials(tokens)
    )


def _mentions_time(tokens: list[Token]) -> bool:
    return any((token.kind, token.text) == ("name", "t") for token in tokens)


def _quotient_of_differentials(tokens: list[Token]) -> bool:
    r"""Whether there is a \frac{dJ}{dW} or \frac{\delta J}{\delta W}."""
    heads = [(token.kind, token.text) for token in tokens]
    return any(
        heads[place : place + 2] == [(r"\frac", r"\frac"), ("{", "{")]
        and heads[place + 2] in (("name", "d"), ("name", "delta"), ("word", "d"))
        and heads[place + 3][0] in ("name", "word", "}")
        for place in range(len(tokens) - 3)
    )


def _conditional(tokens: list[Token]) -> bool:
    """Whether the bracket at index 1 holds an event, and the equation says its probability."""
    end = matching(tokens, 1)
    return any(token.kind in ("|", "=") for token in tokens[2:end]) and tokens[end + 1].kind == "="


def _relations(tokens: list[Token]) -> list[int]:
    """The indices of =, \\in and \\sim outside brackets."""
    places, depth = [], 0
    for place, token in enumerate(tokens):
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(token.kind, 0)
        if token.kind in ("=", r"\in", r"\sim") and depth <= 0:
            places.append(place)
    return places


def _sides(tokens: list[Token]) -> list[list[Token]]:
    """The tokens between the `=` outside brackets, each list with its own end."""
    sides, start = [], 0
    for place in _relations(tokens):
        if tokens[place].kind == "=":
            before = tokens[place].span.start
            end = Token("end", "", tokens[place].span.source.span(before, before))
            sides.append([*tokens[start:place], end])
            start = place + 1
    return [*sides, tokens[start:]]
