"""An author's own commands: \\newcommand, \\def and \\DeclareMathOperator found and expanded.

Expansion is of tokens, as in TeX; every token of a command's body has the place of its use, so that whatever
is said of a formula points into the formula and not at the definition.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from bptt.checking.lexer import Token, tokenize
from bptt.checking.written import Unread
from bptt.source import Source, Span

MAX_MACROS = 500
MAX_BODY = 2000  # characters
MAX_WORK = 20_000  # tokens that the commands of one formula may stand for
MAX_ALL_WORK = 40_000  # and those of all formulas

_DEFINING = re.compile(
    r"\\(?:(?P<new>(?:re)?newcommand|providecommand|DeclareRobustCommand)|(?P<operator>DeclareMathOperator)"
    r"|(?P<def>[gex]?def))\*?(?![A-Za-z])\s*\{?\s*(?P<name>\\(?:[A-Za-z]+|.))\s*\}?"
)
_COUNT = re.compile(r"\s*\[\s*([0-9])\s*\]")
_DEFAULT = re.compile(r"\s*\[([^\[\]{}]{0,100})\]")
_PARAMETERS = re.compile(r"\s*((?:#[0-9])*)\s*")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_COMMENT_BEFORE = re.compile(r"(?<!\\)%")


@dataclass(frozen=True)
class Macro:
    """`arguments` groups are put for #1, #2, … of `body`; `default` is the first one where it is left out."""

    name: str
    arguments: int
    body: tuple[Token, ...]
    default: tuple[Token, ...] | None = None


@dataclass
class Macros:
    """The commands that a document defines; `places` are its definitions, from start to end."""

    table: dict[str, Macro] = field(default_factory=dict)
    places: dict[int, int] = field(default_factory=dict)
    work_left: int = MAX_ALL_WORK

    def expand(self, tokens: list[Token]) -> tuple[list[Token], list[Unread]]:
        """The tokens without the document's own commands, and what could not be expanded."""
        if not self.table or not any(token.text in self.table for token in tokens):
            return tokens, []
        done, unread, work = _expand(tokens, self.table, min(MAX_WORK, self.work_left))
        self.work_left -= work
        return done, unread


def find_macros(source: Source) -> Macros:
    """All definitions in the text; where a command is defined twice, the last one counts."""
    macros, text, position = Macros(), source.text, 0
    for _ in range(MAX_MACROS):
        match = _DEFINING.search(text, position)
        if match is None:
            break
        position = match.end()
        line = text.rfind("\n", 0, match.start()) + 1
        if _COMMENT_BEFORE.search(text, max(line, match.start() - 500), match.start()):
            continue
        arguments, default, after = 0, None, match.end()
        if match["def"]:
            parameters = _PARAMETERS.match(text, after)
            assert parameters is not None, "the pattern matches the empty text"
            arguments, after = len(parameters[1]) // 2, parameters.end()
        elif match["new"] and (count := _COUNT.match(text, after)):
            arguments, after = int(count[1]), count.end()
            if given := _DEFAULT.match(text, after):
                default, after = tuple(tokenize(source, given.start(1), given.end(1))), given.end()
        body = _group(text, after)
        if body is None:
            continue
        start, end = body
        tokens = tokenize(source, start, end)
        if match["operator"]:
            place = source.span(start, end)
            tokens = [
                Token("command", r"\operatorname", place),
                Token("symbol", "{", place),
                *tokens,
                Token("symbol", "}", place),
            ]
        name = match["name"]
        macros.table[name] = Macro(name, arguments, tuple(tokens), default)
        macros.places[match.start()] = position = end + 1
    return macros


def _group(text: str, position: int) -> tuple[int, int] | None:
    """Start and end of what stands in the braces that begin at `position`, after spaces."""
    while position < len(text) and text[position].isspace():
        position += 1
    if not text.startswith("{", position):
        return None
    depth = 0
    for brace in _BRACE.finditer(text, position, position + MAX_BODY):
        depth += {"{": 1, "}": -1}.get(brace.group(), 0)
        if depth == 0:
            return position + 1, brace.start()
    return None


