"""A document to its statements: chains of relations with the left sides that their authors meant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from bptt.checking.brackets import flattened, paired
from bptt.checking.conditions import (
    ORDERS,
    condition,
    introduces,
    is_otherwise,
    otherwise,
    put_to_statements,
    with_condition,
)
from bptt.checking.documents import MAX_FORMULA, Document, Segment, document_source, read_document
from bptt.checking.lexer import Token, tokenize
from bptt.checking.macros import Macros, find_macros
from bptt.checking.marks import called_words, marks
from bptt.checking.parser import Parser
from bptt.checking.rows import joined_rows, without_asides
from bptt.checking.shorthands import written_out
from bptt.checking.written import (
    Chain,
    Differential,
    Letter,
    Link,
    Listed,
    Nabla,
    Numeral,
    Reading,
    Relation,
    Statement,
    Table,
    Unread,
    Written,
    walk,
)
from bptt.source import Source, Span

_LONGEST_LIST = 100
_MOST_LINKS = 100  # of one chain
_MOST_IN_ALL = 2000  # links of all statements
_NO_RIGHT_SIDE = "the right side is missing"
_ARROWS = ("↓", "⇓", "⟹", "⇒", "\\downarrow", "\\Downarrow")
_PUNCTUATION = (",", ";", ".", ":")


def read(source: Source, form: str | None = None) -> Reading:
    """All statements of a text, one of `documents.FORMS`; never an error, for what cannot be read is told
    as such.
    """
    return read_statements(read_document(source, form))


def read_file(name: str, data: bytes | str) -> Reading:
    """All statements of a file's contents; InputError where it is no document at all."""
    return read(document_source(name, data))


def read_formula(text: str, name: str = "<formula>") -> tuple[Statement, ...]:
    """The statements of one formula without delimiters; of its first characters, if it has too many."""
    source = Source(name, text)
    segment = Segment(source.span(0, min(len(text), MAX_FORMULA)), True)
    return read_statements(Document(source, (segment,), ("",), ())).statements


def read_statements(document: Document) -> Reading:
    """The statements of a document's formulas in order."""
    macros = find_macros(document.source)
    unread = list(document.unread)
    formulas: list[tuple[Segment, list[Token]]] = []
    words: set[str] = set()
    for segment in document.segments:
        tokens, refused = _tokens(segment, macros)
        unread += refused
        words |= called_words(tokens)
        formulas.append((segment, tokens))
    statements: list[Statement] = []
    displayed: list[Statement] = []
    numbered: list[tuple[Segment, list[Statement]]] = []
    for segment, tokens in formulas:
        found = flattened(marks(tokens, words))
        if found and not _is_only_a_sign(found):
            # Behind words, a display goes on with a display, not with what the words mention.
            before = displayed if displayed and segment.display and segment.words else statements
            more = _Statements(segment, found, before).statements
            if more and statements and segment.display and _lacks_right_side(statements[-1]):
                more[0] = _completed(statements.pop(), more[0])
                numbered[-1][1].pop()
            statements += more
            if more:
                numbered.append((segment, more))
            displayed += more if segment.display else []
    statements = _bounded(put_to_statements(numbered), unread)
    statements = written_out(statements, document.source.text)
    return Reading(document.source, tuple(statements), document.headings, tuple(unread))


def _bounded(statements: list[Statement], unread: list[Unread]) -> list[Statement]:
    """The statements without what is more than anybody writes; what is left out is added to `unread`."""
    kept: list[Statement] = []
    room = _MOST_IN_ALL
    for statement in statements:
        links = statement.links[: min(room, _MOST_LINKS)]
        room -= len(links)
        if len(links) < len(statement.links):
            left_out = statement.links[len(links)].span.to(statement.links[-1].span)
            unread.append(Unread(left_out.text[:80], "there is more here than is read", left_out))
            statement = replace(statement, links=links)
            if not links:
                break
        kept.append(statement)
    return kept


def _tokens(segment: Segment, macros: Macros) -> tuple[list[Token], list[Unread]]:
    span = segment.span
    skipped = macros.places | segment.margins if segment.margins else macros.places
    return macros.expand(tokenize(span.source, span.start, span.end, skipped))


def _is_only_a_sign(found: list[Token]) -> bool:
    """Whether a formula only shows a sign to the reader: `\\circ`, `|_{(t)}`."""
    return (
        found[0].kind in ("operator", "relation", "implies", "|")
        and not any(mark.kind in ("relation", "operator", "|") for mark in found[1:])
        and (len(found) == 1 or found[1].kind == "_")
    )


