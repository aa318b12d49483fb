"""LaTeX to tokens: where the formulas are, and what they consist of, without what is only layout."""

from __future__ import annotations

import re

from bptt.errors import EquationError
from bptt.source import Source, Span
from bptt.syntax.lexer import Token, check_length
from bptt.syntax.spelling import GREEK_NAMES, SUBSCRIPT_DIGITS, SUPERSCRIPT_DIGITS, canonical_function, spell
from bptt.syntax.tree import FUNCTIONS

# Kinds of tokens: "name" (a letter), "word" (upright letters), "function", "number", "accent", "prose",
# "string" (quoted words), "reals", "break" (`\\`), "newline" (only in a text without delimiters), "quad",
# "end", or the symbol or command itself.

_ENVIRONMENTS = [
    "equation",
    "align",
    "aligned",
    "alignat",
    "split",
    "gather",
    "gathered",
    "multline",
    "eqnarray",
    "displaymath",
    "math",
]
_MATRICES = ("matrix", "bmatrix", "pmatrix", "Bmatrix", "array")
_OPENING = re.compile(
    r"\\\\|\\[$%]|^[ \t]*%[^\n]*|(?P<opening>\$\$|\$|\\\[|\\\(|\\begin\s*\{(?P<name>"
    + "|".join(_ENVIRONMENTS)
    + r")\*?\})",
    re.MULTILINE,
)
_CLOSING = {"$$": r"\$\$", "$": r"\$", r"\[": r"\\\]", r"\(": r"\\\)"}

