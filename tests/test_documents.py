"""What README, docs and examples show works: equations are understood, gradients right, commands known."""

from __future__ import annotations

import importlib
import re
import runpy
import shlex
from pathlib import Path

import pytest

import bptt
from bptt.checking.gradcheck import check_gradients, check_sizes
from bptt.cli.main import COMMANDS, Parser
from bptt.lm.model import understand
from bptt.models import source_of
from bptt.source import Source

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted(path for path in (ROOT / "examples").iterdir() if path.suffix in {".eq", ".tex"})
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMAND = re.compile(r"^(?:echo .* \| )?(?:pip install \. && )?(bptt [a-z].*?)(?:\s+#.*)?$", re.MULTILINE)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_examples_have_the_right_gradients(path: Path) -> None:
    model = understand(source_of(str(path)))
    assert model.remarks == ()
    assert all(check.passed(1e-7) for check in check_gradients(model, check_sizes(model, {}), samples=2))


def test_the_model_of_the_readme_is_the_shipped_one() -> None:
    (block, *_) = re.findall(
        r"```text\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL
    )
    shown, shipped = understand(Source("README.md", block)), understand(source_of("elman"))
    assert shown.definitions == shipped.definitions
    assert shown.sizes == shipped.sizes


def commands() -> list[str]:
    found = [command for page in PAGES for command in COMMAND.findall(page.read_text(encoding="utf-8"))]
    return sorted(set(found))


@pytest.mark.parametrize("command", commands())
def test_commands_are_known(command: str) -> None:
    if "[" in command or "…" in command:
        pytest.skip("a pattern, not a command")
    _, name, *arguments = shlex.split(command)
    module = importlib.import_module(f"bptt.cli.{COMMANDS[name][0]}")
    parser = Parser(prog=f"bptt {name}")
    module.add_arguments(parser)
    parser.parse_all(arguments)


def test_pages_link_to_files_that_are_there() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_example_in_python_runs(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(ROOT / "examples" / "from_python.py"), run_name="__main__")
    shapes, perplexity, *sample = capsys.readouterr().out.splitlines()
    assert "'Wz': ('e', 'h')" in shapes
    # Far below the number of different characters, which is over a hundred.
    assert float(perplexity.split()[0]) < 20
    assert "".join(sample).startswith("The ")


def test_the_solution_is_checked_as_the_page_says() -> None:
    report = bptt.check(ROOT / "examples" / "solution.md")
    wrong = [(c.line, c.kind, c.follows_from) for c in report.claims if c.verdict == "wrong"]
    assert wrong == [(10, "sign", None), (17, "index", None), (20, "index", 17), (25, "order", None)]
    assert report.summary == {"correct": 6, "convention": 0, "wrong": 4, "undecided": 1}
    page = (ROOT / "docs" / "check.md").read_text(encoding="utf-8")
    said = report.text(80)
    for claim in report.claims:
        assert not claim.mend or claim.mend in page
    # Numbers are random, and not looked at.
    for line in said.splitlines():
        if line.startswith(("line ", "  why: ")):
            assert line in page
