"""Whatever equations are given: a model, or one diagnostic; never another exception."""

from hypothesis import given, settings
from hypothesis import strategies as st

from bptt.errors import EquationError
from bptt.ir.dims import VOCABULARY
from bptt.lowering import lower
from bptt.source import Source
from bptt.syntax import parse

LEAVES = ["x", "x[t-1]", "y", "e", "h", "h[t-1]", "h[t-2]", "s[t-1]", "W", "U", "b", "w", "k", "0.5", "1"]
PATTERNS = [
    "({} @ {})", "({} @ {})", "({} @ {})", "({} + {})", "({} * {})", "({} / {})", "({} × {})", "[{}, {}]",
    "{}.T", "(-{})", "tanh({})", "softmax({})", "log_softmax({})", "sum({})", "mean({})", "dropout({}, 0.5)",
    "({} ** 2)",
]  # fmt: skip


def _apply(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(
        lambda pattern, a, b: pattern.format(a, b), st.sampled_from(PATTERNS), children, children
    )


expressions = st.recursive(st.sampled_from(LEAVES), _apply, max_leaves=6)
statements = st.one_of(
    st.builds("{} = {}".format, st.sampled_from(["e", "h", "s", "yhat", "J"]), expressions),
    st.builds("yhat = softmax({})".format, expressions),
    st.builds("h[0] = {}".format, expressions),
    st.builds("size {} = {}".format, st.sampled_from("ehsbk"), st.integers(1, 3)),
    st.builds(
        "{} : {}".format,
        st.sampled_from("hWUbx"),
        st.sampled_from(["h", "k", "h, k", "V, h", "2, 3", "h, 1"]),
    ),
)


@settings(max_examples=600)
@given(st.lists(statements, min_size=1, max_size=6, unique_by=lambda s: s.split(" ")[0]))
def test_a_model_or_a_diagnostic(lines: list[str]) -> None:
    source = Source("random.eq", "\n".join(lines) + "\n")
    try:
        model = lower(parse(source))
    except EquationError as err:
        shown = str(err)
        assert shown.startswith("random.eq:") and "None" not in shown
        return
    assert model.definitions[model.output].shape == (VOCABULARY,)
    assert model.objective.shape == ()
    assert all(
        d.evaluate({**dict.fromkeys(model.dims, 2), "V": 3}) > 0 for s in model.params.values() for d in s
    )
