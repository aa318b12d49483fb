"""Random valid models lower, in both layouts, to the same IR."""

from hypothesis import given

from bptt.ir import build
from bptt.ir.dims import VOCABULARY
from bptt.ir.expr import Expr
from bptt.ir.model import Model
from bptt.ir.ops import Op
from bptt.ir.traversal import substitute, topological
from bptt.lowering import lower
from bptt.source import Source
from bptt.syntax import parse
from models_strategy import RandomModel, random_models


def lowered(text: str) -> Model:
    return lower(parse(Source("random.eq", text)))


@given(random_models())
def test_random_models_lower(model: RandomModel) -> None:
    result = lowered(model.row)
    assert result.layout == "row"
    assert result.definitions[result.output].shape == (VOCABULARY,)
    assert result.objective.shape == ()
    aliases = {alias for names in result.dims.values() for alias in names}
    assert model.sizes.keys() - {"V"} <= aliases
    assert set(result.sizes) == set(result.dims)
    numbers = {**result.sizes, "V": model.sizes["V"]}
    assert all(d.evaluate(numbers) > 1 for shape in result.params.values() for d in shape)


@given(random_models())
def test_definitions_come_after_what_they_use(model: RandomModel) -> None:
    result = lowered(model.row)
    position = {e: i for i, e in enumerate(result.definitions.values())}
    for e in result.definitions.values():
        assert all(position.get(part, -1) <= position[e] for part in topological([e]))


@given(random_models())
def test_every_leaf_is_declared(model: RandomModel) -> None:
    result = lowered(model.row)
    carries = {state.name: state.shape for state in result.states}
    starts = [s.initial for s in result.states if s.initial is not None]
    roots = [*result.definitions.values(), result.objective, *(s.update for s in result.states), *starts]
    for e in topological(roots):
        if e.op is Op.PARAM:
            assert result.params[e.attr] == e.shape
        if e.op is Op.CARRY:
            assert carries[e.attr] == e.shape
    assert all(s.update.shape == s.shape for s in result.states)
    assert not any(e.varies for e in starts)


@given(random_models())
def test_columns_are_rows_with_transposed_parameters(model: RandomModel) -> None:
    row, column = lowered(model.row), lowered(model.column)
    assert (row.layout, column.layout) == ("row", "column")
    matrices = {name: shape for name, shape in column.params.items() if len(shape) == 2}
    transposed: dict[Expr, Expr] = {
        build.param(name, shape): build.transpose(build.param(name, shape[::-1]))
        for name, shape in matrices.items()
    }
    assert row.params == {n: s[::-1] for n, s in column.params.items()}
    assert row.dims == column.dims
    for name, e in row.definitions.items():
        assert e is substitute(column.definitions[name], transposed), name
    assert row.objective is substitute(column.objective, transposed)
    for mine, theirs in zip(row.states, column.states, strict=True):
        assert (mine.name, mine.lag, mine.shape) == (theirs.name, theirs.lag, theirs.shape)
        assert mine.update is substitute(theirs.update, transposed)
        assert mine.initial is theirs.initial
