"""Element by element: what each step of the derivation says, and that every sum collapses that can."""

from __future__ import annotations

import re

import pytest

from bptt.derivation.index_derivative import Term, collapse, total
from bptt.formula.tree import Index, Indexed, Kronecker, Product, Sum, Symbol, children
from bptt.ir.dims import Dim
from bptt.render.unicode import show
from cells import CELLS
from derivation.texts import derive, index, local

FEW = ("elman", "residual", "gru", "lstm", "mingru")
HIDDEN = "e = x @ L\nh = {}\nyhat = softmax(h @ U)"

# Of one equation: definition, with Kronecker deltas, collapsed, and through the value where there is one.
EQUATIONS = {
    ("elman", "U"): ["∂θₖ/∂Uᵢⱼ", "∂/∂Uᵢⱼ (Σₗ hₗ Uₗₖ + b₂,ₖ)", "Σₗ hₗ 𝟙[l=i] 𝟙[k=j]", "hᵢ 𝟙[k=j]"],
    ("elman", "h"): ["∂θⱼ/∂hᵢ", "∂/∂hᵢ (Σₖ hₖ Uₖⱼ + b₂,ⱼ)", "Σₖ Uₖⱼ 𝟙[k=i]", "Uᵢⱼ"],
    ("elman", "b2"): ["∂θⱼ/∂b₂,ᵢ", "∂/∂b₂,ᵢ (Σₖ hₖ Uₖⱼ + b₂,ⱼ)", "𝟙[j=i]"],
    ("elman", "a_h"): ["∂hⱼ/∂aʰᵢ", "∂/∂aʰᵢ (σ(aʰⱼ))", "σ′(aʰⱼ) 𝟙[j=i]", "hⱼ (1 − hⱼ) 𝟙[j=i]"],
    ("tanh", "a_h"): ["∂hⱼ/∂aʰᵢ", "∂/∂aʰᵢ (tanh(aʰⱼ))", "tanh′(aʰⱼ) 𝟙[j=i]", "(1 − hⱼ²) 𝟙[j=i]"],
    ("lstm", "i"): ["∂cₖ/∂iⱼ", "∂/∂iⱼ (fₖ c[t-1]ₖ + iₖ gₖ)", "gₖ 𝟙[k=j]"],
    (HIDDEN.format("e * g"), "g"): ["∂hⱼ/∂gᵢ", "∂/∂gᵢ (eⱼ gⱼ)", "eⱼ 𝟙[j=i]"],
    (HIDDEN.format("sum(e * w) * e"), "w"): [
        "∂hⱼ/∂wᵢ", "∂/∂wᵢ ((Σₖ eₖ wₖ) eⱼ)", "Σₖ eⱼ eₖ 𝟙[k=i]", "eⱼ eᵢ",
    ],
    (HIDDEN.format("sum(e * w) * e"), "e"): [
        "∂hⱼ/∂eᵢ", "∂/∂eᵢ ((Σₖ eₖ wₖ) eⱼ)",
        "Σₖ eⱼ wₖ 𝟙[k=i] + (Σₖ eₖ wₖ) 𝟙[j=i]", "eⱼ wᵢ + (Σₖ eₖ wₖ) 𝟙[j=i]",
    ],
    (HIDDEN.format("softmax(e @ A)"), "a_h"): [
        "∂hⱼ/∂aʰᵢ", "∂/∂aʰᵢ (softmax(aʰ)ⱼ)", "hⱼ 𝟙[j=i] − Σₖ hⱼ hₖ 𝟙[k=i]", "hⱼ 𝟙[j=i] − hⱼ hᵢ",
    ],
    (HIDDEN.format("relu(e @ A)"), "a_h"): [
        "∂hⱼ/∂aʰᵢ", "∂/∂aʰᵢ (relu(aʰⱼ))", "relu′(aʰⱼ) 𝟙[j=i]", "step(aʰⱼ) 𝟙[j=i]",
    ],
    (HIDDEN.format("exp(e) - log(g)"), "g"): [
        "∂hⱼ/∂gᵢ", "∂/∂gᵢ (exp(eⱼ) − log gⱼ)", "−log′(gⱼ) 𝟙[j=i]", "−(1 / gⱼ) 𝟙[j=i]",
    ],
}  # fmt: skip

