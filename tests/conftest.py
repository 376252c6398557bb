"""Fixtures of every test that says SQL.

`pg` is a real server, once per installed version (`--pg 18` picks some, `@pytest.mark.newest` runs a test on the
newest only); `database` is an empty database of its own on it, `databases` makes more of them and clones templates.
There is no way to skip: where no server is found, collection fails.
"""

from __future__ import annotations

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
