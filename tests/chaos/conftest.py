from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.killing import ForkServer


@pytest.fixture(scope="session")
def fork_server() -> Iterator[ForkServer]:
    with ForkServer() as started:
        yield started
