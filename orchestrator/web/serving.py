"""Puts the application together from what was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestrator.observability.answers import FlagAnswers
from orchestrator.observability.registry import joined, new_registry, render
from orchestrator.web.app import Application, Parts, flags_part
from orchestrator.web.bounds import MOST_CONNECTIONS
from orchestrator.web.guard import Guarded
from orchestrator.web.health import STALE_S, Health
from orchestrator.web.launching import Launcher
from orchestrator.web.looks import Looks
from orchestrator.web.pages import Pages
from orchestrator.web.people import People
from orchestrator.web.reading import Where
from orchestrator.web.samples import EVERY_S, Samples

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from flags.client import AsyncFlagClient
    from orchestrator.observability.registry import Registry
    from orchestrator.settings import Settings
    from orchestrator.web.bounds import Refusals


@dataclass(frozen=True)
class Wanted:
    """Which parts are served."""

    page: bool = True
    flags: bool = True
    metrics: bool = True
    health: bool = True


def application(  # noqa: PLR0913 - the options of the command
    wanted: Wanted,
    settings: Settings,
    refusals: Refusals,
    registry: Registry,
    *,
    client: AsyncFlagClient,
    stale_s: float = STALE_S,
    tokens: Collection[str] = (),
    origins: Sequence[str] = (),
    people: Mapping[str, str] | None = None,
    folders: Mapping[str, str] | None = None,
    hosts: Collection[str] = (),
    open_reading: bool = True,
    https: bool = False,
    jobs: bool = True,
    streams: int = MOST_CONNECTIONS // 2,
    sample_s: float = EVERY_S,
) -> Application:
    """The application; `registry` has what the ledger says for `/metrics`, `people` the names by token.

    With `jobs`, who has signed in may start a plan and roll it back. `streams` is how many views are kept up to date at
    a time; the others ask again and again.
    """
    dsn = settings.require_dsn()
    contexts: list[AbstractAsyncContextManager[Any]] = []
    counted = new_registry()
    flags = page = samples = None
    if wanted.flags:
        count = FlagAnswers(counted) if wanted.metrics else None
        flags = flags_part(client, tokens=tokens, origins=origins, refusals=refusals, count=count)
        contexts.append(client)
    if wanted.page:
        samples = Samples(dsn, every_s=sample_s)
        contexts.append(samples.taking())
        where = Where(dsn, folders or {}, Launcher(dsn) if jobs else None)
        pages = Pages(
            *(where, People(dict(people or {})), Looks(), samples, settings, refusals),
            open_reading=open_reading,
            https=https,
            streams=streams,
        )
        page = Guarded(pages.app(), hosts, https=https)
    everything = joined(registry, counted)
    return Application(
        Parts(
            flags=flags,
            page=page,
            metrics=(lambda: render(everything)) if wanted.metrics else None,
            health=_health(wanted, client, stale_s, samples) if wanted.health else None,
            contexts=contexts,
        )
    )


def _health(wanted: Wanted, client: AsyncFlagClient, stale_s: float, samples: Samples | None) -> Health:
    ledger = None if samples is None else (lambda: samples.trouble)
    return Health(client if wanted.flags else None, stale_s=stale_s, ledger=ledger)
