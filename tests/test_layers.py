"""Packages import strictly downward: each only from those before it in the list."""

import ast
from pathlib import Path

import pytest

import bptt

ROOT = Path(bptt.__file__).parent
ORDER = [
    "errors",
    "syntax",
    "ir",
    "lowering",
    "passes",
    "autodiff",
    "backends",
    "formula",
    "derivation",
    "analysis",
    "render",
    "checking",
    "text",
    "lm",
    "cli",
]
# Of the same height as their neighbours: one may import the other.
HEIGHT = {name: height for height, name in enumerate(ORDER)} | {"source": 0, "models": 1}
# The extension is a leaf: NumPy arrays in, NumPy arrays out.
NATIVE = "_native"
NATIVE_USERS = {"backends", "lm"}
# What needs nothing of the compiler.
ALONE = {"text": {"errors", "source", "text"}, "models": {"errors", "source", "models"}}

MODULES = sorted(path for path in ROOT.rglob("*.py") if path.parent != ROOT or path.stem in HEIGHT)


def imported(path: Path) -> set[str]:
    """The top-level packages of ours that a module imports, wherever in it the import stands."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            assert node.module is not None
            found |= (
                {f"bptt.{alias.name}" for alias in node.names} if node.module == "bptt" else {node.module}
            )
    return {name.split(".")[1] for name in found if name.startswith("bptt.")}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_downward(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0].removesuffix(".py")
    for name in imported(path):
        if name == NATIVE:
            assert package in NATIVE_USERS
            continue
        assert name == package or HEIGHT[name] < HEIGHT[package] or {name, package} == {"errors", "source"}
        assert name in ALONE.get(package, {name})


def test_every_package_has_its_place() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages <= set(HEIGHT)
