"""`bptt derive`: options, formats, files, and the words of its refusals."""

from __future__ import annotations

import json
import os
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from bptt.cli.main import main
from bptt.models import shipped
from cells import CELLS


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["derive", *arguments]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def data(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    return json.loads(shown(capsys, *arguments, "--json"))


def headings(out: str) -> list[str]:
    """The lines that have a rule below them."""
    lines = out.splitlines()
    return [a for a, b in pairwise(lines) if a and b and set(b) <= set("═─╌")]


# The page in the terminal.


def test_the_order_of_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, "bigram")
    found = headings(out)
    assert found[:3] == ["The gradients of bigram", "The model", "All gradients"]
    assert [h.split(":")[0] for h in found[3:]] == [
        "The value θ", "The parameter U", "The parameter b₂", "The value h", "The value aʰ",
        "The parameter W", "The parameter b₁", "The value e", "The parameter L", "The input x",
    ]  # fmt: skip
    assert "∂J/∂U = hᵀ (ŷ − y)" in out


def test_one_gradient_with_what_leads_to_it(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, "elman", "--of", "U")
    assert headings(out)[0] == "The gradient of elman by U"
    assert [h.split(":")[0] for h in headings(out)[2:4]] == ["The value θ", "The parameter U"]
    assert "The parameter H" not in out and "Why" not in out


WIDE = ("memory matrix", "normalised", "lstm of concatenations", "two layers, two steps back")


@pytest.mark.parametrize("model", ["elman", "lstm", *map(CELLS.get, WIDE)], ids=["elman", "lstm", *WIDE])
def test_every_page_fits(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, model, "--explain", "--shapes", "--unroll", "2", "--width", "80")
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80
    assert not any(line != line.rstrip() for line in lines)
    assert "\n\n\n" not in out and "None" not in out and "·h" not in out


