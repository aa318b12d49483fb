"""Derivations as people read them. They change only on purpose: `pytest tests/golden --update-golden -k
derivation`. That what they say is right is for tests/derivation.
"""

from pathlib import Path

import pytest

from bptt.cli.main import main

HERE = Path(__file__).parent / "derivations"
PAGES = {
    "elman_U_explained": ["elman", "--of", "U", "--explain"],
    "elman_H": ["elman", "--of", "H"],
    "bigram_batch": ["bigram", "--batch"],
    "lstm": ["lstm"],
    "residual_columns_unrolled": ["residual", "--layout", "column", "--unroll", "3"],
}


@pytest.mark.parametrize("name", PAGES)
def test_derivation(name: str, update_golden: bool, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["derive", *PAGES[name], "--width", "80"]) == 0
    text = capsys.readouterr().out
    path = HERE / f"{name}.txt"
    if update_golden:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
