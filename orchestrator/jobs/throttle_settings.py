"""The throttle's settings: what `changeover throttle set` changes of a running copy, as it is kept in the ledger.

What is not set stays as the job's settings have it. `limits` holds a number, or nothing for "do not measure this";
`probes` are questions of the operator's own, a query or an address. Everything is checked where it is set, so that a
running job never meets a value that it would have to refuse.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from backfill.pacing import Limit
from backfill.probes import Probes
from backfill.settings import BackfillSettings, CustomProbe
from orchestrator.jobs.errors import ThrottleError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orchestrator.settings import Settings

_LIMIT: Final = "limit."
_OFF: Final = ("off", "none", "")
_PROBE_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,40}")


class Probe(BaseModel):
    """A question of the operator's. Exactly one of `sql` and `url`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sql: str = ""
    url: str = ""
    latency: bool = False
    limit: float = Field(ge=0)


class ThrottleSettings(BaseModel):
    """What can be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    target_ms: int | None = Field(default=None, ge=10, le=10_000)
    """How long a batch may last."""
    ceiling_pages: int | None = Field(default=None, ge=1, le=65_536)
    """The most pages a batch may have."""
    rest: float | None = Field(default=None, ge=0, le=100)
    """How long to rest after a batch, as a multiple of its time: 1 halves the speed, 3 quarters it."""
    give_way: int | None = Field(default=None, ge=0, le=1000)
    """Before a batch, wait (a second at most) while more sessions of others than this are in a transaction."""
    longest_pause_s: float | None = Field(default=None, gt=0)
    """How long a probe may pause the copy before the job ends with code 1."""
    limits: dict[str, float | None] = {}
    probes: dict[str, Probe] = {}

    def applied(self, base: BackfillSettings) -> BackfillSettings:
        """The settings with these changes."""
        pacing = base.pacing
        if self.target_ms is not None:
            pacing = replace(pacing, target_seconds=self.target_ms / 1000)
        if self.ceiling_pages is not None:
            first = min(pacing.first_pages, self.ceiling_pages)
            pacing = replace(pacing, ceiling_pages=self.ceiling_pages, first_pages=first)
        limits = {**base.limits, **{name: Limit(value) for name, value in self.limits.items() if value is not None}}
        limits = {name: limit for name, limit in limits.items() if self.limits.get(name, limit) is not None}
        custom = {probe.name: probe for probe in base.custom_probes}
        for name, probe in self.probes.items():
            limit = Limit(probe.limit)
            custom[name] = CustomProbe(name=name, limit=limit, sql=probe.sql, url=probe.url, latency=probe.latency)
        return replace(
            base,
            pacing=pacing,
            rest=base.rest if self.rest is None else self.rest,
            give_way=base.give_way if self.give_way is None else self.give_way,
            longest_pause=base.longest_pause if self.longest_pause_s is None else self.longest_pause_s,
            limits=limits,
            custom_probes=tuple(custom.values()),
        )


def read(stored: Mapping[str, Any]) -> ThrottleSettings:
    """The settings as the ledger has them."""
    try:
        return ThrottleSettings.model_validate(stored)
    except ValidationError as exc:
        raise ThrottleError(_words(exc), kept="Nothing was changed.") from None


def changed(
    stored: Mapping[str, Any], changes: Iterable[str], probes: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, Any]:
    """The settings after `name=value` changes, checked to the end; `limit.NAME=off` stops measuring it."""
    settings: dict[str, Any] = {**stored, "limits": dict(stored.get("limits", {}))}
    settings["probes"] = {name: dict(probe) for name, probe in stored.get("probes", {}).items()}
    for name, probe in (probes or {}).items():
        if not _PROBE_NAME.fullmatch(name):
            raise ThrottleError(f"{name!r} is no name for a probe: lower case letters, digits and _.")
        settings["probes"][name] = dict(probe)
    for change in changes:
        name, equals, value = change.partition("=")
        if not equals:
            raise ThrottleError(f"{change!r} is not of the form name=value.", kept="Nothing was changed.")
        _change(settings, name.strip(), value.strip())
    checked = read({name: value for name, value in settings.items() if value not in (None, {})})
    try:
        applied = checked.applied(BackfillSettings())
        Probes(applied.limits, applied.custom_probes)
    except ValueError as exc:
        raise ThrottleError(f"{exc}.", kept="Nothing was changed.") from None
    return checked.model_dump(exclude_defaults=True)


def base(settings: Settings) -> BackfillSettings:
    """The settings of a copy as the process has been given them."""
    made = BackfillSettings(lock_timeout_ms=settings.batch.lock_timeout_ms, reconnect=settings.job.reconnect_s)
    return ThrottleSettings(target_ms=settings.batch.target_ms).applied(made)


def shown(settings: BackfillSettings) -> dict[str, Any]:
    """What counts now, for people."""
    return {
        "target_ms": round(settings.pacing.target_seconds * 1000),
        "ceiling_pages": settings.pacing.ceiling_pages,
        "rest": settings.rest,
        "give_way": settings.give_way,
        "longest_pause_s": settings.longest_pause,
        "limits": {name: limit.pause_above for name, limit in settings.limits.items()},
        "probes": {
            probe.name: {
                "asks": probe.sql or probe.url,
                "limit": probe.limit.pause_above,
                "unit": "ms" if probe.latency else "",
            }
            for probe in settings.custom_probes
        },
    }


def _change(settings: dict[str, Any], name: str, value: str) -> None:
    off = value.lower() in _OFF
    if not name.startswith(_LIMIT):
        settings[name] = None if off else value
        return
    probe = name.removeprefix(_LIMIT)
    if probe not in settings["probes"]:
        settings["limits"][probe] = None if off else value
    elif off:
        del settings["probes"][probe]
    else:
        settings["probes"][probe]["limit"] = value


def _words(exc: ValidationError) -> str:
    return "; ".join(f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in exc.errors())
