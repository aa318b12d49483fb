"""The lemma that every language model begins with: ∂J/∂θ of J = CE(y, softmax(θ)) is ŷ - y."""

from __future__ import annotations

from bptt.autodiff.rules import RULES
from bptt.derivation.board import BATCH, Value
from bptt.derivation.cotangents import Cotangents
from bptt.derivation.index_form import EXAMPLE
from bptt.derivation.matrix_form import (
    negate,
)
from bptt.derivation.steps import Derivation, chain
from bptt.formula.tree import (
    Add,
    Apply,
    Derivative,
    Formula,
    Index,
    Kronecker,
    Number,
    Product,
    Quotient,
    Sum,
    Symbol,
    Text,
)
from bptt.ir import build
from bptt.ir.ops import Op


def softmax_with_cross_entropy(derive: Cotangents, value: Value) -> Derivation:
    """∂J/∂θ for J = CE(y, softmax(θ)): the logarithm takes the softmax apart first."""
    assert derive.cross_entropy is not None
    logits, target = derive.cross_entropy.args
    (i,) = derive.places(logits)
    j = Index(derive.index.letter((i,)))
    k = Index(derive.index.letter((i, j)))
    size_of = logits.shape[0]
    theta = {index: derive.index(logits, (index,)) for index in (i, j, k)}
    y = {index: derive.index(target, (index,)) for index in (i, j)}
    probability = {index: derive.index(build.apply(Op.SOFTMAX, logits), (index,)) for index in (i, j)}
    exponential = {index: Apply("exp", theta[index]) for index in (i, j, k)}
    minus = derive.board.loss.definition.op is Op.NEG

    def signed(formula: Formula) -> Formula:
        return negate(formula) if minus else formula

    partition = Sum(j.letter, exponential[j], size_of)
    picked = Sum(j.letter, Product((y[j], theta[j])), size_of)
    left = Derivative(derive.loss, theta[i])
    in_words = Symbol("y")
    loss_links: list[tuple[Formula, str, Text]] = [
        (signed(negate(Sum(j.letter, Product((y[j], Apply("log", probability[j]))), size_of))),
         "definition", ()),
        (signed(negate(Sum(j.letter, Product((y[j], Add((theta[j], negate(Apply("log",
            Sum(k.letter, exponential[k], size_of))))))), size_of))),
         "logarithm of the softmax", ()),
        (signed(Add((Apply("log", partition), negate(picked)))),
         "the target is a distribution", ("the elements of ", in_words, " add up to 1")),
    ]  # fmt: skip
    ratio = Quotient(exponential[i], partition)
    delta = Kronecker(j, i)
    links: list[tuple[Formula, str, Text]] = [
        (Derivative(signed(Add((Apply("log", partition), negate(picked)))), theta[i]),
         "the loss as above", ()),
        (signed(Add((
            Product((Quotient(Number(1.0), partition),
                     Sum(j.letter, Product((exponential[j], delta)), size_of))),
            negate(Sum(j.letter, Product((y[j], delta)), size_of))))),
         "derivative of log and derivative of exp", ()),
        (signed(Add((ratio, negate(y[i])))), "Kronecker delta",
         ("of each sum over ", Symbol(j.letter), " only ", Symbol(j.letter), " = ", Symbol(i.letter),
          " is left")),
        (signed(Add((probability[i], negate(y[i])))), "softmax", ("this ratio is the softmax",)),
    ]  # fmt: skip
    if derive.board.batch:
        loss_links = [(Sum(EXAMPLE.letter, f, BATCH), rule, why) for f, rule, why in loss_links]
        first, rule, _ = links[1]
        alone: Text = ("of the sum over the examples only that of ", value.symbol, "'s own depends on it")
        links = [(first, rule, alone), *links[2:]]
    loss = chain(derive.loss, loss_links, "index", derive.reading)
    matrix = chain(
        Derivative(derive.loss, value.symbol),
        [(derive.softmax_error(value), RULES[Op.CROSS_ENTROPY].name, ())],
        "matrix",
        derive.reading,
    )
    defined = (derive.define(derive.board.loss),)
    index = chain(left, links, "index", derive.reading)
    return Derivation(value.name, value.symbol, "value", value.leaf.shape, defined, (loss,), index, matrix)
