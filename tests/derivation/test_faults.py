"""The proof notices faults: correct formulas with one thing changed in each are refused."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from cells import MODELS
from derivation.claims import ZERO, Claim, Proof, claims_of_model
from derivation.mutations import mutants
from derivation.test_proof import SETTINGS, SHIPPED

from bptt.formula.tree import Symbol, children
from bptt.formula.tree import Formula

EACH = 4


def symbols_of(formula: Formula) -> set[Symbol]:
    found = {formula} if isinstance(formula, Symbol) else set()
    return found.union(*(symbols_of(part) for part in children(formula)))


def tried(name: str, layout: str, objective: str, batch: bool, each: int) -> tuple[Counter[str], Counter[str], list[str]]:
    """Faults by kind, those that were noticed, and the rest: `each` faults of every different formula."""
    from bptt.render.unicode import show

    claims = claims_of_model(name, layout, objective, batch)
    proof = Proof(claims.board, seed=8)
    rng = np.random.default_rng(8)
    symbols = set(claims.board.symbols.values())
    made, noticed, missed = Counter[str](), Counter[str](), []
    seen = set()
    for claim in claims.claims:
        if claim.right in seen:
            continue
        seen.add(claim.right)
        wrong = [m for m in mutants(claim.right, layout, symbols) if m[1] != claim.right]
        for k in rng.permutation(len(wrong))[:each]:
            kind, formula = wrong[k]
            made[kind] += 1
            fault = proof.fault(Claim(claim.left, formula, claim.notation, claim.reading, claim.place, claim.rule, claim.unrolled))
            if fault and fault != ZERO:
                noticed[kind] += 1
            else:
                missed.append(f"{kind}: {show(claim.left)} = {show(claim.right)}  as  {show(formula)}")
    return made, noticed, missed
