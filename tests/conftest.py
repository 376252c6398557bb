"""Fixtures of every test that says SQL.

`pg` is a real server. Each test runs on one of those at hand, always the same one and the next test on another, so that
a run costs as much as with one server and each version meets half of the suite. `@pytest.mark.every` runs a test on all
of them: what leans on the server's own rules, and the main tests of each kind. `@pytest.mark.newest` runs it on the
newest. `--pg 15` runs all tests on that version; the public workflow does so with every version.

`database` is an empty database of a test's own, `databases` makes more of them and clones templates. There is no way to
skip: where no server is found, collection fails.
"""

from __future__ import annotations

import os
import zlib
from typing import TYPE_CHECKING

import pytest

from tests.support import servers as support
from tests.support.database import Database, Databases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.demo.databases import Server


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pg", action="append", default=[], help="run on this PostgreSQL version only (repeatable)")
    parser.addoption("--no-server", action="store_true", help="only tests that need no server: what `make check` runs")


def pytest_configure() -> None:
    # The clients of the flags here ask at every answer: a way back need not wait for their next poll.
    os.environ.setdefault("CHANGEOVER_FLAG_POLL_S", "0")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--no-server"):
        needing = [item for item in items if "pg" in getattr(item, "fixturenames", ())]
        config.hook.pytest_deselected(items=needing)
        items[:] = [item for item in items if item not in needing]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "pg" not in metafunc.fixturenames:
        return
    found = support.versions()
    wanted: list[str] = metafunc.config.getoption("--pg")
    if unknown := set(wanted) - set(found):
        message = f"--pg {', '.join(sorted(unknown))}: there is only {', '.join(found)}"
        raise pytest.UsageError(message)
    chosen = wanted or found
    if metafunc.definition.get_closest_marker("newest"):
        chosen = chosen[:1]
    elif not metafunc.definition.get_closest_marker("every"):
        chosen = [chosen[zlib.crc32(metafunc.function.__name__.encode()) % len(chosen)]]
    metafunc.parametrize("pg", chosen, ids=[f"pg{version}" for version in chosen], indirect=True)


@pytest.fixture(scope="session")
def servers() -> Iterator[support.Servers]:
    running = support.Servers()
    yield running
    running.close()


@pytest.fixture(scope="session")
def templates() -> dict[tuple[int, str], str]:
    return {}


@pytest.fixture
def pg(request: pytest.FixtureRequest, servers: support.Servers) -> Server:
    version: str = request.param
    return servers.get(version)


@pytest.fixture
def databases(pg: Server, templates: dict[tuple[int, str], str]) -> Iterator[Databases]:
    made = Databases(pg, templates)
    yield made
    made.close()


@pytest.fixture
def database(databases: Databases) -> Database:
    return databases.create()
