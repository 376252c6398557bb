"""Whether this is `make soak`: the long forms of what `make test` takes samples of."""

from __future__ import annotations

import os
from typing import Final

import pytest

SOAK: Final = bool(os.environ.get("CHANGEOVER_SOAK"))

on_every_server_in_soak: Final = pytest.mark.every if SOAK else pytest.mark.slow
"""For what takes most of a minute: `make test` has it on one server, the public workflow on each, a version a job."""
