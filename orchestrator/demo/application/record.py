"""The record of requests: what each was, how long it took, whether it failed, under which phase.

A request is one thing a user does, however many statements it takes; its time runs from the first
statement to the last answer. Retries are told apart by cause: `contended` requests write what other
clients write too, and a serialization failure is their own; any other request has its rows to itself, so
a retry there is the migration's doing and is counted as `unexpected`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it went."""

    at: float
    kind: str
    version: str
    source: str
    """Who answered it, or took its writes: `legacy`, `unified`, or the `unified, first attempt` at a report."""
    phase: str
    milliseconds: float
    error: str | None = None
    retries: int = 0
    contended: bool = False


@dataclass(frozen=True)
class Latency:
    """Requests of one kind, version, source and phase, summed up."""

    phase: str
    kind: str
    version: str
    source: str
    requests: int
    failed: int
    p50: float
    p99: float
    longest: float


@dataclass(frozen=True)
class Counters:
    """All requests of a run, summed up."""

    requests: int
    failed: int
    errors: dict[str, int]
    """Failures by `phase: kind: error`."""
    retries: int
    unexpected_retries: int
    latencies: tuple[Latency, ...]


def save(requests: Iterable[Request], path: Path) -> None:
    """Write the record, a line per request."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(request)) + "\n" for request in requests)


def load_requests(path: Path) -> Iterator[Request]:
    """Read what `save` wrote."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield Request(**json.loads(line))


def relabel(requests: Iterable[Request], moments: Mapping[str, str]) -> Iterator[Request]:
    """The same requests under coarser labels: phases named in `moments` get that name, others keep theirs."""
    return (replace(request, phase=moments.get(request.phase, request.phase)) for request in requests)


def counters_of(requests: Iterable[Request]) -> Counters:
    """Sum up, per phase and kind, in order of appearance; and per phase over all kinds (kind `all`)."""
    groups: dict[tuple[str, str, str, str], list[Request]] = defaultdict(list)
    errors: dict[str, int] = defaultdict(int)
    number = retries = unexpected = 0
    for request in requests:
        number += 1
        groups[(request.phase, request.kind, request.version, request.source)].append(request)
        groups[(request.phase, "all", "all", "all")].append(request)
        if request.error is not None:
            errors[f"{request.phase}: {request.kind}: {request.error}"] += 1
        retries += request.retries
        unexpected += 0 if request.contended else request.retries
    latencies = tuple(_latency(key, group) for key, group in groups.items())
    return Counters(number, sum(errors.values()), dict(errors), retries, unexpected, latencies)


def percentile(values: list[float], share: float) -> float:
    """The value that `share` of the sorted values do not exceed (nearest rank)."""
    return values[min(len(values) - 1, int(share * len(values)))] if values else 0.0


def _latency(key: tuple[str, str, str, str], group: list[Request]) -> Latency:
    times = sorted(request.milliseconds for request in group)
    failed = sum(request.error is not None for request in group)
    phase, kind, version, source = key
    return Latency(
        phase, kind, version, source, len(group), failed, percentile(times, 0.5), percentile(times, 0.99), times[-1]
    )