_LAYOUT = frozenset(
    [
        r"\left",
        r"\right",
        r"\middle",
        r"\big",
        r"\Big",
        r"\bigg",
        r"\Bigg",
        r"\bigl",
        r"\Bigl",
        r"\biggl",
        r"\Biggl",
        r"\bigr",
        r"\Bigr",
        r"\biggr",
        r"\Biggr",
        r"\bigm",
        r"\Bigm",
        r"\,",
        r"\!",
        r"\;",
        r"\:",
        r"\>",
        r"\/",
        r"\displaystyle",
        r"\textstyle",
        r"\scriptstyle",
        r"\limits",
        r"\nolimits",
        r"\nonumber",
        r"\notag",
        r"\hline",
        r"\allowbreak",
        r"\noindent",
        r"\centering",
        r"\bf",
        r"\rm",
        r"\it",
        r"\mathstrut",
        r"\strut",
    ]
) | {"\\ ", "\\\n", "\\&"}
_SEPARATORS = frozenset(
    [r"\quad", r"\qquad", r"\implies", r"\Rightarrow", r"\therefore", r"\bullet", r"\forall"]
)
_LAYOUT_WITH_GROUP = frozenset(
    [r"\tag", r"\label", r"\color", r"\hspace", r"\vspace", r"\phantom", r"\vphantom", r"\ref", r"\eqref"]
)
# What only changes the looks of its group, and is read as the bare contents.
_LOOKS = frozenset(
    [
        r"\mathbf",
        r"\boldsymbol",
        r"\bm",
        r"\pmb",
        r"\mathcal",
        r"\mathscr",
        r"\mathfrak",
        r"\mathnormal",
        r"\vec",
        r"\boxed",
        r"\fbox",
        r"\ensuremath",
    ]
)
_UPRIGHT = frozenset([r"\mathrm", r"\mathit", r"\mathsf", r"\mathtt", r"\operatorname"])
_TEXT = frozenset(
    [r"\text", r"\textrm", r"\textit", r"\textbf", r"\textsf", r"\texttt", r"\textnormal", r"\mbox"]
)
_ACCENTS = {
    r"\hat": "hat", r"\widehat": "hat", r"\tilde": "tilde", r"\widetilde": "tilde",
    r"\bar": "bar", r"\overline": "bar",
}  # fmt: skip
_FUNCTION_COMMANDS = {r"\tanh": "tanh", r"\exp": "exp", r"\log": "log", r"\ln": "log"}
_SYNONYMS = {
    r"\odot": "*", r"\circ": "*", r"\ast": "*", "⊙": "*", "∘": "*", "−": "-", "·": r"\cdot", "⋅": r"\cdot",
    "×": r"\times", r"\intercal": r"\top", "∈": r"\in", "∼": r"\sim", r"\thicksim": r"\sim", "∂": r"\partial",
    "∇": r"\nabla", "∑": r"\sum", "…": r"\dots", r"\ldots": r"\dots", r"\cdots": r"\dots",
    r"\dotsc": r"\dots",
    r"\langle": "⟨", r"\rangle": "⟩", r"\lbrack": "[", r"\rbrack": "]", r"\lbrace": r"\{", r"\rbrace": r"\}",
    r"\lparen": "(", r"\rparen": ")", r"\mid": "|", r"\vert": "|", r"\lvert": "|", r"\rvert": "|",
    r"\colon": ":",
    r"\dfrac": r"\frac", r"\tfrac": r"\frac", r"\cfrac": r"\frac", r"\prime": "'", "′": "'", "’": "'",
    r"\coloneqq": "=", r"\triangleq": "=", r"\equiv": "=", r"\gets": "=", r"\leftarrow": "=", r"\doteq": "=",
    ":=": "=",
    "ℝ": "reals", r"\R": "reals", r"\Re": "reals",
}  # fmt: skip
_LETTER_COMMANDS = {rf"\{name}": name for name in GREEK_NAMES - {"omicron", "Omicron"}} | {
    r"\varepsilon": "epsilon", r"\vartheta": "theta", r"\varphi": "phi", r"\varrho": "rho", r"\varpi": "pi",
    r"\varsigma": "sigma", r"\ell": "ell",
}  # fmt: skip
# Words that stand between equations; any other single word in \text{} is a name.
_PROSE = frozenset(
    [
        "let",
        "where",
        "for",
        "and",
        "with",
        "if",
        "so",
        "when",
        "given",
        "then",
        "or",
        "is",
        "are",
        "as",
        "in",
        "at",
        "by",
        "to",
        "of",
        "the",
        "a",
        "all",
        "each",
        "every",
        "we",
        "have",
        "hence",
        "thus",
        "since",
        "while",
        "otherwise",
        "step",
        "steps",
        "denote",
        "define",
        "defined",
        "using",
        "that",
        "such",
        "here",
        "note",
    ]
)

_PATTERN = re.compile(
    r"""
    (?P<space>[^\S\n]+|%[^\n]*|[~&])
  | (?P<newline>\n)
  | (?P<break>\\\\(?:\s*\[\s*-?[0-9.]+\s*(?:pt|em|ex|mm|cm)\s*\])?)
  | (?P<command>\\(?:[A-Za-z]+|[\s\S]|$))
  | (?P<number>[0-9]+(?:\.[0-9]+)?|\.[0-9]+)
  | (?P<function>(?:[a-z]{3,24}+|ReLU|CE)(?=\s*(?:\\(?:left|[bB]igg?l?)\s*)?\())
  | (?P<letter>[A-Za-z][\u0302-\u0305]*)
  | (?P<symbol>:=|.)
    """,
    re.VERBOSE,
)
_QUOTES = ('"', "'", "`", "“", "‘", "«")
_INVISIBLE_BRACKET = re.compile(r"\s*\.")
_SAME_LINE_GROUP = re.compile(r"[^\S\n]*\{")
_GROUP_OPENING = re.compile(r"\*?\s*\{")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
# How far the end of a group of words is looked for; keeps the work linear where braces are never closed.
_MAX_GROUP = 500
_WORD = re.compile(r"\s*((?:[A-Za-z0-9]|\\_)+)\s*")


