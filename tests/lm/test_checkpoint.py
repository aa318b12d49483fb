"""Model files: what is written is read back, and what is no model is said to be none."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from bptt.errors import InputError
from bptt.lm.checkpoint import MODEL_FILE, load_model, write_whole
from bptt.lm.language_model import LanguageModel

MakeModel = Callable[..., LanguageModel]

TEXT = "to be or not to be"
OLD_RUN = Path(__file__).parent.parent / "data" / "run-format-1"


@pytest.fixture
def file(make_model: MakeModel, tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    make_model("gru", TEXT, lines=True).save(path)
    return path


def changed(file: Path, arrays: dict[str, np.ndarray] | None = None, **metadata: str | None) -> Path:
    """The model file with other metadata (None: without) or arrays."""
    with safe_open(file, framework="numpy") as opened:
        facts = {**opened.metadata(), **metadata}
        tensors = {name: opened.get_tensor(name) for name in opened.keys()} | (arrays or {})  # noqa: SIM118
    save_file(
        {n: a for n, a in tensors.items() if a.size}, file, {k: v for k, v in facts.items() if v is not None}
    )
    return file


def test_a_saved_model_is_the_same_model(make_model: MakeModel, tmp_path: Path) -> None:
    for spec in ("gru", "e = L @ x\nh = tanh(H @ h[t-1] + e)\nyhat = softmax(U @ h)  # σ"):
        lm = make_model(spec, TEXT, "word", lines=True)
        lm.save(tmp_path / "a.safetensors")
        again = LanguageModel.load(tmp_path / "a.safetensors", "reference")
        assert again.score(TEXT) == lm.score(TEXT)
        assert again.sizes == lm.sizes
        assert again.model.source.text == lm.model.source.text
        assert repr(again) == repr(lm)


def test_the_same_model_makes_the_same_file(make_model: MakeModel, tmp_path: Path) -> None:
    lm = make_model("gru", TEXT)
    contents = set()
    for number in range(8):
        path = tmp_path / f"{number}.safetensors"
        lm.save(path)
        contents.add(path.read_bytes())
    assert len(contents) == 1
    header = next(iter(contents))
    assert int.from_bytes(header[:8], "little") % 8 == 0


def test_a_folder_holds_its_model(make_model: MakeModel, tmp_path: Path) -> None:
    make_model("bigram", TEXT).save(tmp_path)
    assert (tmp_path / MODEL_FILE).exists()
    assert LanguageModel.load(tmp_path).parameter_count > 0


def test_a_file_of_the_first_format_is_still_read() -> None:
    lm = LanguageModel.load(OLD_RUN, "reference")
    expected = json.loads((OLD_RUN / "expected.json").read_text(encoding="utf-8"))
    assert lm.score(expected["text"]) == pytest.approx(expected["log_probability"], rel=1e-5)
    assert lm.sample(length=expected["length"], temperature=0) == expected["sample"]


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"version": "2"}, r"written by a newer bptt \(format version 2, this one reads up to 1\)"),
        ({"version": "x"}, "is damaged: its version is 'x'"),
        ({"format": "pt"}, "is a safetensors file, but holds no bptt model"),
        ({"format": None}, "is a safetensors file, but holds no bptt model"),
        ({"sizes": "{"}, "is damaged: JSONDecodeError"),
        ({"sizes": "{}"}, "is damaged: it does not say the size"),
        ({"tokenizer": "{}"}, "is damaged: KeyError: 'kind'"),
        ({"equations": None}, "is damaged: KeyError: 'equations'"),
        ({"equations": "h = ("}, "the equations in .* are not understood"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(file: Path, metadata: dict[str, str | None], message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_model(changed(file, **metadata))


def test_weights_have_to_fit_the_equations(file: Path) -> None:
    with pytest.raises(InputError, match="the parameter b is float32 \\(3,\\), and should be"):
        load_model(changed(file, {"b": np.zeros(3, np.float32)}))


def test_a_missing_parameter_is_named(file: Path) -> None:
    with pytest.raises(InputError, match="it lacks the parameter b"):
        load_model(changed(file, {"b": np.zeros(0, np.float32)}))


@pytest.mark.parametrize(
    "content", [b"", b"abc", b"PK\x03\x04 something else", b"\xff" * 100, b"\x08" + bytes(7) + b"{"]
)
def test_something_else_is_no_model(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError, match="not a safetensors file, or its beginning is damaged"):
        load_model(path)


def test_a_file_cut_short_anywhere_is_damaged(file: Path) -> None:
    content = file.read_bytes()
    for length in (20, 300, len(content) // 2, len(content) - 1):
        file.write_bytes(content[:length])
        with pytest.raises(InputError, match="damaged"):
            load_model(file)


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no run"):
        load_model(tmp_path)
    with pytest.raises(InputError, match="there is no file"):
        load_model(tmp_path / "missing")


def test_a_file_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    write_whole(path, b"old")

    def fail(*args: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fail)
        with pytest.raises(InputError, match=r"cannot write .*: No space left on device"):
            write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"


def test_a_new_file_is_as_readable_as_any(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", b"")
    (tmp_path / "b").write_bytes(b"")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode
