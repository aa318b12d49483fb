"""The shipped models lower as they are meant, and `source_of` finds what a user means."""

from pathlib import Path

import pytest

from bptt.errors import InputError
from bptt.ir.dims import VOCABULARY
from bptt.lowering import lower
from bptt.models import shipped, source_of
from bptt.syntax import parse, unparse

# Model to its carries, its sizes, and the number of its parameters.
EXPECTED = {
    "bigram": ((), {"e", "h"}, 5),
    "embed": ((), {"e"}, 2),
    "elman": (("h",), {"e", "h"}, 6),
    "tanh": (("h",), {"e", "h"}, 4),
    "residual": (("h",), {"e", "h"}, 4),
    "gru": (("h",), {"e", "h"}, 13),
    "lstm": (("c", "h"), {"e", "h"}, 15),
    "mingru": (("h",), {"e", "h"}, 7),
    "gru2": (("h1", "h2"), {"e", "h1", "h2"}, 23),
    "lstm2": (("c1", "h1", "c2", "h2"), {"e", "h1", "h2"}, 27),
    "mingru2": (("h1", "h2"), {"e", "h1", "h2"}, 11),
}


def test_all_are_described() -> None:
    assert shipped().keys() == EXPECTED.keys()
    assert all(10 < len(line) < 110 and line.endswith(".") for line in shipped().values())


@pytest.mark.parametrize("name", EXPECTED)
def test_shipped(name: str) -> None:
    document = parse(source_of(name))
    model = lower(document)
    carries, sizes, params = EXPECTED[name]
    assert model.name == name and model.layout == "row" and model.remarks == ()
    assert tuple(s.name for s in model.states) == carries
    assert model.sizes.keys() == model.dims.keys() == sizes
    assert len(model.params) == params
    assert model.definitions[model.output].shape == (VOCABULARY,)
    assert parse(document.source.__class__("again", unparse(document))) == document


def test_residual_state_adds_up() -> None:
    model = lower(parse(source_of("residual")))
    assert [a.op.name for a in model.definitions["h"].args] == ["TANH", "CARRY"]


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.eq"
    path.write_text("h = tanh(x @ L)\n", encoding="utf-8")
    assert source_of(str(path)).text == "h = tanh(x @ L)\n"
    assert lower(parse(source_of(str(path)))).name == "mine"


@pytest.mark.parametrize("text", ["yhat = softmax(x @ L)", "size e = 3\ne = x @ L\n"])
def test_equations_themselves(text: str) -> None:
    source = source_of(text)
    assert (source.name, source.text) == ("<equations>", text)
    assert lower(parse(source)).name == "model"


@pytest.mark.parametrize(
    ("spec", "message", "hint"),
    [
        ("gruu", "there is no model 'gruu', neither shipped nor as a file", "gru"),
        ("LSTM", "there is no model 'LSTM', neither shipped nor as a file", "lstm"),
        (
            "transformer",
            "there is no model 'transformer', neither shipped nor as a file",
            "shipped are bigram",
        ),
        ("nowhere/mine.eq", "there is no file nowhere/mine.eq", "bptt models"),
    ],
)
def test_unknown(spec: str, message: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        source_of(spec)
    assert caught.value.message == message
    assert hint in caught.value.hint


def test_a_misspelt_file(tmp_path: Path) -> None:
    (tmp_path / "mine.eq").write_text("h = x @ L\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        source_of(str(tmp_path / "mien.eq"))
    assert "mine.eq" in caught.value.hint


def test_unreadable_files(tmp_path: Path) -> None:
    (tmp_path / "binary.eq").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="is no text in UTF-8"):
        source_of(str(tmp_path / "binary.eq"))
    (tmp_path / "folder.eq").mkdir()
    with pytest.raises(InputError, match="cannot read"):
        source_of(str(tmp_path / "folder.eq"))