# From the chain rule to the result.
GRADIENTS = {
    ("elman", "U"): [
        "∂J/∂Uᵢⱼ", "Σₖ (ŷₖ − yₖ) ∂θₖ/∂Uᵢⱼ", "Σₖ (ŷₖ − yₖ) hᵢ 𝟙[k=j]", "hᵢ (ŷⱼ − yⱼ)",
    ],
    ("elman", "h"): ["∂J/∂hᵢ", "Σⱼ (ŷⱼ − yⱼ) ∂θⱼ/∂hᵢ", "Σⱼ (ŷⱼ − yⱼ) Uᵢⱼ"],
    ("elman", "b2"): ["∂J/∂b₂,ᵢ", "Σⱼ (ŷⱼ − yⱼ) ∂θⱼ/∂b₂,ᵢ", "Σⱼ (ŷⱼ − yⱼ) 𝟙[j=i]", "ŷᵢ − yᵢ"],
    ("elman", "a_h"): [
        "∂J/∂aʰᵢ", "Σⱼ ∂J/∂hⱼ · ∂hⱼ/∂aʰᵢ", "Σⱼ ∂J/∂hⱼ · σ′(aʰⱼ) 𝟙[j=i]", "∂J/∂hᵢ · σ′(aʰᵢ)",
        "∂J/∂hᵢ · hᵢ (1 − hᵢ)",
    ],
    ("elman", "H"): [
        "∂J/∂Hᵢⱼ |ₜ", "Σₖ δʰₖ ∂aʰₖ/∂Hᵢⱼ", "Σₖ δʰₖ h[t-1]ᵢ 𝟙[k=j]", "h[t-1]ᵢ δʰⱼ",
    ],
    ("elman", "h[t-1]"): ["∂J/∂h[t-1]ᵢ", "Σⱼ δʰⱼ ∂aʰⱼ/∂h[t-1]ᵢ", "Σⱼ δʰⱼ Hᵢⱼ"],
    ("elman", "x"): ["∂J/∂xᵢ", "Σⱼ ∂J/∂eⱼ · ∂eⱼ/∂xᵢ", "Σⱼ ∂J/∂eⱼ · Lᵢⱼ"],
    ("residual", "h[t-1]"): [
        "∂J/∂h[t-1]ᵢ", "Σⱼ δʰⱼ ∂aʰⱼ/∂h[t-1]ᵢ + Σⱼ ∂J/∂hⱼ · ∂hⱼ/∂h[t-1]ᵢ",
        "Σⱼ δʰⱼ Hᵢⱼ + Σⱼ ∂J/∂hⱼ · 𝟙[j=i]", "Σⱼ δʰⱼ Hᵢⱼ + ∂J/∂hᵢ",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("model", "of"), EQUATIONS, ids=lambda text: text[:24].replace("\n", "; "))
def test_one_equation_step_by_step(model: str, of: str) -> None:
    assert local(model, of) == [EQUATIONS[model, of]]


@pytest.mark.parametrize(("model", "of"), GRADIENTS, ids=lambda text: text[:24])
def test_the_chain_rule_step_by_step(model: str, of: str) -> None:
    assert index(model, of) == GRADIENTS[model, of]


def test_in_columns_the_second_index_is_that_of_the_vector() -> None:
    assert local("elman", "U", layout="column") == [
        ["∂θₖ/∂Uᵢⱼ", "∂/∂Uᵢⱼ (Σₗ hₗ Uₖₗ + b₂,ₖ)", "Σₗ hₗ 𝟙[k=i] 𝟙[l=j]", "hⱼ 𝟙[k=i]"]
    ]
    assert index("elman", "U", layout="column")[-1] == "(ŷᵢ − yᵢ) hⱼ"
    assert index("elman", "h", layout="column")[-1] == "Σⱼ (ŷⱼ − yⱼ) Uⱼᵢ"


def test_the_lemma_of_softmax_and_cross_entropy() -> None:
    gradient = derive("elman", "h").gradients[0]
    assert gradient.name == "a·yhat"
    (loss,) = gradient.local
    assert [show(step.after) for step in loss.steps] == [
        "−Σⱼ yⱼ log ŷⱼ",
        "−Σⱼ yⱼ (θⱼ − log(Σₖ exp(θₖ)))",
        "log(Σⱼ exp(θⱼ)) − Σⱼ yⱼ θⱼ",
    ]
    assert [show(step.after) for step in gradient.index.steps][1:] == [
        "(1 / Σⱼ exp(θⱼ)) Σⱼ exp(θⱼ) 𝟙[j=i] − Σⱼ yⱼ 𝟙[j=i]",
        "exp(θᵢ) / Σⱼ exp(θⱼ) − yᵢ",
        "ŷᵢ − yᵢ",
    ]


def test_the_log_likelihood_has_the_other_sign() -> None:
    assert index("elman", "U", objective="log-likelihood")[-1] == "hᵢ (yⱼ − ŷⱼ)"
    assert index("elman", "b2", objective="log-likelihood")[-1] == "yᵢ − ŷᵢ"


def test_a_parameter_that_stands_in_two_equations_has_two_terms() -> None:
    tied = CELLS["tied, with an initial state"]
    assert [chain[0] for chain in local(tied, "L")] == ["∂eₖ/∂Lᵢⱼ", "∂θₖ/∂Lᵢⱼ"]
    assert index(tied, "L")[-1] == "xᵢ ∂J/∂eⱼ + (ŷᵢ − yᵢ) Σₘ hₘ Pₘⱼ"


def test_in_a_batch_a_parameter_is_summed_over_the_examples() -> None:
    left, chain_rule, put_in, result = index("bigram", "U", batch=True)
    assert left == "∂J/∂Uᵢⱼ"
    assert chain_rule == "Σₙ Σₖ (ŷₙₖ − yₙₖ) ∂θₙₖ/∂Uᵢⱼ"
    assert put_in == "Σₙ Σₖ (ŷₙₖ − yₙₖ) hₙᵢ 𝟙[k=j]"
    assert result in ("Σₙ (ŷₙⱼ − yₙⱼ) hₙᵢ", "Σₙ hₙᵢ (ŷₙⱼ − yₙⱼ)")
    assert index("bigram", "b2", batch=True)[-1] == "Σₙ (ŷₙᵢ − yₙᵢ)"
    # A value differs from example to example: nothing to sum.
    assert index("bigram", "h", batch=True)[-1] == "Σⱼ (ŷₙⱼ − yₙⱼ) Uᵢⱼ"


def test_in_a_batch_of_columns_the_example_comes_last() -> None:
    assert index("bigram", "h", layout="column", batch=True)[-1] == "Σⱼ (ŷⱼₙ − yⱼₙ) Uⱼᵢ"


def test_the_reason_names_the_index_that_is_left() -> None:
    steps = derive("elman", "U").gradients[-1].index.steps
    assert [step.rule for step in steps][-1] == "Kronecker delta"
    words = "".join(part if isinstance(part, str) else show(part) for part in steps[-1].reason)
    assert re.search(r"sum over k only k = j", words)


@pytest.mark.parametrize("name", [*FEW, *CELLS])
@pytest.mark.parametrize("layout", ["row", "column"])
def test_no_delta_is_left_under_its_sum(name: str, layout: str) -> None:
    """A delta whose index is summed has to go, and its sum with it, wherever it can."""
    for gradient in derive(CELLS.get(name, name), layout=layout).gradients:
        collapsed = [gradient.index.result]
        collapsed += [c.result for c in gradient.local if "CE" not in show(c.left)]
        assert not any(_summed_delta(formula, frozenset()) for formula in collapsed), gradient.name


def _summed_delta(formula: object, summed: frozenset[str]) -> bool:
    if isinstance(formula, Kronecker) and {formula.left.letter, formula.right.letter} & summed:
        return True
    if isinstance(formula, Sum):
        summed |= {formula.letter}
    return any(_summed_delta(part, summed) for part in children(formula))  # type: ignore[arg-type]


# The two steps of the index calculus by themselves.

I, J, K, N = (Index(letter) for letter in "ijkn")
SIZE = Dim.named("h")


def element(name: str, *at: Index) -> Indexed:
    return Indexed(Symbol(name, (SIZE,) * len(at)), at)


def test_a_delta_picks_one_term_of_its_sum() -> None:
    term = Term((element("a", K),), (Kronecker(K, I),), (("k", SIZE),))
    assert show(total([term])) == "Σₖ aₖ 𝟙[k=i]"
    assert show(total(collapse([term]))) == "aᵢ"
    (left,) = collapse([Term((element("a", K),), (Kronecker(I, K),), (("k", SIZE),))])
    assert show(left.formula()) == "aᵢ"


def test_a_delta_of_free_indices_stays() -> None:
    term = Term((element("a", I),), (Kronecker(J, I),))
    assert collapse([term]) == [term]


def test_two_deltas_take_two_sums_away() -> None:
    deltas = (Kronecker(K, I), Kronecker(N, J))
    term = Term((element("a", K), element("b", N)), deltas, (("n", SIZE), ("k", SIZE)))
    (left,) = collapse([term])
    assert left.formula() == Product((element("a", I), element("b", J))) and not left.sums


def test_a_chain_of_deltas_is_followed_to_its_end() -> None:
    """Σ_k Σ_n a_n 𝟙[n=k] 𝟙[k=i] is a_i."""
    deltas = (Kronecker(N, K), Kronecker(K, I))
    (left,) = collapse([Term((element("a", N),), deltas, (("k", SIZE), ("n", SIZE)))])
    assert show(left.formula()) == "aᵢ" and not left.deltas


def test_the_delta_of_an_index_with_itself_is_one() -> None:
    (left,) = collapse([Term((element("a", I),), (Kronecker(I, I),))])
    assert left.deltas == ()


def test_a_delta_with_an_offset_moves_the_index() -> None:
    """In a concatenation the second part begins at m: 𝟙[k=i+m] picks element i + m."""
    there = Index("i", Dim.named("m"))
    (left,) = collapse([Term((element("a", K),), (Kronecker(K, there),), (("k", SIZE),))])
    assert left.formula() == element("a", there)
    shifted = Kronecker(Index("k", Dim.named("m")), J)
    (back,) = collapse([Term((element("a", K),), (shifted,), (("k", SIZE),))])
    assert back.formula() == element("a", Index("j", Dim() - Dim.named("m"))) and not back.sums


def test_a_sum_without_a_delta_stays() -> None:
    term = Term((element("a", K), element("b", K)), (), (("k", SIZE),))
    assert collapse([term]) == [term]
