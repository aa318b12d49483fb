"""What is said of a function holds for every number: in σ′(a) = σ(a)(1 - σ(a)), a is no quantity."""

from __future__ import annotations

from bptt.checking.judge import Judge, Judged
from bptt.checking.meanings import Quantity
from bptt.checking.names import Unclear, walk
from bptt.checking.written import Call, Letter, Link, Statement
from bptt.formula.tree import Formula, Symbol, transform


def judged_for_all(judge: Judge, statement: Statement, left: Call, link: Link) -> Judged:
    """The judgement on what is said of a function, where its variable is no quantity of the model: a vector
    with many numbers is put there. That it is right is certain then; what is wrong with it is not looked for.
    """
    quantities = judge.meanings.quantities
    vectors = (q.symbol for q in quantities.values() if q.formula is None and len(q.symbol.shape) == 1)
    vector = next(vectors, None)
    variable = _variable(judge, left)
    if variable is None or vector is None:
        return judge.judge(statement, left, link)
    quantities[variable] = Quantity(vector, vector)
    try:
        judged = judge.judge(statement, left, link)
    finally:
        del quantities[variable]

    def named(part: Formula) -> Formula:
        return Symbol(variable, part.shape) if part == vector and isinstance(part, Symbol) else part

    judged.left = None if judged.left is None else transform(judged.left, named)
    judged.right = None if judged.right is None else transform(judged.right, named)
    judged.unsure = judged.unsure or not judged.agreements
    return judged


def _variable(judge: Judge, left: Call) -> str | None:
    """The name of the only letter that a function is applied to, if nothing else is known by it."""
    names = set[str]()
    for part in walk(list(left.arguments)):
        if isinstance(part, Letter):
            try:
                names.add(judge.meanings.lettering.resolve(part).name)
            except Unclear:
                return None
    unknown = names - judge.meanings.quantities.keys()
    return next(iter(unknown)) if len(names) == len(unknown) == 1 else None
