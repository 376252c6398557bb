"""Fixtures of every test that says SQL.

`pg` is a real server, once per installed version (`--pg 18` picks some, `@pytest.mark.newest` runs a test on the
newest only, and what is the same on every server runs on one of them); `database` is an empty database of its own on it, `databases` makes more of them and clones templates.
There is no way to skip: where no server is found, collection fails.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

import pytest

from tests.support import servers as support
from tests.support.database import Database, Databases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.demo.databases import Server

ON_ONE: Final = tuple(f"tests/integration/{folder}/" for folder in ("cli", "flags", "ledger", "web"))
"""Folders whose tests run on one server each, unless a test is marked `every`. `--pg` runs all of them on the one named."""


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
    elif _one_is_enough(metafunc):
        # Always the same one, and every server gets its share.
        chosen = [chosen[zlib.crc32(metafunc.function.__name__.encode()) % len(chosen)]]
    metafunc.parametrize("pg", chosen, ids=[f"pg{version}" for version in chosen], indirect=True)


def _one_is_enough(metafunc: pytest.Metafunc) -> bool:
    """Is it about what the program says and does, which is the same on every server?"""
    if metafunc.definition.get_closest_marker("every"):
        return False
    return metafunc.definition.path.relative_to(metafunc.config.rootpath).as_posix().startswith(ON_ONE)


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
