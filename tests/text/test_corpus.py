"""Reading texts, and dividing them."""

import io
from pathlib import Path
from types import SimpleNamespace

import pytest

from bptt.errors import InputError
from bptt.text.corpus import python_documentation, read_bytes, read_text, split_off


def test_line_ends_are_left_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes("\ufeffa\r\nb\rc\n".encode())
    assert read_text(str(path)) == "a\r\nb\rc\n"


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"abc")))
    assert read_text("-") == "abc"


def test_what_is_no_text_is_said(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(b"ab\xff")
    with pytest.raises(InputError, match="is not UTF-8: byte 2 is 0xff"):
        read_text(str(path))
    assert read_bytes(str(path)).encode("utf-8", "surrogateescape") == b"ab\xff"
    with pytest.raises(InputError, match="there is no file"):
        read_text(str(tmp_path / "missing.txt"))
    with pytest.raises(InputError, match="is a folder"):
        read_text(str(tmp_path))


def test_the_text_that_every_python_carries() -> None:
    assert len(python_documentation()) > 100_000


@pytest.mark.parametrize(
    ("boundary", "first", "second"),
    [
        ("", ["ab cd\nef", " gh"], ["\nij"]),
        ("\n", ["ab cd\nef", " gh\n"], ["ij"]),
        (r"\s+", ["ab cd\nef", " gh\n"], ["ij"]),
    ],
)
def test_the_end_is_split_off_at_a_boundary(boundary: str, first: list[str], second: list[str]) -> None:
    assert split_off(["ab cd\nef", " gh\nij"], 0.2, boundary) == (first, second)


def test_whole_texts_are_split_off() -> None:
    assert split_off(["aaaa", "bbbb", "cc"], 0.6, "") == (["aaaa"], ["bbbb", "cc"])
