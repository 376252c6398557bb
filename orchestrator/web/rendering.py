"""Templates, in one environment that lets nothing through as markup or as a control character.

Every value is escaped (autoescape), and before that every control character in it is replaced by its name, as on a
terminal; only what this program makes itself (the charts) is markup.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

import orchestrator
from orchestrator.kernel.charts import Series, line_chart
from orchestrator.kernel.visible import visible
from orchestrator.kernel.words import compared_or_checked, counted, duration, measured
from orchestrator.observability.logs import scrub
from phases.registry import PHASES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestrator.web.samples import Sample

_LINE: Final = 2
_CUT: Final = 400
_FEW: Final = 100
_SHORT_S: Final = 10
_COMMAND: Final = re.compile("`([^`]+)`")
_NONE: Final = "-"


def environment() -> Environment:
    """The templates of this package."""
    made = Environment(
        loader=PackageLoader("orchestrator.web"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(url=url, version=orchestrator.__version__, phases=tuple(PHASES), counted=counted)
    made.globals.update(compared=compared_or_checked, measured=measured)
    made.filters.update(number=_number, duration=_duration, moment=_moment, lines=_lines)
    made.filters.update(cut=_cut, commands=_commands, state=_state, event=_event, scrub=scrub)
    return made


def url(path: str, **query: Any) -> str:
    """An address of the page; what is None is left out."""
    said = {name: value for name, value in query.items() if value is not None}
    return f"{path}?{urlencode(said)}" if said else path


def charts(samples: Iterable[Sample], plan: str | None = None) -> list[dict[str, Any]]:
    """The charts of all plans, or of one: title, last value, picture. Of one moment alone there is none."""
    taken = list(samples)
    if len(taken) < _LINE:
        return []
    now = taken[-1].at if taken else 0.0
    rates = _by_name(taken, now, "rows_per_second", plan)
    queues = _by_name(taken, now, "queue", plan)
    latencies = _by_name(taken, now, "latency_ms", plan)
    lag = Series("replica lag", [(each.at - now, each.replica_lag_s) for each in taken])
    found = [
        ("Rows per second", rates, "/s"),
        ("Keys in the queue", queues, ""),
        ("Replica lag", [lag] if any(y is not None for _, y in lag.points) else [], " s"),
        ("Latency of the application", latencies, " ms"),
    ]
    return [
        {
            "title": title,
            "unit": unit,
            "names": [(place % 6, each.name, _last(each)) for place, each in enumerate(series)],
            "svg": Markup(line_chart(title, series, unit=unit)),  # noqa: S704 - made here, every text in it escaped
        }
        for title, series, unit in found
        if series
    ]


def _by_name(samples: list[Sample], now: float, what: str, plan: str | None) -> list[Series]:
    values: list[dict[Any, float]] = [getattr(each, what) for each in samples]
    keys = sorted({key for each in values for key in each if plan in (None, _plan_of(key))}, key=str)
    return [
        Series(
            key if isinstance(key, str) else key[1],
            [
                (each.at - now, found.get(key, 0.0 if each.read and what != "latency_ms" else None))
                for each, found in zip(samples, values, strict=True)
            ],
        )
        for key in keys
    ]


def _plan_of(key: Any) -> str:
    return key if isinstance(key, str) else str(key[0])


def _last(series: Series) -> float | None:
    return series.points[-1][1] if series.points else None


def _shown(value: Any) -> Any:
    if value is None:
        return ""
    return value if isinstance(value, Markup) else visible(str(value))


def _number(value: float | None) -> str:
    if value is None:
        return _NONE
    return f"{value:,.1f}" if abs(value) < _FEW and value % 1 else f"{value:,.0f}"


def _duration(value: float | None) -> str:
    if value is None:
        return _NONE
    return f"{value:.1f} s" if 0 < value < _SHORT_S else duration(value)


def _moment(value: datetime | str | float | None) -> str:
    if value is None:
        return _NONE
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if isinstance(value, int | float):
        value = datetime.fromtimestamp(value, UTC)
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _lines(value: str) -> Markup:
    return Markup("{}").format(visible(value, lines=True))


def _commands(value: str) -> Markup:
    """A sentence; what stands between backticks is a command."""
    return Markup(_COMMAND.sub(r"<code>\1</code>", str(escape(visible(value)))))  # noqa: S704 - escaped before


def _cut(value: str) -> Markup:
    """A long text: its beginning, and the whole on demand."""
    if len(value) <= _CUT:
        return _lines(value)
    return Markup("{}…").format(visible(value[:_CUT], lines=True))


def _event(kind: str) -> str:
    """`phase.going_back` in words."""
    return _state(kind).replace(".", " ")


def _state(value: str) -> str:
    return value.replace("_", " ")
