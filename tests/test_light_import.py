"""`import bptt` and `bptt --help` are quick, and load nothing heavy."""

import subprocess
import sys
import time

import pytest

HEAVY = ("torch", "matplotlib", "rich", "numpy", "safetensors", "sympy")


@pytest.mark.parametrize(
    "statement", ["import bptt", "import bptt.cli.main", "from bptt.cli.main import main; main(['--help'])"]
)
def test_nothing_heavy_is_loaded(statement: str) -> None:
    program = f"""
import sys
try:
    {statement}
except SystemExit:
    pass
print(*[name for name in {HEAVY} if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.split() == []


def test_training_and_scoring_load_no_drawing() -> None:
    program = (
        "import bptt, sys; bptt.LanguageModel, bptt.Model, bptt.train; "
        "print('matplotlib' in sys.modules, 'rich' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_import_is_quick() -> None:
    def seconds(statement: str) -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", statement], check=True)
        return time.perf_counter() - began

    python = min(seconds("pass") for _ in range(3))
    assert min(seconds("import bptt") for _ in range(3)) - python < 0.3


def test_public_names_are_found() -> None:
    import bptt

    for name in bptt.__all__:
        assert getattr(bptt, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'modell'"):
        bptt.modell  # noqa: B018
