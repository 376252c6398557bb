from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.schedules.world import Grounds


@pytest.fixture(scope="session")
def grounds() -> Iterator[Grounds]:
    with Grounds() as made:
        yield made
