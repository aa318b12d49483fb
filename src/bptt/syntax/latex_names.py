"""Names in LaTeX: which of the marks above and below a letter are times, labels, transposes or powers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from bptt.errors import EquationError
from bptt.source import Span
from bptt.syntax.lexer import Token
from bptt.syntax.nesting import MAX_DEPTH, too_deep
from bptt.syntax.spelling import GREEK_NAMES, RESERVED_NAMES, canonical_name
from bptt.syntax.tree import Name

CLOSING = {"(": ")", "[": "]", "{": "}", r"\{": r"\}", "⟨": "⟩", "<": ">"}
# Italic letters that, below a quantity that is defined without them, count its elements.
INDICES = frozenset("cijklmn")
_LONGEST_BARE_INDEX = 20
_OBSERVED_SCRIPTS = 3
_LABEL_KINDS = ("name", "word", "function", "number")


@dataclass(frozen=True)
class Script:
    """What stands in a subscript (`kind` "_") or superscript ("^")."""

    kind: str
    tokens: tuple[Token, ...]
    span: Span

    @property
    def inner(self) -> tuple[Token, ...]:
        """The tokens without the brackets around all of them."""
        first, last = (self.tokens[0].kind, self.tokens[-1].kind) if len(self.tokens) > 2 else ("", "")
        return self.tokens[1:-1] if first in "([⟨<" and CLOSING.get(first) == last else self.tokens

    @property
    def bracketed(self) -> bool:
        return len(self.inner) < len(self.tokens)

    @property
    def number(self) -> int | None:
        inner = self.inner
        is_number = len(inner) == 1 and inner[0].kind == "number" and inner[0].text.isdecimal()
        return int(inner[0].text) if is_number and len(inner[0].text) < 7 else None

    @property
    def is_letter(self) -> bool:
        """Whether it is a single letter in italics, which may count elements, other than the time."""
        return len(self.inner) == 1 and self.inner[0].kind == "name" and self.time() is None

    @property
    def is_transpose(self) -> bool:
        return len(self.tokens) == 1 and _is_top(self.tokens[0])

    def time(self) -> int | None:
        """The lag, where the script is a time: 0 for t, 1 for t-1. Without brackets, too."""
        match [(token.kind, token.text) for token in self.inner]:
            case [("name", "t")]:
                return 0
            case [("name", "t"), (("+" | "-") as sign, _), ("number", digits)] if (
                digits.isdecimal() and len(digits) < 7
            ):
                return int(digits) if sign == "-" else -int(digits)
        return None

    def label(self) -> str | None:
        """The letters and digits of the script, where it holds nothing else."""
        if all(token.kind in _LABEL_KINDS for token in self.inner):
            return "".join(token.text for token in self.inner).replace(".", "")
        return None


@dataclass(frozen=True)
class RawName:
    """A letter or word with its scripts, not yet interpreted; `end` is the index of the token behind it."""

    base: str
    scripts: tuple[Script, ...]
    span: Span
    end: int

    @property
    def has_time(self) -> bool:
        return any(script.time() is not None for script in self.scripts)


@dataclass
class Context:
    """What the whole text says about how its names are to be read."""

    timed_below: set[str] = field(default_factory=set)  # names seen as h_t
    timed: set[str] = field(default_factory=set)  # names seen with any time
    layered: set[str] = field(default_factory=set)  # names seen as h^{(2)}, so that (n) counts layers
    defined: frozenset[str] = frozenset()  # the names on left sides
    last_step: Token | None = None  # the 3 of `for t = 1, 2, 3`
    e_is_variable: bool = False
    step_used: bool = False
    sum_index: str | None = None
    indexed: set[str] = field(default_factory=set)  # names that had the sum's index


@dataclass(frozen=True)
class ResolvedName:
    """A name, and the scripts on it that are no part of it: transposes and powers, in order."""

    name: Name
    is_initial: bool
    rest: tuple[Script, ...]


def is_capital(base: str) -> bool:
    """Whether a letter above is a label, as on matrices and Greek parameters, and not a power."""
    return base[0].isupper() or base in GREEK_NAMES or len(base) > 1


def read_script(tokens: list[Token], position: int) -> tuple[Script, int]:
    """The script at `position` (of a `_` or `^`), and the index behind it."""
    mark, first = tokens[position], tokens[position + 1]
    if first.kind == "end":
        raise EquationError.at(
            mark.span, f"nothing follows this `{mark.text}`", hint="write the index in braces"
        )
    if first.kind in ("{", "("):
        # `h^(t)` is meant as `h^{(t)}`, though TeX would raise the bracket only.
        end = matching(tokens, position + 1, within=None if first.kind == "{" else _LONGEST_BARE_INDEX)
        inside = tokens[position + 2 : end] if first.kind == "{" else tokens[position + 1 : end + 1]
        span = mark.span.to(tokens[end].span)
        if not inside:
            raise EquationError.at(
                span, "this index is empty", hint="write what belongs there, or leave it out"
            )
        return Script(mark.kind, tuple(inside), span), end + 1
    return Script(mark.kind, (first,), mark.span.to(first.span)), position + 2


def matching(tokens: list[Token], opening: int, within: int | None = None) -> int:
    """The index of the bracket that closes the one at `opening`, looked for `within` so many tokens."""
    kind, depth = tokens[opening].kind, 0
    for index in range(opening, min(len(tokens), opening + (within or len(tokens)))):
        if tokens[index].kind == kind:
            depth += 1
        elif tokens[index].kind == CLOSING[kind]:
            depth -= 1
            if depth == 0:
                return index
    raise unclosed(tokens[opening])


def check_braces(tokens: list[Token]) -> None:
    """Refuse braces that are not in pairs, or nested too deeply."""
    open_braces: list[Token] = []
    for token in tokens:
        if token.kind == "{":
            open_braces.append(token)
            if len(open_braces) > MAX_DEPTH:
                raise too_deep(token.span)
        elif token.kind == "}":
            if not open_braces:
                raise EquationError.at(token.span, "this `}` closes no brace", hint="take it away")
            open_braces.pop()
    if open_braces:
        raise unclosed(open_braces[-1])


def unclosed(opening: Token) -> EquationError:
    hint = f"add `{CLOSING[opening.kind]}` where it ends"
    return EquationError.at(opening.span, "this bracket is never closed", hint=hint)


def read_name(tokens: list[Token], position: int) -> RawName | None:
    """The name that begins at `position`, if one does, with all its scripts."""
    first = tokens[position]
    inner: tuple[Script, ...] = ()
    if first.kind in ("name", "word"):
        base, end, span = first.text, position + 1, first.span
    elif first.kind == "accent" and tokens[position + 1].kind != "end":
        end = position + 2
        if tokens[position + 1].kind == "{":
            end = matching(tokens, position + 1) + 1
            content = [*tokens[position + 2 : end - 1], _end_before(tokens[end - 1])]
        else:
            content = [tokens[position + 1], _end_before(tokens[position + 1])]
        marked = read_name(content, 0)
        if marked is None or marked.end != len(content) - 1:
            return None
        base, inner, span = marked.base + first.text, marked.scripts, first.span.to(tokens[end - 1].span)
    elif first.kind == "{" and [token.kind for token in tokens[position + 1 : position + 3]] in _LONE_NAMES:
        base, end = tokens[position + 1].text, position + 3
        span = first.span.to(tokens[position + 2].span)
    else:
        return None
    scripts = list(inner)
    while tokens[end].kind in ("_", "^"):
        script, end = read_script(tokens, end)
        scripts += _without_transpose(script, is_capital(base))
        span = span.to(script.span)
    return RawName(base, tuple(scripts), span, end)


def _without_transpose(script: Script, capital: bool) -> list[Script]:
    """^{(t)T}, ^{(t),T} and ^{r,T} as the two scripts that they are."""
    tokens = script.tokens
    if script.kind == "^" and len(tokens) > 1 and _is_top(tokens[-1]) and not script.bracketed:
        before = Script("^", tokens[:-2] if tokens[-2].kind == "," else tokens[:-1], script.span)
        if before.tokens and (before.time() is not None or (before.label() and capital)):
            return [before, Script("^", tokens[-1:], script.span)]
    return [script]


_LONE_NAMES = (["name", "}"], ["word", "}"])


def _end_before(token: Token) -> Token:
    return Token("end", "", token.span.source.span(token.span.start, token.span.start))


def observe(tokens: list[Token], context: Context) -> None:
    """Add to `context` what one formula, and the powers in it, say about names."""
    level = [tokens]
    for _ in range(_OBSERVED_SCRIPTS):
        level = [[*script.tokens, tokens[-1]] for formula in level for script in _observe(formula, context)]


def _observe(tokens: list[Token], context: Context) -> list[Script]:
    """Observe the names of a formula; the superscripts that may be powers."""
    powers: list[Script] = []
    position = 0
    while position < len(tokens) - 1:
        try:
            raw = read_name(tokens, position)
        except EquationError:  # of no interest here: whoever parses this place will raise it
            raw = None
        if raw is None:
            position += 1
            continue
        position = raw.end
        labels = [
            script.label() or "" for script in raw.scripts if script.kind == "_" and script.time() is None
        ]
        name = canonical_name("_".join([raw.base, *filter(None, labels)]))
        above = [script for script in raw.scripts if script.kind == "^"]
        powers += [script for script in above if script.time() is None and script.label() is None]
        if raw.has_time:
            context.timed.add(name)
            if any(script.kind == "_" and script.time() is not None for script in raw.scripts):
                context.timed_below.add(name)
        elif any(script.bracketed and (script.number or 0) > 0 for script in above):
            context.layered.add(name)
        if raw.base == "e" and (raw.has_time or not above):
            context.e_is_variable = True
    return powers


def resolve(raw: RawName, context: Context, on_left: bool = False) -> ResolvedName:
    """What a name and its scripts say; EquationError where a script says nothing that is understood."""
    lags: list[int] = []
    labels: list[str] = []
    rest: list[Script] = []
    initial = False
    for script in raw.scripts:
        time = script.time()
        if time is not None:
            lags.append(time)
        elif _is_initial(raw, script, context) and on_left:
            initial = True
        elif (step := _fixed_step(raw, script, context)) is not None:
            lags.append(step)
        elif script.kind == "_":
            labels += _subscript(raw, script, context, lags)
        elif (left := _superscript(raw, script, labels)) is not None:
            rest.append(left)
    if len(lags) > 1:
        raise EquationError.at(
            raw.span, "this name has two times", hint="write one: `h_{t-1}` or `h^{(t-1)}`"
        )
    name = canonical_name("_".join([raw.base, *labels]))
    if name in RESERVED_NAMES:
        hint = "choose another letter" if name == "t" else f"write its argument in brackets, `{name}(…)`"
        what = "the time step" if name == "t" else "a function"
        raise EquationError.at(raw.span, f"`{name}` is {what}, not a quantity", hint=hint)
    return ResolvedName(Name(name, lags[0] if lags else 0, span=raw.span), initial, tuple(rest))


def _is_initial(raw: RawName, script: Script, context: Context) -> bool:
    """Whether it is the 0 of an initial state: h_0 beside h_t, or h^{(0)} unless (n) counts layers."""
    if script.number != 0 or raw.has_time:
        return False
    others = [other.label() or "" for other in raw.scripts if other is not script and other.kind == "_"]
    name = canonical_name("_".join([raw.base, *others]))
    if script.kind == "_":
        return name in context.timed
    return script.bracketed and (name in context.timed or name not in context.layered)


def _fixed_step(raw: RawName, script: Script, context: Context) -> int | None:
    """The lag of a numbered step, such as the last of `for t = 1, 2, 3`; None where the number is a label."""
    if raw.has_time:
        return None
    below = script.kind == "_" and raw.base in context.timed_below
    above = script.kind == "^" and script.bracketed and raw.base in context.timed
    last = context.last_step
    if last is not None and (below or above):
        if script.number is not None and last.kind == "number" and script.number > 0:
            context.step_used = True
            return int(last.text) - script.number
        if last.kind == "name" and [token.text for token in script.inner] == [last.text]:
            context.step_used = True
            return 0
    if script.number == 0 and (below or (script.kind == "^" and _is_initial(raw, script, context))):
        raise EquationError.at(
            raw.span,
            f"`{raw.span.text}` stands only on the left side, to give the initial state",
            hint="write the equation for every t; at the first step, t-1 is the initial state",
        )
    if script.number is not None and (below or (above and raw.base not in context.layered)):
        raise EquationError.at(
            script.span,
            f"`{raw.base}` has the time as its index, and this is one fixed step",
            hint="say how far the steps go, `for t = 1, 2, 3`; the last of them is then read as time t",
        )
    return None


def _subscript(raw: RawName, script: Script, context: Context, lags: list[int]) -> Iterable[str]:
    """The labels of a subscript that is no time of its own; a time beside a number goes to `lags`."""
    inner = script.inner
    if context.sum_index is not None and [token.text for token in inner] == [context.sum_index]:
        context.indexed.add(raw.base)
        return []
    label = script.label()
    is_element = (
        script.is_letter
        and label in INDICES
        and raw.base[0].islower()
        and (raw.base in context.defined or raw.base in ("x", "y", "yhat"))
        and canonical_name(f"{raw.base}_{label}") not in context.defined
    )
    if label and not is_element:
        return [label]
    comma = next((place for place, token in enumerate(inner) if token.kind == ","), None)
    if comma is not None and comma > 0:
        left, right = (
            Script("_", part, script.span) for part in (inner[:comma], inner[comma + 1 :] or inner[:1])
        )
        for number, time in ((left, right), (right, left)):
            lag = time.time()
            if number.number is not None and lag is not None:
                lags.append(lag)
                return [str(number.number)]
    hint = "an index is a time (`h_t`, `h_{t-1}`) or a label (`W_e`, `b_1`)"
    if comma is not None or is_element:
        hint = "equations are read for whole vectors and matrices, not for their elements"
    raise EquationError.at(script.span, "this index is not understood", hint=hint)


def _superscript(raw: RawName, script: Script, labels: list[str]) -> Script | None:
    """Take a superscript that belongs to the name; what is left of it is a transpose or a power."""
    tokens, label = script.tokens, script.label()
    if script.is_transpose:
        return script
    if tokens[0].kind in ("'", "*"):
        raise EquationError.at(
            script.span,
            "a mark like this is no part of a name",
            hint="give the quantity another name; derivatives are worked out, not written",
        )
    if is_capital(raw.base) and tokens[0].kind == "-":
        hint = "for the power of every element, put brackets around the base"
        raise EquationError.at(script.span, "the language has no inverse of a matrix", hint=hint)
    number_only = all(token.kind == "number" for token in tokens)
    if label and (script.bracketed or (is_capital(raw.base) and not number_only)):
        labels.append(label)
        return None
    return script


def _is_top(token: Token) -> bool:
    return token.kind == r"\top" or (token.kind in ("name", "word") and token.text == "T")
