"""Tokens to marks: letters and words with their fonts, operators, relations and brackets; layout is gone.

Kinds of marks: "letter", "word", "number", "text" (prose), "operator", "relation", "implies", "big", "(" and
")" (`text` is the opening bracket of its kind), "null" and "end null" (`\\left.`, `\\right.`), "|" (a bar;
"right" in `face` where `\\right` said that it closes), "{" and "}" (only around arguments), "_", "^", "'",
",", ";", ":", ".", "!", "&", "break", "wide" (space), "begin", "end" (environments), "command", "unread".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence, Set
from itertools import pairwise

from bptt.checking import notation as table
from bptt.checking.braces import partners, without_bare_braces
from bptt.checking.lexer import Token
from bptt.source import Span
from bptt.syntax.spelling import canonical_name, spell

_THIN = re.compile(r"\\[,;:!> ]|\s")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]*")
# Four letters and more, with a vowel, are no product: `sech^2`, `dout`.
_SPELT_OUT = re.compile(r"[A-Za-z](?=[a-z]*[aeiou])[a-z]{3,}")
_ROW_STARTS = frozenset(["begin", "break", "wide", "&", "text"])
_BEFORE_LEFT = frozenset([",", ";", r"\quad", r"\qquad", "}"])
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?|\.[0-9]+")
_INDEX_LETTERS = frozenset("ijklmnpqrst")
_PUNCTUATION = frozenset(",;:.!")
_WITHOUT_MEANING = table.LAYOUT | table.THIN_SPACES | table.WIDE_SPACES | table.DROPPED_GROUP


def marks(tokens: Sequence[Token], words: Set[str] = frozenset()) -> list[Token]:
    """The marks of a formula. `words` are the runs of letters that this document uses as one name."""
    return without_bare_braces(_Marks(tokens, words).marks)


def called_words(tokens: Sequence[Token]) -> set[str]:
    """The runs of capitals that are names, not products: three or more before a bracket, and those that are
    all of a left side, `PP = …`, where a product would have no repeated letter.
    """
    found: set[str] = set()
    for place, (token, following) in enumerate(pairwise(tokens)):
        run = token.text
        if token.kind != "letters" or len(run) < 2 or not run.isupper():
            continue
        begins = place == 0 or tokens[place - 1].kind == "break" or tokens[place - 1].text in _BEFORE_LEFT
        is_left = begins and following.text in ("=", ":=", "&")
        if (len(run) > 2 and (is_left or following.text in ("(", r"\left"))) or (
            is_left and len(set(run)) == 1
        ):
            found.add(run)
    return found


class _Marks:
    def __init__(self, tokens: Sequence[Token], words: Set[str]) -> None:
        self.tokens = tokens
        self.words = words
        self.marks: list[Token] = []
        self._partner = partners(tokens)
        self._faces = [""]
        self._script_depth = 0
        self._closers: dict[int, str] = {}  # closing brace to what ends there
        self._scripts: set[int] = set()  # the closing braces of scripts
        self._switched: dict[int, int] = {}  # closing brace to the fonts switched on in its group
        self._open: list[int] = []  # closing braces of the groups that are open
        position = 0
        while position < len(tokens):
            position = self._read(position)

    def _emit(self, kind: str, text: str, token: Token, face: str | None = None) -> None:
        face = self._faces[-1] if face is None else face
        self.marks.append(Token(kind, text, token.span, token.spaced, face))

    def _text_at(self, position: int) -> str:
        return self.tokens[position].text if position < len(self.tokens) else ""

    def _group(self, position: int) -> int | None:
        """The closing brace of the group that begins at `position`, if one does."""
        return self._partner.get(position) if self._text_at(position) == "{" else None

    def _written(self, start: int, end: int) -> str:
        """The tokens as text, for what is not mathematics."""
        parts = [(" " if token.spaced else "") + token.text for token in self.tokens[start:end]]
        return "".join(parts).replace("\\_", "_").replace("{", "").replace("}", "").strip()

    def _read(self, position: int) -> int:
        """Emit what the token at `position` stands for; the position where to go on."""
        token = self.tokens[position]
        match token.kind:
            case "letters":
                self._letters(token, position)
            case "number":
                self._number(token)
            case "break" | "unread":
                self._emit(token.kind, token.text, token)
            case "command":
                return self._command(token, position)
            case _:
                return self._symbol(token, position)
        return position + 1

    # --- letters, words and numbers

    def _number(self, token: Token) -> None:
        """A number; of several digits after `_`, `^` or a command, TeX takes one for each argument."""
        last = self.marks[-1] if self.marks else token
        count = 1 if last.kind in ("_", "^") else table.ARGUMENTS.get(last.text, 0)
        digits = token.text[:count] if token.text[:count].isdigit() else ""
        in_text = token.span.end - token.span.start == len(token.text)
        source = token.span.source
        for offset, digit in enumerate(digits):
            start = token.span.start + offset
            span = Span(start, start + 1, source) if in_text else token.span
            self._emit("number", digit, Token("number", digit, span, token.spaced and not offset))
        rest = token.text[len(digits) :]
        if _NUMBER.fullmatch(rest):
            span = Span(token.span.start + len(digits), token.span.end, source) if in_text else token.span
            self._emit("number", rest, Token("number", rest, span, token.spaced and not digits))

    def _letters(self, token: Token, position: int) -> None:
        run = token.text
        if len(run) > 1:
            if self._faces[-1] == "upright" or run in self.words or run in table.WORDS:
                return self._word(run, token)
            if self._script_depth and len(run) > 2:
                if not (set(run) <= _INDEX_LETTERS and len(set(run)) == len(run)):
                    return self._word(run, token)
            elif run in table.GLUED_PROSE or (run == "if" and token.spaced):
                return self._emit("text", run, token)
            elif self._text_at(position + 1) in ("(", r"\left") and len(run) > 2:
                return self._function_run(run, token)
            elif _SPELT_OUT.fullmatch(run):
                return self._word(run, token)
        single = len(run) == 1 or token.span.end - token.span.start == len(run)
        for offset, letter in enumerate(run):
            start = token.span.start + offset
            span = Span(start, start + 1, token.span.source) if single and len(run) > 1 else token.span
            self._emit("letter", letter, Token("letters", letter, span, token.spaced and not offset))

    def _function_run(self, run: str, token: Token) -> None:
        """Letters before a bracket: a function's name, perhaps with letters that are factors before it."""
        name = max((name for name in table.WORDS if run.endswith(name)), key=len, default="")
        if not name and not run.islower():
            name = run[-1]
        name = name or run
        source, cut = token.span.source, token.span.end - len(name)
        in_text = token.span.end - token.span.start == len(run)
        for offset, letter in enumerate(run[: len(run) - len(name)]):
            start = token.span.start + offset
            span = Span(start, start + 1, source) if in_text else token.span
            self._emit("letter", letter, Token("letters", letter, span, token.spaced and not offset))
        span = Span(cut, token.span.end, source) if in_text else token.span
        if len(name) > 1:
            self._word(name, Token("letters", name, span))
        else:
            self._emit("letter", name, Token("letters", name, span))

    def _word(self, run: str, token: Token) -> None:
        name = table.SPELLINGS.get(run) or canonical_name(run.strip("_")) or run
        if name in ("max", "min") and self.marks and self.marks[-1].text == "arg":
            last = self.marks.pop()
            token = Token("word", "", last.span.to(token.span), last.spaced)
            name = f"arg{name}"
        self._emit("word", name, token, face="upright")

    # --- signs

    def _symbol(self, token: Token, position: int) -> int:
        text = token.text
        if text == "{":
            return self._open_group(token, position)
        if text == "}":
            return self._close_group(token, position)
        text = table.SYNONYMS.get(text, text)
        if not text.isascii() and text not in table.OPENING and text not in table.CLOSING:
            known = table.BLACKBOARD.get(text)
            if known:
                self._emit("letter", known, token, face="blackboard")
                return position + 1
            if text in table.CALLIGRAPHIC:
                self._emit("letter", table.CALLIGRAPHIC[text], token, face="calligraphic")
                return position + 1
        if self._sign(text, token):
            return position + 1
        plain = unicodedata.normalize("NFKC", text)
        letter = spell(plain if len(plain) == 1 else text)
        if letter and letter[0].isalpha():
            bold = "bold" if unicodedata.name(text[0], "").startswith("MATHEMATICAL BOLD") else None
            self._emit("letter", letter, token, face=bold)
        elif len(plain) == 1 and plain.isdecimal() and plain.isascii():
            self._emit("number", plain, token, face="blackboard")
        elif not text.isspace() and text != "\u200b":
            self._emit("unread", "this sign is not known", token)
        return position + 1

    def _sign(self, text: str, token: Token) -> bool:
        """Emit the sign that a symbol or command is, if it is one."""
        if text in ("_", "^", "&"):
            self._emit(text, text, token)
        elif text in ("'", "''"):
            for _ in text:
                self._emit("'", "'", token)
        elif text in _PUNCTUATION:
            self._emit(text, text, token)
        elif text in (r"\bullet", "•") and (not self.marks or self.marks[-1].kind in _ROW_STARTS):
            self._emit("wide", text, token)  # the sign of a list
        elif text in table.OPERATORS:
            self._emit("operator", table.OPERATORS[text], token)
        elif text in table.RELATIONS:
            self._emit("relation", table.RELATIONS[text], token)
        elif text in table.IMPLIES:
            self._emit("implies", text, token)
        elif text in table.BIGS:
            self._emit("big", table.BIGS[text], token)
        elif text in table.OPENING:
            self._emit("(", table.OPENING[text], token)
        elif text in table.CLOSING:
            if text == r"\rvert":
                self._emit("|", "|", token, face="right")
            else:
                self._emit(")", table.CLOSING[text], token)
        elif text in table.BARS:
            self._emit("|", table.BARS[text], token)
        elif text in table.LETTERS:
            self._emit("letter", table.LETTERS[text], token)
        elif text in (r"\nabla", r"\partial", r"\sqrt"):
            self._emit("command", text, token)
        else:
            return False
        return True

    # --- groups

    def _open_group(self, token: Token, position: int) -> int:
        closing = self._partner.get(position)
        if closing is None:
            self._emit("unread", "this brace is never closed", token)
            return position + 1
        self._enter(closing)
        if self.marks and self.marks[-1].kind in ("_", "^"):
            self._scripts.add(closing)
            self._script_depth += 1
        over = self._over(position, closing)
        self._emit("{", "{", token)
        if over:
            for text in (r"\frac", "{"):
                self._emit("command" if text != "{" else "{", text, token)
        return position + 1

    def _over(self, position: int, closing: int) -> bool:
        """Whether a group is a fraction with `\\over`."""
        if closing - position > 200:
            return False
        inside = position + 1
        while inside < closing:
            if self.tokens[inside].text == r"\over":
                self._closers[inside], self._closers[closing] = "over", "}}"
                return True
            inside = self._partner.get(inside, inside) + 1
        return False

    def _enter(self, closing: int) -> None:
        self._open.append(closing)

    def _close_group(self, token: Token, position: int) -> int:
        if not self._open or self._open[-1] != position:
            return position + 1  # closes nothing: left over from a damaged formula
        self._open.pop()
        for _ in range(self._switched.pop(position, 0)):
            self._faces.pop()
        if position in self._scripts:
            self._script_depth -= 1
        how = self._closers.get(position, "}")
        for _ in range(0 if how == "dropped" else len(how)):
            self._emit("}", "}", token)
        return position + 1

    def _transparent(self, position: int, face: str | None = None) -> int:
        """Go into the group at `position`, of which only the contents count, set in `face`."""
        closing = self._group(position)
        if closing is None:
            if face is not None and position < len(self.tokens) and self._text_at(position) != "}":
                self._faces.append(face)
                after = self._read(position)
                self._faces.pop()
                return after
            return position
        if face is not None:
            self._faces.append(face)
            self._switched[closing] = self._switched.get(closing, 0) + 1
        self._enter(closing)
        is_argument = bool(self.marks) and self.marks[-1].kind in ("_", "^", "command", "}")
        if closing - position > 2 and is_argument:
            if self.marks[-1].kind in ("_", "^"):
                self._scripts.add(closing)
                self._script_depth += 1
            self._emit("{", "{", self.tokens[position])
        else:
            self._closers[closing] = "dropped"
        return position + 1

    # --- commands

    def _command(self, token: Token, position: int) -> int:
        text = table.SYNONYMS.get(token.text, token.text)
        after = position + 1
        if text in (r"\begin", r"\end"):
            return self._environment(token, after)
        if text in table.TEXTS:
            return self._prose(token, after)
        if text in table.FACES:
            return self._font(token, table.FACES[text], after)
        if text in table.SWITCHES:
            self._faces.append(table.SWITCHES[text])
            if self._open:
                self._switched[self._open[-1]] = self._switched.get(self._open[-1], 0) + 1
            return after
        if text in table.SIZED_OPENING or text in table.SIZED_CLOSING:
            return self._sized(text, token, after)
        if text in table.WIDE_SPACES:
            self._emit("wide", text, token)
        if text in table.DROPPED_GROUP:
            after += self._text_at(after) == "*"
            closing = self._group(after)
            after = after if closing is None else closing + 1
        if text in table.TRANSPARENT:
            return self._transparent(after)
        if text == r"\over":
            if self._closers.get(position) == "over":
                self._emit("}", "}", token)
                self._emit("{", "{", token)
            return after
        if text == r"\not":
            return self._negated(token, after)
        if text == r"\sqrt" and self._text_at(after) == "[":
            return self._root(token, after)
        if text in (r"\overset", r"\underset", r"\stackrel"):
            return self._stacked(text, token, after)
        if text in table.FUNCTION_COMMANDS:
            self._word(table.FUNCTION_COMMANDS[text], token)
        elif text in table.ARGUMENTS:
            self._emit("command", text, token)
        elif text in table.BLACKBOARD:
            self._emit("letter", table.BLACKBOARD[text], token, face="blackboard")
        elif text[1:] in table.WORDS:
            self._word(text[1:], token)
        elif text not in _WITHOUT_MEANING and not self._sign(text, token):
            self._emit("unread", "this command is not known", token)
        return after

    def _environment(self, token: Token, position: int) -> int:
        closing = self._group(position)
        if closing is None:
            return position
        name = self._written(position + 1, closing).rstrip("*")
        span = token.span.to(self.tokens[closing].span)
        kind = "begin" if token.text == r"\begin" else "end"
        self._emit(kind, name, Token(kind, name, span, token.spaced))
        if kind == "begin" and name in ("array", "alignat", "alignedat", "tabular"):
            columns = self._group(closing + 1)
            return closing + 1 if columns is None else columns + 1
        if kind == "begin" and self._text_at(closing + 1) == "[" and self._text_at(closing + 3) == "]":
            return closing + 4  # where the environment is set: [t]
        return closing + 1

    def _prose(self, token: Token, position: int) -> int:
        """A group of words: a name where it is one word, else prose."""
        closing = self._group(position)
        if closing is None:
            return position
        written = self._written(position + 1, closing)
        whole = Token("text", written, token.span.to(self.tokens[closing].span), token.spaced)
        in_script = self._script_depth > 0 or (bool(self.marks) and self.marks[-1].kind in ("_", "^"))
        apart = closing > position + 1 and self.tokens[position + 1].spaced and self.tokens[closing].spaced
        is_prose = not in_script and (apart or written.lower() in table.PROSE)
        if _WORD.fullmatch(written) and not is_prose:
            if len(written) == 1 and written.isalpha():
                self._emit("letter", written, whole, face="upright")
            elif written.isdecimal():
                self._emit("number", written, whole)
            else:
                self._word(written, whole)
        elif in_script and written:
            name = canonical_name(re.sub(r"[^A-Za-z0-9]+", "_", written).strip("_"))
            self._emit("word", name or written, whole, face="upright")
        elif written in ("\\top", "\\intercal"):
            self._emit("letter", "top", whole)
        elif written and written in table.OPERATORS:
            self._emit("operator", table.OPERATORS[written], whole)
        elif written in _PUNCTUATION:
            self._emit(written, written, whole)
        elif written:
            self._emit("text", written, whole)
        return closing + 1

    def _font(self, token: Token, face: str, position: int) -> int:
        closing = self._group(position)
        if face == "upright" and closing is not None:
            written = _THIN.sub("", self._written(position + 1, closing))
            if (written in table.GLUED_PROSE or written == "if") and not self._script_depth:
                return self._prose(token, position)
            if len(written) > 1 and _WORD.fullmatch(written) and not written.isdecimal():
                self._word(written, Token("word", "", token.span.to(self.tokens[closing].span), token.spaced))
                return closing + 1
        return self._transparent(position, face)

    def _sized(self, text: str, token: Token, position: int) -> int:
        """`\\left` or `\\right` with the bracket behind it."""
        if position >= len(self.tokens):
            return position
        bracket = self.tokens[position]
        sign = table.SYNONYMS.get(bracket.text, bracket.text)
        place = Token("symbol", sign, token.span.to(bracket.span), token.spaced)
        opens = text in table.SIZED_OPENING
        if sign == ".":
            self._emit("null" if opens else "end null", ".", place)
        elif sign in (r"\{", r"\lbrace") and opens:
            self._emit("(", "{", place, face="left")
        elif sign in table.OPENING:
            self._emit("(", table.OPENING[sign], place)
        elif sign in table.CLOSING and sign != r"\rvert":
            self._emit(")", table.CLOSING[sign], place)
        elif sign in table.BARS or sign == r"\rvert":
            self._emit("|", table.BARS.get(sign, "|"), place, face="left" if opens else "right")
        elif sign in ("<", ">"):
            self._emit("(" if sign == "<" else ")", "⟨", place)
        elif sign == "/":
            self._emit("operator", "/", place)
        else:
            return position
        return position + 1

    def _negated(self, token: Token, position: int) -> int:
        following = self.tokens[position] if position < len(self.tokens) else token
        negated = {"=": "≠", r"\in": "∉"}.get(following.text)
        if negated is None:
            self._emit("unread", "this command is not known", token)
            return position
        self._emit("relation", negated, Token("", "", token.span.to(following.span), token.spaced))
        return position + 1

    def _root(self, token: Token, position: int) -> int:
        """`\\sqrt[n]{x}` as the command `\\root` with two groups."""
        for end in range(position + 1, min(position + 30, len(self.tokens))):
            if self.tokens[end].text == "]":
                self._emit("command", r"\root", token)
                self._emit("{", "{", self.tokens[position])
                for inside in range(position + 1, end):
                    self._read(inside)
                self._emit("}", "}", self.tokens[end])
                return end + 1
        self._emit("command", r"\sqrt", token)
        return position

    def _stacked(self, text: str, token: Token, position: int) -> int:
        """Something set over a sign leaves the sign; over anything else it is left to the parser."""
        first = self._group(position)
        second = self._group(first + 1) if first is not None else None
        if first is not None and second is not None and second - first == 3:
            inner = self.tokens[first + 2].text
            span = token.span.to(self.tokens[second].span)
            if (inner in table.RELATIONS or inner in table.IMPLIES) and self._sign(
                inner, Token("", "", span, token.spaced)
            ):
                return second + 1
        self._emit("command", r"\overset" if text == r"\stackrel" else text, token)
        return position
