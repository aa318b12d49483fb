"""Listings of programs as people read them. They change only on purpose: `pytest tests/golden --update-
golden -k elman`.
"""

from pathlib import Path

import pytest

from bptt.backends import build_program
from bptt.ir.text import show_program
from cells import MODELS

HERE = Path(__file__).parent


@pytest.mark.parametrize("name", ["elman", "gru"])
def test_program(name: str, update_golden: bool) -> None:
    """That the programs are right is for other tests; this one holds how they read."""
    path = HERE / name / "program.txt"
    text = show_program(build_program(MODELS[name], "train", resets=True)) + "\n"
    if update_golden:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
