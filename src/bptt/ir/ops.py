"""The closed set of operations. docs/operations.md is the same table for readers, held to this one by a test.

All operations act on one example at one time step: a scalar, a vector or a matrix. That a program runs over
B examples and T steps is said by its blocks (program.py), never by an operation.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Op(Enum):
    # Leaves.
    PARAM = auto()
    TOKEN = auto()
    INPUT = auto()
    CARRY = auto()
    VALUE = auto()
    CONST = auto()
    SIZE = auto()
    MASK = auto()
    # Elementwise.
    ADD = auto()
    MUL = auto()
    DIV = auto()
    NEG = auto()
    POW = auto()
    EXP = auto()
    LOG = auto()
    SQRT = auto()
    TANH = auto()
    SIGMOID = auto()
    RELU = auto()
    STEP = auto()
    SOFTPLUS = auto()
    # Products.
    CONTRACT = auto()
    OUTER = auto()
    TRANSPOSE = auto()
    LOOKUP = auto()
    SCATTER = auto()
    # Whole vectors.
    SUM = auto()
    BROADCAST = auto()
    SOFTMAX = auto()
    LOG_SOFTMAX = auto()
    LOGSUMEXP = auto()
    CROSS_ENTROPY = auto()
    # Parts.
    CONCAT = auto()
    SLICE = auto()


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an operation: `attr` says what its attribute holds ("" where it has none)."""

    meaning: str
    attr: str = ""
    arity: int | None = 1  # None: any number from one on
    cheap: bool = False  # costs no more than reading its arguments back from memory


FACTS: dict[Op, Facts] = {
    Op.PARAM: Facts("a parameter, or a value computed from parameters alone", "name", 0, True),
    Op.TOKEN: Facts("a token as a one-hot vector over the vocabulary", "name: x or y", 0, True),
    Op.INPUT: Facts("a given number for each example and step", "name", 0, True),
    Op.CARRY: Facts("a carried value as it enters the step", "name", 0, True),
    Op.VALUE: Facts("an output of an earlier block, at this example and step", "name", 0, True),
    Op.CONST: Facts("a number", "the number", 0, True),
    Op.SIZE: Facts("the size of an axis, as a number", "the Dim", 0, True),
    Op.MASK: Facts("a dropout mask: 0 or 1/(1-rate), drawn anew each step", "(key, rate)", 0, True),
    Op.ADD: Facts("a + b + …", "", None, True),
    Op.MUL: Facts("a · b, element by element", "", 2, True),
    Op.DIV: Facts("a / b, element by element", "", 2, True),
    Op.NEG: Facts("-a", "", 1, True),
    Op.POW: Facts("a to a constant power", "the exponent"),
    Op.EXP: Facts("e to the a"),
    Op.LOG: Facts("natural logarithm"),
    Op.SQRT: Facts("square root"),
    Op.TANH: Facts("hyperbolic tangent"),
    Op.SIGMOID: Facts("1 / (1 + exp(-a))"),
    Op.RELU: Facts("max(a, 0)", "", 1, True),
    Op.STEP: Facts("1 where a > 0, else 0", "", 1, True),
    Op.SOFTPLUS: Facts("log(1 + exp(a))"),
    Op.CONTRACT: Facts(
        "sum over one axis of each: the products of linear algebra", "(axis of a, axis of b)", 2
    ),
    Op.OUTER: Facts("the matrix of all products a_i b_j of two vectors", "", 2),
    Op.TRANSPOSE: Facts("the transposed matrix"),
    Op.LOOKUP: Facts(
        "the part of a matrix that a token picks: contraction with its one-hot vector", "axis", 2
    ),
    Op.SCATTER: Facts("a matrix that is zero but for the vector in the token's row (or column)", "axis", 2),
    Op.SUM: Facts("the sum of all elements"),
    Op.BROADCAST: Facts("a scalar in every place of a shape", "the shape", 1, True),
    Op.SOFTMAX: Facts("exp(a) / sum(exp(a))"),
    Op.LOG_SOFTMAX: Facts("a - log(sum(exp(a)))"),
    Op.LOGSUMEXP: Facts("log(sum(exp(a)))"),
    Op.CROSS_ENTROPY: Facts("-sum(y · log(softmax(a))) for a distribution y", "", 2),
    Op.CONCAT: Facts("the arguments one after the other along an axis", "axis", None, True),
    Op.SLICE: Facts("the part of a from start to stop along an axis", "(axis, start, stop)", 1, True),
}

LEAVES = frozenset(op for op, facts in FACTS.items() if facts.arity == 0)
# Leaves that differ from example to example or step to step; whatever holds none of them is the same for a
# whole run.
VARYING = frozenset({Op.TOKEN, Op.INPUT, Op.CARRY, Op.VALUE, Op.MASK})
ELEMENTWISE = frozenset(
    {
        Op.ADD,
        Op.MUL,
        Op.DIV,
        Op.NEG,
        Op.POW,
        Op.EXP,
        Op.LOG,
        Op.SQRT,
        Op.TANH,
        Op.SIGMOID,
        Op.RELU,
        Op.STEP,
        Op.SOFTPLUS,
    }
)