def _lacks_right_side(statement: Statement) -> bool:
    right = statement.links[-1].right if statement.links else None
    return isinstance(right, Unread) and right.reason == _NO_RIGHT_SIDE and not right.text


def _completed(first: Statement, second: Statement) -> Statement:
    """A statement that ends with a relation, and the one that gives its right side."""
    if second.left is None or second.carried:
        return second
    link = first.links[-1]
    right = Link(link.sign, second.left, link.span.to(second.left.span), link.implied)
    span = first.span.to(second.span)
    return replace(first, links=(*first.links[:-1], right, *second.links), span=span)


@dataclass
class _Draft:
    """A statement that is being read."""

    left: Written | None
    words: str
    implied: bool
    links: list[Link] = field(default_factory=list)
    carried: bool = False


class _Statements:
    """Reads one formula; `before` are the statements before it, for left sides that are carried on."""

    def __init__(self, segment: Segment, found: list[Token], before: list[Statement]) -> None:
        self.segment = segment
        self.statements: list[Statement] = []
        self._before = before
        self._found = joined_rows(without_asides(found))
        self._parser = Parser(self._found, paired(self._found))
        self._draft: _Draft | None = None
        self._conditions: list[Written] = []  # what was said before the formula that needs it
        self._words = segment.words
        self._implied = segment.words.endswith(_ARROWS)
        self._read()

    def _read(self) -> None:
        parser = self._parser
        sign: Token | None = None  # a relation whose right side is still to come
        apart = True  # whether something has ended what stood before
        comma = False
        while parser.position < parser.limit:
            start = parser.position
            kind = parser.kind()
            if kind == "relation":
                if sign is None:
                    sign = self._found[start]
                parser.position += 1
                apart = False
                continue
            if kind in ("wide", "break", "text", "implies", *_PUNCTUATION, "null", "end null"):
                mark = self._found[start]
                closing = parser.partner.get(start, 0)
                if kind != "null" or not closing > start:
                    parser.position += 1
                    if kind == "text" and sign is not None and not self._formula_ahead():
                        self._link(sign, parser.unread(start, "words"))
                        sign = None
                    elif kind == "text":
                        self._say(mark)
                    elif mark.text == "(":
                        self._words = "("
                    elif kind == "implies":
                        self._implied = True
                    if kind in ("wide", "text", "implies", "break", ",", ";", ":"):
                        apart = apart or sign is None
                        comma = kind == "," or (comma and kind == "wide")
                    continue
            formula = parser.terms()
            if formula is None:
                parser.position += 1
                reason = "a bar that belongs to nothing" if kind == "|" else "this sign has no meaning here"
                if kind in (")", "}"):
                    reason = "this bracket closes nothing"
                formula = parser.unread(start, reason)
            if sign is not None:
                self._link(sign, formula)
                sign = None
            elif not apart and self._draft is not None:
                self._extend(formula)
            elif comma and self._lists(formula):
                pass
            else:
                self._begin(formula)
            apart = comma = False
        if sign is not None:
            end = sign.span
            self._link(sign, Unread("", _NO_RIGHT_SIDE, Span(end.end, end.end, end.source)))
        self._finish()

    def _say(self, mark: Token) -> None:
        """Words within the formula."""
        self._words = mark.text
        if is_otherwise(mark.text):
            self._finish()
            if self.statements:
                self.statements[-1] = with_condition(self.statements[-1], otherwise(mark.span))

    def _formula_ahead(self) -> bool:
        return self._parser.kind() not in ("", "wide", "break", "text", *_PUNCTUATION)

    def _begin(self, formula: Written) -> None:
        self._finish()
        self._draft = _Draft(formula, self._words, self._implied)
        self._words, self._implied = "", False

    def _link(self, sign: Token, right: Written) -> None:
        if self._draft is None:
            left = self._carried(right)
            self._draft = _Draft(left, self._words, self._implied, carried=left is not None)
            self._words = ""
        implied = self._implied or (self._draft.implied and not self._draft.links)
        self._draft.links.append(Link(sign.text, right, sign.span.to(right.span), implied))
        self._implied = False

    def _extend(self, formula: Written) -> None:
        """What could not be read together still stands side by side."""
        draft = self._draft
        assert draft is not None, "only called while a statement is read"
        if draft.links:
            last = draft.links[-1]
            right = _beside(last.right, formula)
            draft.links[-1] = Link(last.sign, right, last.span.to(formula.span), last.implied)
        else:
            draft.left = formula if draft.left is None else _beside(draft.left, formula)

    def _lists(self, formula: Written) -> bool:
        """Whether it goes on a list of small things: `t = 1, 2, 3` or `i, j ∈ S`."""
        draft = self._draft
        if draft is None or not _is_small(formula):
            return False
        last = draft.links[-1].right if draft.links else draft.left
        if last is None or not (_is_small(last) or isinstance(last, Listed)):
            return False
        if draft.links and self._relation_ahead():
            return False
        items = last.items if isinstance(last, Listed) else (last,)
        if len(items) > _LONGEST_LIST:
            return False
        listed = Listed((*items, formula), last.span.to(formula.span))
        if draft.links:
            link = draft.links[-1]
            draft.links[-1] = Link(link.sign, listed, link.span.to(formula.span), link.implied)
        else:
            draft.left = listed
        return True

    def _relation_ahead(self) -> bool:
        return self._parser.kind() == "relation"

    def _carried(self, right: Written) -> Written | None:
        """The left side that a formula without one goes on.

        It is that of the statement before; but a formula with derivatives goes on with the last left side
        that has one, for definitions are often put in between.
        """
        earlier = [*self._before[-40:], *self.statements]
        last = next((one for one in reversed(earlier) if one.links), None)
        nearest = earlier[-1] if earlier else None
        alone = nearest.left if nearest is not None and not nearest.links else None
        if alone is not None and not _is_small(alone) and (last is None or not self.statements):
            return alone
        if last is None:
            return None
        if _differentiates(right) and not any(map(_differentiates, _sides(last))):
            for one in reversed(earlier):
                if one.links and one.left is not None and _differentiates(one.left):
                    return one.left
        return last.left

    def _finish(self) -> None:
        draft = self._draft
        if draft is None:
            return
        self._draft = None
        if isinstance(draft.left, Numeral) and not draft.links:
            return  # the number of a formula in a list
        if isinstance(draft.left, Table) and not draft.links and (system := _system(draft.left)):
            self.statements += [
                replace(one, words=draft.words, section=self.segment.section) for one in system
            ]
            return
        spans = [link.span for link in draft.links]
        if draft.left is not None and not draft.carried:
            spans.append(draft.left.span)
        span = Span(min(one.start for one in spans), max(one.end for one in spans), self.segment.span.source)
        statement = Statement(
            draft.left, tuple(draft.links), span, draft.carried, draft.words, self.segment.section
        )
        said = draft.words == "(" or introduces(draft.words)
        found = condition(statement, said) if said or self.statements else None
        if found is None:
            statement = replace(statement, conditions=tuple(self._conditions))
            self._conditions = []
            self.statements.append(statement)
        elif self.statements and any(link.sign not in ORDERS for link in self.statements[-1].links):
            self.statements[-1] = with_condition(self.statements[-1], found)
        elif not self.statements and self.segment.display and self._goes_on():
            self._conditions.append(found)
        else:
            self.statements.append(statement)

    def _goes_on(self) -> bool:
        """Whether another statement follows in this formula."""
        places = range(self._parser.position, len(self._found))
        return any(self._found[place].kind == "relation" for place in places)


def _system(table: Table) -> list[Statement]:
    """The equations of a brace with one in each row; none where a row is no equation."""
    found: list[Statement] = []
    for row in table.rows:
        last = row[-1]
        if not isinstance(last, Relation) or len(row) > 2:
            return []
        sides = (*row[:-1], *last.sides)
        if len(sides) != len(last.signs) + 1:
            return []
        left, signs = sides[0], last.signs
        sides = sides[1:]
        links = tuple(Link(sign, side, side.span) for sign, side in zip(signs, sides, strict=True))
        found.append(Statement(left, links, left.span.to(sides[-1].span)))
    return found


def _sides(statement: Statement) -> Iterator[Written]:
    if statement.left is not None:
        yield statement.left
    for link in statement.links:
        yield link.right


def _differentiates(formula: Written) -> bool:
    return any(isinstance(part, Differential | Nabla) for part in walk(formula))


def _is_small(formula: Written) -> bool:
    return isinstance(formula, Letter | Numeral)


def _beside(first: Written, second: Written) -> Chain:
    factors = (*first.factors, second) if isinstance(first, Chain) else (first, second)
    signs = (*first.signs, "") if isinstance(first, Chain) else ("",)
    return Chain(factors, signs, first.span.to(second.span))