def _expand(
    tokens: list[Token], table: dict[str, Macro], allowed: int
) -> tuple[list[Token], list[Unread], int]:
    """The tokens expanded, what was refused, and how much work it was; at most `allowed`."""
    done: list[Token] = []
    unread: list[Unread] = []
    # What is still to be read, the next at the end, each with the commands it came from.
    ahead: list[tuple[Token, frozenset[str]]] = [(token, frozenset()) for token in reversed(tokens)]
    work = 0
    while ahead:
        token, origin = ahead.pop()
        macro = table.get(token.text) if token.kind == "command" else None
        if macro is None:
            done.append(token)
            continue
        if macro.name in origin or work >= allowed:
            reason = "this command is defined by itself" if work < allowed else "this expands to too much"
            unread.append(Unread(token.span.text[:80], reason, token.span))
            done.append(Token("unread", reason, token.span, token.spaced))
            if work >= allowed:
                return done, unread, work
            continue
        arguments, span = [], token.span
        for number in range(macro.arguments):
            if number == 0 and macro.default is not None:
                bracketed = _bracketed(ahead)
                arguments.append(bracketed if bracketed is not None else [(t, origin) for t in macro.default])
                continue
            argument, last = _argument(ahead)
            span = span.to(last.span) if last else span
            arguments.append(argument)
        for argument in arguments:
            for inner, _ in argument:
                span = span.to(inner.span) if inner.span.start >= token.span.start else span
        body: list[tuple[Token, frozenset[str]]] = []
        within = origin | {macro.name}
        position = 0
        while position < len(macro.body):
            part = macro.body[position]
            following = macro.body[position + 1] if position + 1 < len(macro.body) else None
            if part.text == "#" and following is not None and following.kind == "number":
                # `#1` may stand right before a digit of the body.
                place = int(following.text[0]) - 1
                body += arguments[place] if 0 <= place < len(arguments) else []
                if len(following.text) > 1:
                    body.append((replace(following, text=following.text[1:], span=span), within))
                position += 2
            else:
                body.append((replace(part, span=span), within))
                position += 1
            if len(body) > allowed:
                break
        work += len(body) + 1
        ahead += reversed(body)
    return done, unread, work


def _argument(
    ahead: list[tuple[Token, frozenset[str]]],
) -> tuple[list[tuple[Token, frozenset[str]]], Token | None]:
    """Take one argument: a group without its braces, or one token; and the last token of it."""
    if not ahead:
        return [], None
    first = ahead.pop()
    if first[0].text != "{" or first[0].kind != "symbol":
        if first[0].kind in ("letters", "number") and len(first[0].text) > 1:
            first, rest = _split(first)
            ahead.append(rest)
        return [first], first[0]
    taken: list[tuple[Token, frozenset[str]]] = []
    depth = 1
    while ahead:
        part = ahead.pop()
        if part[0].kind == "symbol":
            depth += {"{": 1, "}": -1}.get(part[0].text, 0)
        if depth == 0:
            return taken, part[0]
        taken.append(part)
    return taken, taken[-1][0] if taken else None


def _split(part: tuple[Token, frozenset[str]]) -> tuple[tuple[Token, frozenset[str]], ...]:
    """The first letter or digit of a token, and the rest of it."""
    token, origin = part
    span, text = token.span, token.text
    in_text = span.end - span.start == len(text)
    first = Span(span.start, span.start + 1, span.source) if in_text else span
    rest = Span(span.start + 1, span.end, span.source) if in_text else span
    return (
        (replace(token, text=text[0], span=first), origin),
        (replace(token, text=text[1:], span=rest, spaced=False), origin),
    )


def _bracketed(ahead: list[tuple[Token, frozenset[str]]]) -> list[tuple[Token, frozenset[str]]] | None:
    """Take an argument in square brackets, if one comes next."""
    if not ahead or ahead[-1][0].text != "[":
        return None
    for length, part in enumerate(reversed(ahead)):
        if part[0].text == "]":
            taken = ahead[len(ahead) - length : len(ahead) - 1]
            del ahead[len(ahead) - length - 1 :]
            return taken[::-1]
        if length > 100:
            break
    return None
