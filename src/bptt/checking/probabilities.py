"""The probability of one of many, P(o | c) or P(O = o | c), as the element of a distribution: P_o.

What stands before the bar has to be a letter that counts: one that is below other letters, too (u_o).
"""

from __future__ import annotations

from dataclasses import replace

from bptt.checking.written import Call, Letter, Relation, Scripts, Statement, Written, rewritten, walk

_NAMES = frozenset({"P", "p", "Pr"})


def with_elements(statements: list[Statement]) -> list[Statement]:
    """The statements with elements for conditional probabilities."""
    below: set[str] = set()
    for statement in statements:
        for side in (statement.left, *(link.right for link in statement.links)):
            for part in walk(side) if side is not None else ():
                if isinstance(part, Letter):
                    below |= {item.name for item in part.scripts.below if isinstance(item, Letter)}

    def change(node: Written) -> Written:
        match node:
            case Call(
                function=Letter(name=name, scripts=Scripts((), (), 0)) as function,
                arguments=(Relation((what, *_), ("|", *_)),),
                scripts=Scripts((), (), 0),
            ) if name in _NAMES:
                one = what.sides[1] if isinstance(what, Relation) and what.signs == ("=",) else what
                match one:
                    # p(w_O | w_I): the word is told by what is below.
                    case Letter(name="w", scripts=Scripts((Letter() as which,), (), 0)):
                        one = which
                if isinstance(one, Letter) and one.scripts == Scripts() and one.name in below:
                    return replace(function, scripts=Scripts((one,)), span=node.span)
        return node

    return [rewritten(statement, change) for statement in statements]
