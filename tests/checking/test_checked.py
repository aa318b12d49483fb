"""`bptt.check`: what it takes for a text and what for a file, and the report in its forms."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import bptt
from bptt.checking import report_json, report_text
from bptt.errors import InputError

TEXT = r"""With $h = \tanh(x W)$ and $\hat y = \mathrm{softmax}(h U)$ and the loss $J$:
$$\frac{\partial J}{\partial U} = h^T (\hat y - y)$$
$$\frac{\partial J}{\partial h} = (\hat y - y) U$$
"""


def test_a_text_and_files(tmp_path: Path) -> None:
    path = tmp_path / "a=b.md"
    path.write_text(TEXT)
    reports = [bptt.check(document) for document in (TEXT, path, str(path))]
    assert [report.document.name for report in reports] == ["<document>", str(path), str(path)]
    for report in reports:
        assert [claim.verdict for claim in report.claims] == ["correct", "wrong"]


def test_a_line_is_a_text() -> None:
    line = r"$\frac{\partial J}{\partial U} = h^T (\hat y - y)$"
    assert bptt.check(line, model="elman").summary["correct"] == 1


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(InputError, match=r"there is no file notes\.md"):
        bptt.check("notes.md")


@pytest.mark.parametrize("option", [{"layout": "rows"}, {"form": "md"}])
def test_options_that_there_are_not(option: dict[str, str]) -> None:
    (name,) = option
    with pytest.raises(InputError, match=f"there is no {name} '"):
        bptt.check(TEXT, **option)


def test_its_forms() -> None:
    report = bptt.check(TEXT)
    assert str(report) == report_text.render(report, 100)
    assert report.data() == json.loads(report_json.render(report))
    assert report.markdown().startswith("# ") and report.html().startswith("<!DOCTYPE html>")
    assert repr(report) == "<report on <document>: 1 correct, 1 wrong>"
    shown = report._repr_html_()
    assert shown.startswith('<div class="bptt check">') and "<style>" in shown and "<html" not in shown
