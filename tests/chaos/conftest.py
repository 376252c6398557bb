from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.killing import Nursery


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    with Nursery() as started:
        yield started
