"""What an installation contains, with a compiler and without one."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def contents_of_wheel(folder, **environment):
    """The names in a wheel of this tree, and what the build said."""
    pytest.importorskip("scikit_build_core", reason="the build backend is not installed")
    pytest.importorskip("nanobind", reason="nanobind is not installed")
    pip = [sys.executable, "-m", "pip", "wheel", "-v", "--no-deps", "--no-build-isolation", "-w", str(folder)]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    env = {**os.environ, "PATH": path, **environment}
    done = subprocess.run([*pip, str(ROOT)], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = folder.glob("*.whl")
    return zipfile.ZipFile(wheel).namelist(), done.stdout + done.stderr


def check_package(names):
    assert {name.split("/")[0].split("-")[0] for name in names} == {"bptt"}
    assert "bptt/__init__.py" in names and "bptt/py.typed" in names and "bptt/models/elman.eq" in names


@pytest.mark.slow
def test_without_a_compiler_there_is_one_warning_and_no_core(tmp_path):
    names, said = contents_of_wheel(tmp_path, CXX="/bin/false")
    check_package(names)
    assert not [name for name in names if name.endswith(".so")]
    assert said.count("No working C++ compiler") == 1


@pytest.mark.slow
def test_with_a_compiler_there_is_one_core(tmp_path, native):
    names, said = contents_of_wheel(tmp_path)
    check_package(names)
    assert len([name for name in names if name.startswith("bptt/_native.") and name.endswith(".so")]) == 1
    assert not [line for line in said.splitlines() if "native/src" in line and "warning:" in line]
