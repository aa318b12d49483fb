"""`bptt check`: documents in, reports out, exit codes, and the words of its refusals.

The judging is not what is tested here: in its place stands one that finds every `= wrong` of a text.
"""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from bptt.checking.documents import Notebook
from bptt.checking.report import Claim, Report
from bptt.cli import check
from bptt.cli.main import Parser
from bptt.errors import BpttError, InputError
from bptt.source import Source

GOOD = "$a = right$\n"
BAD = "$a = right$\n\n$b = wrong$\n"


@pytest.fixture(autouse=True)
def judged(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the judging was called with."""
    calls: list[dict[str, Any]] = []

    def check_document(source: Source, **options: Any) -> Report:
        calls.append({"source": source, **options})
        if "refuse" in source.text:
            raise InputError(f"{source.name} is refused")
        claims = [
            Claim(source.span(*m.span(2)), f"∂J/∂{m[1]}", {"right": "correct"}.get(m[2], m[2]), mend="right")
            for m in re.finditer(r"(\w) = (right|wrong|undecided)", source.text)
        ]
        return Report(source, "", "", tuple(claims))

    def explain_line(source: Source, line: int, **options: Any) -> str:
        calls.append({"source": source, "line": line, **options})
        return f"line {line} explained\n"

    for name, function in (("check", check_document), ("explain", explain_line)):
        module = ModuleType(f"bptt.checking.{name}")
        setattr(module, function.__name__, function)
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return calls


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in (
        ("good.md", GOOD),
        ("bad.md", BAD),
        ("bad.tex", BAD),
        ("open.txt", "$a = undecided$\n"),
    ):
        Path(name).write_text(text)
    return tmp_path


def bptt_check(*arguments: str) -> int:
    parser = Parser(prog="bptt check", allow_abbrev=False)
    check.add_arguments(parser)
    return check.run(parser.parse_all(arguments))


def refusal(*arguments: str) -> str:
    with pytest.raises(BpttError) as caught:
        bptt_check(*arguments)
    assert caught.value.exit_code == 2
    return str(caught.value)


# Exit codes and what is printed.


@pytest.mark.parametrize(
    ("documents", "code"),
    [
        (["good.md"], 0),
        (["open.txt"], 0),
        (["bad.md"], 1),
        (["good.md", "bad.md", "good.md"], 1),
        (["missing.md"], 2),
        (["missing.md", "good.md"], 2),
        (["bad.md", "missing.md"], 2),
    ],
)
@pytest.mark.parametrize("quiet", [True, False])
def test_exit_codes(
    documents: list[str], code: int, quiet: bool, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bptt_check(*documents, *["--quiet"] * quiet) == code
    out, err = capsys.readouterr()
    assert (out == "") == (quiet or documents == ["missing.md"])
    assert err == ("error: there is no file missing.md\n" if "missing.md" in documents else "")


def test_the_report_in_the_terminal(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bptt_check("bad.md")
    assert capsys.readouterr().out == (
        "bad.md: 2 claims: 1 correct, 1 wrong\n\n"
        "line 3, column 6: wrong: ∂J/∂b\n   3 | $b = wrong$\n     |      ^^^^^\n  mend: right\n"
    )


def test_all(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bptt_check("bad.md", "--all")
    assert capsys.readouterr().out.endswith("what is correct\n     1 ✓ ∂J/∂a  correct\n")


def test_lines_are_as_wide_as_the_terminal(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("long.md").write_text("$" + "x" * 400 + " a = wrong" + "x" * 400 + "$")
    for columns, widest in (("60", 60), ("10", 40), ("300", 100)):
        monkeypatch.setenv("COLUMNS", columns)
        bptt_check("long.md")
        assert max(map(len, capsys.readouterr().out.splitlines())) == widest


def test_colour_only_where_somebody_looks(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bptt_check("bad.md")
    assert "\x1b" not in capsys.readouterr().out
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    bptt_check("bad.md")
    assert "\x1b" in capsys.readouterr().out
    bptt_check("bad.md", "-o", "out.txt")
    assert "\x1b" not in Path("out.txt").read_text()


# Documents.


def test_one_that_cannot_be_read_does_not_stop_the_others(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("refuse.md").write_text("refuse")
    assert bptt_check("missing.md", "bad.md", "refuse.md", "good.md") == 2
    out, err = capsys.readouterr()
    assert re.findall(r"^\S+(?=: \d claims?:)", out, re.MULTILINE) == ["bad.md", "good.md"]
    assert err == "error: there is no file missing.md\nerror: refuse.md is refused\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x89PNG\x00\x1a", "error: a.md is no text\n  hint: "),
        ("a = b".encode("utf-16"), "error: a.md is no"),
        (
            "é".encode("latin-1"),
            "error: a.md is not UTF-8: byte 0 is 0xe9\n  hint: convert it: iconv -t utf-8",
        ),
    ],
)
def test_what_is_no_text(
    content: bytes, message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("a.md").write_bytes(content)
    assert bptt_check("a.md") == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith(message) and err.count("error") == 1


def test_a_folder_and_an_impossible_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bptt_check(".", "a\0b") == 2
    assert capsys.readouterr().err == (
        "error: . is a folder\n  hint: name its files: bptt check FOLDER/*.md\n"
        "error: there is no file 'a\\x00b'\n"
    )


def test_standard_input(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(BAD.encode())))
    assert bptt_check("-") == 1
    assert capsys.readouterr().out.startswith("<stdin>: 2 claims")


@pytest.mark.parametrize(
    ("name", "text", "form"),
    [
        ("a.md", "x", "markdown"),
        ("a.tex", "x", "latex"),
        ("a.TEX", "x", "latex"),
        ("a.txt", "x", "text"),
        ("a", "x", "text"),
        ("a.txt", r"\begin{document}", "latex"),
    ],
)
def test_forms(name: str, text: str, form: str, folder: Path, judged: list[dict[str, Any]]) -> None:
    Path(name).write_text(text)
    bptt_check(name, "--quiet", "--model", "elman", "--layout", "column")
    assert judged == [{"source": Source(name, text), "model": "elman", "layout": "column", "form": form}]


def test_a_notebook(folder: Path, judged: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    cells = [{"cell_type": "markdown", "metadata": {}, "source": ["$b = wrong$"]}]
    Path("a.ipynb").write_text(
        json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    )
    assert bptt_check("a.ipynb") == 1
    assert isinstance(judged[0]["source"], Notebook) and judged[0]["form"] == "notebook"
    assert "(cell 1, line 1, column 6)" in capsys.readouterr().out
    assert bptt_check("a.ipynb", "--annotate", "b.md") == 2
    assert "a.ipynb is a notebook, and these cannot be annotated" in capsys.readouterr().err
    assert not Path("b.md").exists()


# Formats.


def test_json_is_a_line_a_document(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bptt_check("bad.md", "good.md", "--json") == 1
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["document"], first["summary"]["wrong"]) == ("bad.md", 1)
    assert (second["document"], second["summary"]["wrong"]) == ("good.md", 0)
    bptt_check("bad.md", "--to", "json")
    assert json.loads(capsys.readouterr().out) == first


def test_csv_is_a_row_a_document(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bptt_check("missing.md", "bad.md", "good.md", "--to", "csv") == 2
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(row["document"], row["wrong"]) for row in rows] == [("bad.md", "1"), ("good.md", "0")]


def test_html_is_one_page(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bptt_check("bad.md", "good.md", "--to", "html")
    out = capsys.readouterr().out
    assert out.count("<!DOCTYPE html>") == 1 and out.count("<section>") == 2


def test_markdown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bptt_check("bad.md", "good.md", "--to", "markdown")
    out = capsys.readouterr().out
    assert re.findall(r"\n?\n?# (\S+):", out) == ["bad.md", "good.md"] and "\n\n# good.md" in out


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("r.md", "# bad.md"),
        ("r.html", "<!DOCTYPE"),
        ("r.json", "{"),
        ("r.CSV", "document,"),
        ("r.txt", "bad.md: 2"),
    ],
)
def test_the_format_of_a_file_is_that_of_its_name(
    name: str, begins: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bptt_check("bad.md", "-o", name) == 1
    assert capsys.readouterr() == ("", f"wrote {name}\n")
    written = Path(name).read_text()
    assert written.startswith(begins)
    bptt_check("bad.md", "-o", "other", "--to", {"r.CSV": "csv", "r.txt": "terminal"}.get(name, {
        "r.md": "markdown", "r.html": "html", "r.json": "json"}.get(name, "")))  # fmt: skip
    assert Path("other").read_text() == written


def test_a_file_is_written_whole_or_not_at_all(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for form in check.FORMATS:
        assert bptt_check("missing.md", "-o", "out", "--to", form) == 2
        assert not Path("out").exists()
    assert bptt_check("bad.md", "-o", "out", "--quiet") == 1
    assert Path("out").exists()
    assert "wrote" not in capsys.readouterr().err


# Annotated copies.


def test_a_copy_with_comments(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bptt_check("bad.md", "--annotate", "copy.md", "--json") == 1
    assert Path("copy.md").read_text() == (
        "$a = right$\n> ✓ line 1: ∂J/∂a: correct; mend: $right$\n\n"
        "$b = wrong$\n> ✗ line 3: ∂J/∂b: wrong; mend: $right$\n"
    )
    assert capsys.readouterr().err == "wrote copy.md\n"
    bptt_check("bad.tex", "--annotate", "copy.tex", "--quiet")
    assert Path("copy.tex").read_text().count("% bptt: ") == 2


def test_every_byte_of_the_document_is_kept(folder: Path) -> None:
    original = b"\xef\xbb\xbf$a = right$\r\n\r\n$b = wrong$\n\rend"
    Path("a.md").write_bytes(original)
    bptt_check("a.md", "--annotate", "b.md", "--quiet")
    copy = Path("b.md").read_bytes()
    assert copy.count(b"> ") == 2
    assert re.sub(b"> [^\r\n]*(\r\n|\n|\r)", b"", copy) == original


def test_copies_of_several_documents_go_to_a_folder(folder: Path) -> None:
    assert "several documents cannot all be written to out.md" in refusal(
        "good.md", "bad.md", "--annotate", "out.md"
    )
    Path("marked").mkdir()
    bptt_check("good.md", "bad.tex", "--annotate", "marked", "--quiet")
    assert sorted(path.name for path in Path("marked").iterdir()) == ["bad.tex", "good.md"]
    Path("other").mkdir()
    Path("other/good.md").write_text(GOOD)
    assert "documents of the same name" in refusal("good.md", "other/good.md", "--annotate", "marked")


@pytest.mark.parametrize("option", ["-o", "--annotate"])
def test_a_document_is_never_written_over(option: str, folder: Path) -> None:
    Path("link.md").symlink_to("bad.md")
    for target in ("bad.md", "./bad.md", str(folder / "bad.md"), "link.md"):
        assert f"{Path(target)} is the document itself" in refusal("bad.md", option, target)
    assert Path("bad.md").read_text() == BAD


def test_a_copy_into_the_folder_of_the_document(folder: Path) -> None:
    assert "bad.md is the document itself" in refusal("bad.md", "--annotate", ".")


# Options.


def test_explain(folder: Path, capsys: pytest.CaptureFixture[str], judged: list[dict[str, Any]]) -> None:
    assert bptt_check("bad.md", "--explain", "3", "--layout", "row") == 0
    assert capsys.readouterr().out == "line 3 explained\n"
    assert judged == [
        {
            "source": Source("bad.md", BAD),
            "line": 3,
            "model": None,
            "layout": "row",
            "form": "markdown",
            "columns": 80,
            "colour": False,
        }
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["bad.md", "--explain", "0"], "bad.md has no line 0\n  hint: its lines are 1 to 3"),
        (["bad.md", "--explain", "4"], "bad.md has no line 4"),
        (["bad.md", "good.md", "--explain", "1"], "--explain takes one document"),
        (["bad.md", "--explain", "x"], "--explain x is not a whole number"),
        (["missing.md", "--explain", "1"], "there is no file missing.md"),
        (["bad.md", "--to", "pdf"], "there is no format 'pdf'\n  hint: one of terminal, markdown"),
        (["bad.md", "--to", "csv", "--json"], "--json and --to csv ask for two formats"),
        (["bad.md", "--layout", "rows"], "there is no layout 'rows'\n  hint: one of row, column"),
        (["bad.md", "--model", "elmann"], "there is no model 'elmann'"),
        (["bad.md", "-o", "no/such/folder.md"], "cannot write no/such/folder.md"),
        ([], "DOCUMENT"),
        (["bad.md", "--silent"], "bptt check knows no option --silent"),
    ],
)
def test_refusals(
    arguments: list[str], message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert message in refusal(*arguments)
    assert capsys.readouterr().out == ""


def test_a_copy_that_cannot_be_written_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bptt_check("bad.md", "--annotate", "no/such.md", "--quiet") == 2
    assert capsys.readouterr().err.startswith("error: cannot write no/such.md: ")
