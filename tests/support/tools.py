"""Programs of the system that tests run. One that is missing fails the test that needs it; nothing is left out."""

from __future__ import annotations

import os
import shutil

import pytest


def program(name: str) -> str:
    """The path of a program, also of one in /usr/sbin."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        pytest.fail(f"{name} is not installed: `make tools` installs what the tests run.")
    return found