def segments(source: Source) -> list[Span]:
    """The places of the formulas: between their delimiters or, in a text without any, all of it."""
    check_length(source)
    text, found, position = source.text, [], 0
    while match := _OPENING.search(text, position):
        position = match.end()
        opening = match["opening"]
        if opening is None:
            continue
        name = match["name"]
        pattern = rf"\\end\s*\{{{name}\*?\}}" if name else _CLOSING[opening]
        closing = re.compile(rf"\\\\|\\[$]|(?P<closing>{pattern})")
        end = next((end for end in closing.finditer(text, position) if end["closing"]), None)
        if end is None:
            raise EquationError.at(
                source.span(*match.span()),
                f"this {opening} is never closed",
                hint=f"end the formula with `\\end{{{name}}}`" if name else "end the formula where it ends",
            )
        found.append(source.span(position, end.start()))
        position = end.end()
    return found


def tokenize(segment: Span, keep_newlines: bool = False) -> list[Token]:
    """The tokens of one formula, ended by one of kind "end"."""
    return _Lexer(segment, keep_newlines).tokens


class _Lexer:
    def __init__(self, segment: Span, keep_newlines: bool) -> None:
        self.source = segment.source
        self.text = segment.source.text
        self.end = segment.end
        self.tokens: list[Token] = []
        self._braces: list[bool] = []  # for each open brace, whether it was left out, being only looks
        self._matrices = 0
        self._keep_newlines = keep_newlines
        position = segment.start
        while position < self.end:
            match = _PATTERN.match(self.text, position, self.end)
            assert match is not None, "the last alternative matches every character"
            position = self._add(match)
        self.tokens.append(Token("end", "", self.source.span(self.end, self.end)))

    def _emit(self, kind: str, text: str, start: int, end: int) -> int:
        self.tokens.append(Token(kind, text, self.source.span(start, end)))
        return end

    def _add(self, match: re.Match[str]) -> int:
        """Emit what the match stands for; the offset where to go on."""
        kind, text = match.lastgroup, match.group()
        start, end = match.span()
        match kind:
            case "space":
                if text == "&" and self._matrices:
                    self._emit(",", text, start, end)
            case "newline":
                if self._keep_newlines and self.tokens and self.tokens[-1].kind != "newline":
                    self._emit("newline", text, start, end)
            case "break":
                self._emit("," if self._matrices else "break", text, start, end)
            case "command":
                return self._command(text, start, end)
            case "number":
                # After _ and ^ TeX takes a single digit.
                end = start + 1 if self._in_script() else end
                self._emit("number", self.text[start:end], start, end)
            case "function":
                self._function_run(text, start)
            case "letter":
                self._emit("name", "".join(map(spell, text)), start, end)
            case _:
                self._symbol(text, start, end)
        return end

    def _in_script(self) -> bool:
        return bool(self.tokens) and self.tokens[-1].kind in ("_", "^")

    def _function_run(self, text: str, start: int) -> None:
        """Letters before a bracket: a function's name, perhaps with letters that are factors before it."""
        names = [name for name in FUNCTIONS if text.endswith(name)]
        factors = len(text) - len(max(names, key=len)) if names else 0
        for offset in range(factors):
            self._emit("name", text[offset], start + offset, start + offset + 1)
        self._word(text[factors:], start + factors, start + len(text))

    def _word(self, text: str, start: int, end: int) -> None:
        is_function = canonical_function(text) in FUNCTIONS and text != "sigma"
        self._emit("function" if is_function else "word", text, start, end)

    def _symbol(self, text: str, start: int, end: int) -> None:
        if text in SUBSCRIPT_DIGITS or text in SUPERSCRIPT_DIGITS:
            self._emit("_" if text in SUBSCRIPT_DIGITS else "^", text, start, start)
            self._emit("number", SUBSCRIPT_DIGITS.get(text) or SUPERSCRIPT_DIGITS[text], start, end)
        elif text == "ᵀ":
            self._emit("^", text, start, start)
            self._emit(r"\top", text, start, end)
        elif text == "{":
            looks = bool(self.tokens) and self.tokens[-1].kind == "looks"
            if looks:
                self.tokens.pop()
                looks = not self._in_script()
            self._braces.append(looks)
            if not looks:
                self._emit("{", text, start, end)
        elif text == "}":
            if not (self._braces and self._braces.pop()):
                self._emit("}", text, start, end)
        elif not text.isascii() and text not in _SYNONYMS and spell(text)[:1].isalpha():
            self._emit("name", spell(text), start, end)
        else:
            self._emit(_SYNONYMS.get(text, text), text, start, end)

    def _command(self, text: str, start: int, end: int) -> int:
        if text in _LAYOUT:
            invisible = _INVISIBLE_BRACKET.match(self.text, end, self.end)
            return invisible.end() if invisible and text in (r"\left", r"\right") else end
        if text in _SEPARATORS:
            return self._emit("quad", text, start, end)
        if text in _LOOKS:
            return (
                self._emit("looks", text, start, end)
                if _SAME_LINE_GROUP.match(self.text, end, self.end)
                else end
            )
        if text in _LETTER_COMMANDS:
            return self._emit("name", _LETTER_COMMANDS[text], start, end)
        if text in _ACCENTS:
            return self._emit("accent", _ACCENTS[text], start, end)
        if text in _FUNCTION_COMMANDS:
            return self._emit("function", _FUNCTION_COMMANDS[text], start, end)
        if text in _LAYOUT_WITH_GROUP | _UPRIGHT | _TEXT | {r"\begin", r"\end", r"\mathbb"}:
            return self._command_with_group(text, start, end)
        return self._emit(_SYNONYMS.get(text, text), text, start, end)

    def _command_with_group(self, text: str, start: int, end: int) -> int:
        """Commands whose group is no formula of its own; a missing group is left for the parser to find."""
        group = self._group(end)
        if group is None:
            return end if text in _UPRIGHT or text in _TEXT else self._emit(text, text, start, end)
        content, after = self.text[group.start : group.end], group.end + 1
        word = _WORD.fullmatch(content)
        if text == r"\mathbb":
            kind, meant = {"R": ("reals", text), "1": ("number", "1")}.get(content.strip(), (text, text))
            self._emit(kind, meant, start, after)
        elif text in (r"\begin", r"\end"):
            return self._environment(text, content.strip().rstrip("*"), start, after)
        elif text in _UPRIGHT | _TEXT:
            # Inside braces, say of an index, there is no room for prose.
            if word and (text in _UPRIGHT or False in self._braces or word[1].lower() not in _PROSE):
                self._word(word[1].replace("\\_", "_"), start, after)
            elif text in _TEXT:
                quoted = content.strip()[:1] in _QUOTES
                self._emit("string" if quoted else "prose", content.strip(), start, after)
            else:
                return end  # a formula in another font: read as it stands
        return after

    def _environment(self, text: str, name: str, start: int, end: int) -> int:
        begin = text == r"\begin"
        if name in _MATRICES:
            self._matrices = max(0, self._matrices + (1 if begin else -1))
            columns = self._group(end) if begin and name == "array" else None
            self._emit("[" if begin else "]", text, start, end)
            return columns.end + 1 if columns else end
        if begin and name not in _ENVIRONMENTS:
            self._emit(rf"\begin{{{name}}}", text, start, end)
        return end

    def _group(self, position: int) -> Span | None:
        """The contents of the braces that follow `position` (after a star or spaces), if they are closed."""
        opening = _GROUP_OPENING.match(self.text, position, self.end)
        if not opening:
            return None
        depth = 1
        limit = min(self.end, opening.end() + _MAX_GROUP)
        for brace in _BRACE.finditer(self.text, opening.end(), limit):
            depth += {"{": 1, "}": -1}.get(brace.group(), 0)
            if depth == 0:
                return self.source.span(opening.end(), brace.start())
        return None
