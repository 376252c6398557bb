"""Ctrl-C before there is a command that could answer it."""

from __future__ import annotations

import codecs
import json
import os
import subprocess
import sys

import pytest

from orchestrator.cli.entry import INTERRUPTED, escape
from orchestrator.cli.failure import InterruptError
from orchestrator.cli.main import run

_INTERRUPTED_WHILE_IMPORTING = """
import sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "orchestrator.cli.main":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Finder())
from orchestrator.cli.entry import main
main()
"""


def test_ctrl_c_while_python_imports_is_no_traceback() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _INTERRUPTED_WHILE_IMPORTING], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (INTERRUPTED, "")
    assert InterruptError.exit_code == INTERRUPTED


def test_the_collector_is_on_again_when_the_command_runs() -> None:
    text = "import gc\nfrom orchestrator.cli.entry import main\ntry:\n    main()\nexcept SystemExit:\n    print(gc.isenabled())"
    done = subprocess.run([sys.executable, "-c", text, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "True"


def _shell(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A line of a shell in which `changeover` is this command."""
    text = "from orchestrator.cli.entry import main; main()"
    return subprocess.run(
        ["/bin/sh", "-c", f'changeover() {{ "$0" -c "{text}" "$@"; }}; {line}', sys.executable],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("text", ["nö…", "\N{SNAKE}", "\udcff"])
def test_a_character_that_an_encoding_has_not_is_the_escape_of_json(text: str) -> None:
    codecs.register_error("changeover", escape)
    said = json.dumps(text, ensure_ascii=False).encode("ascii", "changeover")
    assert json.loads(said) == text


def test_a_terminal_of_another_encoding_gets_every_word() -> None:
    done = _shell("changeover plan show nö…; changeover plan list >&-", PYTHONIOENCODING="ascii", PYTHONUTF8="1")
    assert "'n\\u00f6\\u2026'" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == 0, "a stream that was closed takes everything"


def test_output_without_room_is_no_fault_of_ours() -> None:
    done = _shell("changeover plan list >/dev/full; echo $?; changeover plan show nothing-there 2>/dev/full")
    assert "Traceback" not in done.stderr
    assert "No space left on device" in done.stderr
    assert done.stdout.split() == ["1"]
    assert done.returncode == 2, "the code of what happened, also where no word of it could be written"


@pytest.mark.parametrize(
    "arguments", [("status", "--dsn", "postgresql://h/\udcff"), ("flag", "promote", "F", "--reason", "\udce9")]
)
def test_bytes_that_are_no_text_are_the_users_mistake(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    assert "no text" in capsys.readouterr().err
