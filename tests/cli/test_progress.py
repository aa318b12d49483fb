"""What a run shows while it goes on."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bptt.cli.progress import _duration


@pytest.mark.parametrize(("seconds", "shown"), [(0.2, "0:00"), (61, "1:01"), (3725, "1:02:05"), (None, "")])
def test_durations(seconds: float | None, shown: str) -> None:
    assert _duration(seconds) == shown


def test_a_terminal_of_80_columns_has_no_line_that_is_too_long(tmp_path: Path) -> None:
    pty = pytest.importorskip("pty", reason="there are no pseudo-terminals on Windows")
    (tmp_path / "text.txt").write_text("to be or not to be, that is the question\n" * 50)
    main, side = pty.openpty()
    os.set_inheritable(side, True)
    command = [sys.executable, "-m", "bptt", "train", "bigram", str(tmp_path / "text.txt"), "--steps", "200"]
    process = subprocess.Popen(
        [*command, "--run", str(tmp_path / "run")],
        stdout=subprocess.DEVNULL,
        stderr=side,
        env={**os.environ, "COLUMNS": "80", "TERM": "xterm"},
    )
    os.close(side)
    written = b""
    while True:
        try:
            part = os.read(main, 4096)
        except OSError:  # how Linux says that the other side is closed
            break
        if not part:
            break
        written += part
    os.close(main)
    assert process.wait() == 0
    shown = re.split(r"[\r\n]+", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written.decode()))
    assert any("tok/s" in line for line in shown)
    assert sum(line.endswith(" 0:00") for line in shown) > 1
    assert all(len(line) <= 80 for line in shown)
