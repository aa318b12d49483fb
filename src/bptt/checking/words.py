"""Words below letters: u_{w_s} is the vector of word w_s, one for each s, and v_{w_O} that of the word O.

Where a document speaks of words, what stands below a w that stands below a letter tells which word is meant.
"""

from __future__ import annotations

import re
from dataclasses import replace

from bptt.checking.written import Letter, Scripts, Statement, Written, rewritten

_WORDS = re.compile(
    r"\bwords?\b|word2vec|\bWört|\bWort|\bmots?\b|\bpalabras?\b|\bparol[ae]\b|词|詞|単語|слов", re.I
)


def with_words(statements: list[Statement], text: str) -> list[Statement]:
    """The statements with the letter that tells a word in its place."""
    if not _WORDS.search(text):
        return statements

    def change(node: Written) -> Written:
        match node:
            case Letter(
                scripts=Scripts((Letter(name="w", scripts=Scripts((Letter() as which,), (), 0)),), _, _)
            ):
                return replace(node, scripts=replace(node.scripts, below=(which,)))
        return node

    return [rewritten(statement, change) for statement in statements]
