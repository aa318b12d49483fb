"""What a formula holds for: `(i ≠ k)` behind it, "if $i = k$" in the prose around it, "otherwise".

A claim that holds for i ≠ k is not wrong because it fails for i = k, so what is said beside a formula is
kept with it. In prose a condition stands before its formula ("For $i = k$ we get …") or behind it
("… if $i = k$").
"""

from __future__ import annotations

import re
from dataclasses import replace

from bptt.checking.documents import Segment
from bptt.checking.written import (
    Bracketed,
    Chain,
    Letter,
    Listed,
    Numeral,
    Relation,
    Statement,
    Terms,
    Written,
)
from bptt.source import Span

# Words that a condition follows: in Western languages, as a whole; in Chinese, as they end.
_WORDS = (
    "if|iff|only if|for|for (?:all|any|every|each)|when|whenever|provided(?: that)?|assuming"
    "|wenn|falls|für|für alle|sofern|si|pour|pour tout|quand|lorsque|cuando|para|se|per|quando"
    "|если|при|когда|для"
)
_BEFORE = re.compile(
    rf"(?:^|[\s,;:.(])(?:{_WORDS})\s*$"
    r"|(?:^|\W)(?:case|fall|cas|caso|случай|情况|场合|場合|ケース)\s*(?:\d+|[ivx]+)?\s*[:,.)：]?\s*$"
    r"|(?:当|當|若|如果|假设|对于|對於|对|對)\s*$",
    re.IGNORECASE,
)
# The same words, small, where nothing else stands between a formula and what it holds for.
_ONLY = re.compile(rf"[\s,(]*(?:(?:and|but|und|et)\s+)?(?:{_WORDS})\s*")
# Words that follow a condition, at the beginning of what stands behind it.
_BEHIND = re.compile(r"(?:のとき|の時|の場合|ならば|时|時|일 때|인 경우)")
_OTHERWISE = re.compile(
    r"[\s,]*(?:(?:and|und|et|e|y)\s+)?"
    r"(?:otherwise|else|in all other cases|for all others?|sonst|andernfalls|ansonsten|sinon|autrement"
    r"|altrimenti|en otro caso|caso contrário|иначе|否则|否則|其他|其它"
    r"|それ以外(?:の(?:場合|とき)(?:は|には)?)?|その他)[\s,:：，、]*(?!\w)",
    re.IGNORECASE,
)
_JOINS = re.compile(r"[\s,]*(?:and|but|und|et|e|y)\b")
# Nothing stands between a condition and the next formula.
_AT_ONCE = re.compile(r"[\s,:：，]*")
# A new sentence begins, and what was said before no longer counts.
_ENDS = re.compile(r"[.;!?](?:\s|$)|[。；！？]")
# A sentence goes on to what holds under the condition.
_CONCLUDES = re.compile(
    r"[\s,]*(?:[:：]|(?:then|we|this|it|one|the|that|only|gilt|ist|wird|dann|haben|ergibt|on|alors|nous|il|是|有|则|得|那么)\b)",
    re.IGNORECASE,
)
_DELIMITERS = re.compile(
    r"\\begin\s*\{[^{}]*\}|\\end\s*\{[^{}]*\}|\\\\?[()\[\]]|\$\$?|^[ \t>]*[`~]{3,}\w*", re.MULTILINE
)
_FAR = 400  # characters of prose: what comes after is about something else
# Relations that compare, and give no value.
ORDERS = frozenset({"≠", "<", ">", "≤", "≥", "∈", "∉"})
_SIGNS = ORDERS | {"="}


def is_otherwise(words: str) -> bool:
    return _OTHERWISE.fullmatch(words.strip(" .,;:()")) is not None


def otherwise(span: Span) -> Letter:
    """The condition that all conditions before it fail."""
    return Letter("otherwise", span, face="upright")


def introduces(words: str) -> bool:
    """Whether a condition may follow these words."""
    return _BEFORE.search(words) is not None


