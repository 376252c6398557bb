"""Ctrl-C before there is a command that could answer it."""

from __future__ import annotations

import subprocess
import sys

from orchestrator.cli.entry import INTERRUPTED
from orchestrator.cli.failure import InterruptError

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