@pytest.mark.parametrize("width", ["60", "100"])
def test_the_width_is_that_of_the_terminal_or_the_one_asked_for(
    width: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = shown(capsys, "elman", "--of", "H", "--width", width)
    monkeypatch.setenv("COLUMNS", width)
    assert shown(capsys, "elman", "--of", "H") == asked
    assert max(map(len, asked.splitlines())) <= int(width)


def test_there_is_no_colour_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    assert "\x1b" not in shown(capsys, "elman")


# Options.


def test_shapes_stand_under_factors_and_are_checked(capsys: pytest.CaptureFixture[str]) -> None:
    plain, with_shapes = (shown(capsys, "elman", "--of", "U", *more) for more in ([], ["--shapes"]))
    assert "(h×1)" not in plain
    lines = with_shapes.splitlines()
    (at,) = [n for n, line in enumerate(lines) if re.fullmatch(r" *∂J/∂U = *hᵀ *\(ŷ − y\).*", line)]
    assert lines[at + 1].split() == ["(h×V)", "(h×1)", "(1×V)"]
    # Each shape below the middle of its factor.
    assert abs(lines[at].index("hᵀ") + 1 - (lines[at + 1].index("(h×1)") + 2)) <= 1
    assert "h×V = (h×1) (1×V)" in with_shapes


@pytest.mark.parametrize(
    ("notation", "has", "has_not"),
    [
        ("index", "hᵢ (ŷⱼ − yⱼ)", "As matrices"),
        ("matrix", "hᵀ (ŷ − y)", "Element by element"),
        ("both", "hᵢ (ŷⱼ − yⱼ)", "\x1b"),
    ],
)
def test_one_notation_or_both(
    notation: str, has: str, has_not: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = shown(capsys, "bigram", "--of", "U", "--notation", notation)
    assert has in out and has_not not in out


def test_layouts(capsys: pytest.CaptureFixture[str]) -> None:
    row, column = (shown(capsys, "elman", "--of", "U", "--layout", layout) for layout in ("row", "column"))
    assert "hᵀ (ŷ − y)" in row and "Vectors lie as rows" in row and "The file writes" not in row
    assert "(ŷ − y) hᵀ" in column and "Vectors stand as columns" in column and "transpose" in column
    assert row == shown(capsys, "elman", "--of", "U")


def test_objectives(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, "elman", "--of", "U", "--objective", "log-likelihood")
    assert "hᵀ (y − ŷ)" in out and "hᵀ (ŷ − y)" not in out
    assert "to be made large" in out and "opposite sign" in out
    assert "to be made small" in shown(capsys, "elman", "--of", "U")


def test_a_batch_says_where_its_sum_comes_from(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, "bigram", "--of", "b2", "--batch")
    assert "Σₙ (ŷₙᵢ − yₙᵢ)" in out and "𝟏 (ŷ − y)" in out
    assert "every example uses the same b₂" in " ".join(out.split())
    assert "divided by B" in " ".join(out.split())


def test_unrolling_adds_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    without, with_steps = (shown(capsys, "tanh", "--of", "H", *more) for more in ([], ["--unroll", "3"]))
    assert "Unrolled" not in without and "T = 3 steps" in with_steps
    assert "∂J[3]/∂h[3] · ∂h[3]/∂h[2] · ∂h[2]/∂h[1]" in with_steps
    assert "h[0]ᵀ" in with_steps


def test_equations_on_the_command_line_and_in_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "yhat = softmax(x @ U + b)"
    path = tmp_path / "unigram.eq"
    path.write_text(text)
    inline, from_file = shown(capsys, text, "--of", "U"), shown(capsys, str(path), "--of", "U")
    assert inline.splitlines()[3:] == from_file.splitlines()[3:]
    assert "xᵀ (ŷ − y)" in inline and "unigram" in from_file.splitlines()[0]


def test_equations_in_latex(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "m.tex"
    path.write_text(r"\[ h_t = \tanh(W x_t + R h_{t-1}) \] \[ \hat y_t = \mathrm{softmax}(U h_t) \]")
    out = shown(capsys, str(path), "--of", "U")
    assert "(ŷ − y) hᵀ" in out and "Vectors stand as columns" in out


# Formats and files.


class Closed(HTMLParser):
    """Fails where an element is not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids += [found["id"] or ""] if "id" in found else []
        self.links += [found["href"] or ""] if tag == "a" else []
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_html_is_whole_and_its_links_lead_somewhere(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, "gru", "--to", "html", "--explain", "--shapes", "--unroll", "2")
    page = Closed(out)
    assert out.startswith("<!DOCTYPE html>") and len(set(page.ids)) == len(page.ids)
    assert page.links and {link.removeprefix("#") for link in page.links} <= set(page.ids)
    assert "http" not in re.sub(r"http://www\.w3\.org/\S+", "", out)


def test_latex_has_begun_and_ended_everything(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, "lstm", "--to", "latex", "--explain", "--shapes", "--unroll", "2")
    begun, ended = (re.findall(rf"\\{word}{{(\w+\*?)}}", out) for word in ("begin", "end"))
    assert out.startswith(r"\documentclass") and sorted(begun) == sorted(ended)
    assert out.count("{") == out.count("}") and out.count(r"\left") == out.count(r"\right")
    assert not re.search(r"[^\x00-\x7f]", re.sub(r"[×∘…–“”’]", "", out)) or "\\usepackage" in out


def test_markdown_has_headings_and_mathematics(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, "elman", "--to", "markdown", "--of", "U")
    assert out.startswith("# The gradient of elman by U\n") and out.count("$$") % 2 == 0
    assert r"\frac{\partial" in out


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("page.html", "<!DOCTYPE html>"),
        ("page.HTM", "<!DOCTYPE html>"),
        ("page.tex", r"\documentclass"),
        ("page.md", "# The"),
        ("page.json", "{"),
        ("page.txt", "The gradient"),
        ("page", "The gradient"),
    ],
)
def test_the_name_of_the_file_decides_the_format(
    name: str, start: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    assert main(["derive", "elman", "--of", "b2", "-o", str(path)]) == 0
    captured = capsys.readouterr()
    assert captured.out == "" and str(path) in captured.err
    text = path.read_text(encoding="utf-8")
    assert text.startswith(start) and text.endswith("\n")


def test_to_is_stronger_than_the_name_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "page.txt"
    assert main(["derive", "elman", "--of", "b2", "--to", "html", "-o", str(path)]) == 0
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("form", ["terminal", "markdown", "latex", "html", "json"])
def test_the_same_again_is_the_same(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = (shown(capsys, "residual", "--to", form, "--explain") for _ in range(2))
    assert first == second and len(first) > 1000


# JSON.


def test_json_has_what_the_documents_say(capsys: pytest.CaptureFixture[str]) -> None:
    found = data(capsys, "elman", "--layout", "column", "--unroll", "2")
    assert (found["model"], found["layout"], found["objective"], found["batch"]) == (
        "elman", "column", "cross-entropy", False,
    )  # fmt: skip
    assert len(found["notes"]) == 1 and "transpose" in found["notes"][0]
    assert [e["symbol"]["text"] for e in found["equations"]] == ["e", "aʰ", "h", "θ", "ŷ", "J"]
    gradients = {g["name"]: g for g in found["gradients"]}
    u = gradients["U"]
    assert (u["role"], u["shape"]) == ("parameter", ["V", "h"])
    assert u["matrix"]["steps"][-1]["after"]["text"] == "(ŷ − y) hᵀ"
    assert r"\top" in u["matrix"]["steps"][-1]["after"]["latex"]
    assert "a_h" in gradients and not any("·" in name for name in gradients)
    assert gradients["a_h"]["written_out"]["text"] == "Uᵀ (ŷ − y) ∘ h ∘ (1 − h)"
    assert found["through_time"] and found["obstacle"] == ""
    assert [show["steps"][-1]["rule"] for show in gradients["L"]["forms"]] == ["one-hot input"]
    for g in gradients.values():
        assert set(g) == documented("A gradient:")
        assert (g["matrix"] is None) == bool(g["obstacle"])
        assert set(g["index"]) == documented("A chain:")
    assert set(found) == documented("`bptt derive --json` prints")


def documented(after: str) -> set[str]:
    """The fields in the first table of the page behind some words."""
    page = (Path(__file__).parents[2] / "docs" / "derive.md").read_text(encoding="utf-8")
    table = page[page.index(after) :].split("|---|---|\n")[1].split("\n\n")[0]
    cells = " ".join(re.findall(r"^\| (.*?) \|", table, re.MULTILINE))
    return set(re.findall(r"`(\w+)`", cells))


def test_json_says_what_is_in_the_way(capsys: pytest.CaptureFixture[str]) -> None:
    found = data(capsys, CELLS["memory matrix"], "--batch")
    assert found["obstacle"]
    assert any(g["matrix"] is None and g["obstacle"] for g in found["gradients"])


def test_chains_in_json_hang_together(capsys: pytest.CaptureFixture[str]) -> None:
    found = data(capsys, "lstm", "--unroll", "2")
    chains = [*found["through_time"]]
    for g in found["gradients"]:
        chains += [*g["local"], g["index"], *g["through_time"], *([g["matrix"]] if g["matrix"] else [])]
    assert len(chains) > 100
    for chain in chains:
        assert chain["notation"] in ("index", "matrix") and chain["steps"]
        before = chain["left"]
        for step in chain["steps"]:
            assert step["before"] == before and step["rule"] and isinstance(step["reason"], str)
            before = step["after"]


# Refusals.


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["elman", "--of", "UU"], "elman has no quantity 'UU'", "did you mean U?"),
        (["elman", "--of", "q"], "elman has no quantity 'q'", "h[t-1]"),
        (["elman", "--layout", "rows"], "there is no layout 'rows'", "did you mean row?"),
        (["elman", "--objective", "loss"], "there is no objective 'loss'", "log-likelihood"),
        (["elman", "--notation", "elements"], "there is no notation 'elements'", "matrix"),
        (["elman", "--to", "pdf"], "there is no format 'pdf'", "latex"),
        (["elman", "--unroll", "40"], "40 steps cannot be written out", "12"),
        (["elman", "--unroll", "-1"], "-1 steps cannot be written out", "12"),
        (["elman", "--unroll", "x"], "--unroll", "--help"),
        (["elman", "--width", "x"], "--width", "--help"),
        (["bigram", "--unroll", "3"], "nothing to unroll", "leave out"),
        (["elmann"], "there is no model 'elmann'", "did you mean elman?"),
        (["elman", "-o", "/nowhere/page.html"], "cannot write /nowhere/page.html", "-o"),
        (["elman", "--of"], "--of", "--help"),
        (["elman", "--unrolled", "3"], "--unrolled", ""),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_refusals(arguments: list[str], message: str, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["derive", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and message in captured.err and hint in captured.err
    assert captured.err.count("error:") == 1 and "Traceback" not in captured.err
    assert captured.err.startswith("error:")


def test_a_folder_is_not_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["derive", "elman", "-o", str(tmp_path)]) == 2
    assert f"cannot write {tmp_path}" in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_may_not_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "page.html"
    path.touch(mode=0o400)
    assert main(["derive", "elman", "-o", str(path)]) == 2
    assert "permission denied" in capsys.readouterr().err


def test_equations_that_are_wrong_are_pointed_at(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["derive", "h = tanh(x @ A\nyhat = softmax(h @ U)"]) == 2
    err = capsys.readouterr().err
    assert re.match(r"<equations>:\d+:\d+: error:", err) and "^" in err


@pytest.mark.parametrize("model", [name for name in shipped() if not name.endswith("2")])
def test_every_shipped_model(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, model, "--notation", "matrix", "--layout", "column", "--width", "80")
    assert "None" not in out and max(map(len, out.splitlines())) <= 80


# What the documents show.


def excerpts() -> list[tuple[str, str]]:
    """The commands that documents show with what they print, and each passage of that."""
    root = Path(__file__).parents[2]
    found = []
    for page in ("README.md", "docs/derive.md"):
        text = (root / page).read_text(encoding="utf-8")
        for command, block in re.findall(r"```text\n\$ bptt (derive .*)\n((?:.*\n)*?)```", text):
            found += [(command, passage.strip("\n")) for passage in block.split("…\n")]
    return found


@pytest.mark.parametrize(("command", "passage"), excerpts())
def test_excerpts_are_what_is_printed(command: str, passage: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert passage in shown(capsys, *command.split()[1:], "--width", "80")


def test_excerpts_were_found() -> None:
    assert len(excerpts()) >= 6