def condition(statement: Statement, said: bool) -> Written | None:
    """The relation that a statement is, if it can be a condition; with = only where words have said
    so (`said`) and it tells an index, a label or a step, for everything else with = is a definition.
    """
    left, links = statement.left, statement.links
    if left is None or not links or statement.carried:
        return None
    sides = (left, *(link.right for link in links))
    signs = tuple(link.sign for link in links)
    if not all(map(_is_small, sides)) or not set(signs) <= _SIGNS:
        return None
    if "=" in signs and not (said and all(map(_is_value, sides[1:])) and _counts(left)):
        return None
    if "∈" in signs and not (said and _counts(left)):
        return None
    return Relation(sides, signs, statement.span)


def _is_small(node: Written) -> bool:
    match node:
        case Letter() | Numeral():
            return True
        case Bracketed(inner=inner, kind="{"):
            return _is_small(inner)
        case Listed(items=parts) | Terms(terms=parts) | Chain(factors=parts):
            return len(parts) <= 6 and all(map(_is_small, parts))
    return False


def _counts(node: Written) -> bool:
    """Whether it is what an index, a label or a step is called: small letters."""
    match node:
        case Letter(name=name):
            return name.islower()
        case Listed(items=items):
            return all(map(_counts, items))
        case Terms(terms=(first, Numeral())):
            return _counts(first)
    return False


def _is_value(node: Written) -> bool:
    match node:
        case Numeral() | Letter(name="…"):
            return True
        case Letter(name=name, scripts=scripts):
            return len(name) <= 4 and not scripts.above
        case Bracketed(inner=inner, kind="{"):
            return _is_value(inner)
        case Listed(items=parts) | Terms(terms=parts):
            return all(map(_is_value, parts))
    return False


def put_to_statements(formulas: list[tuple[Segment, list[Statement]]]) -> list[Statement]:
    """All statements in order, those that prose puts under a condition with it.

    Who says the condition first in a sentence says it first to its end: "for $i = k$ it is $a$, for $i ≠ k$
    it is $b$"; who says the formula first has the condition behind it: "$a$ for $i = k$, $b$ otherwise".
    """
    found: list[Statement] = []
    about: int | None = None  # the last statement that is no condition, in the same sentence
    pending: tuple[Written, ...] = ()
    comes_first = False  # whether conditions come before what they are for
    for place, (segment, more) in enumerate(formulas):
        before = _between(formulas[place - 1][0], segment) if place else segment.words
        after = _between(segment, formulas[place + 1][0]) if place + 1 < len(formulas) else ""
        if _ENDS.search(before):
            pending, about, comes_first = (), None, False
        elif _OTHERWISE.fullmatch(before):
            pending = (otherwise(segment.span),)
        elif about is not None and _OTHERWISE.match(before):
            found[about] = with_condition(found[about], otherwise(found[about].span))
        held = None if segment.display or len(more) != 1 else condition(more[0], said=True)
        if held is not None and (introduces(before) or _BEHIND.match(after)):
            is_behind = about is not None and not comes_first and _ONLY.fullmatch(before) is not None
            if (
                is_behind
                and not _CONCLUDES.match(after)
                and not (_JOINS.match(before) and _AT_ONCE.fullmatch(after))
            ):
                assert about is not None
                found[about] = with_condition(found[about], held)
            else:
                pending, comes_first = (held,), True
            found += more
            continue
        for one in more:
            inherited = found[-1].conditions if one.carried and found and found[-1].left is one.left else ()
            for each in (*inherited, *pending):
                one = with_condition(one, each)
            found.append(one)
            about = len(found) - 1
        if segment.display:
            pending = ()
        if segment.span.text.rstrip().endswith((".", ";", "。")):
            pending, about, comes_first = (), None, False
    return found


def _between(first: Segment, second: Segment) -> str:
    """The text between two formulas, without what delimits them; a full stop where that is long."""
    start, end = first.span.end, second.span.start
    if first.section != second.section or end - start > _FAR:
        return ". "
    return _DELIMITERS.sub(" ", first.span.source.text[start:end]).strip(" \n\t>")


def with_condition(statement: Statement, found: Written) -> Statement:
    if found in statement.conditions:
        return statement
    return replace(statement, conditions=(*statement.conditions, found))
