"""Events become log lines: JSON in jobs, readable on a terminal.

The core never logs; it emits events, and `LogListener` writes one line for each. Which level an event has depends on
the last word of its kind (`batch.failed` is an error, `lock.retried` a warning), so a new event needs no line here.
Log lines go to standard error: standard output belongs to what a command prints (`--json`).

No password may reach a log. A DSN can hide in any value, an exception's text included, so the last step before
writing goes through all of them and blanks what looks like one; code that means to name a database uses `redacted` of
the kernel.
"""

from __future__ import annotations

import logging
import re
import sys
import time
from typing import TYPE_CHECKING, Any, Final, Literal, TextIO

from orchestrator.kernel.visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

    from orchestrator.kernel.events import Event

_LEVELS: Final = {
    "failed": logging.ERROR,
    "lost": logging.ERROR,
    "paused": logging.WARNING,
    "reconnecting": logging.WARNING,
    "refused": logging.WARNING,
    "retried": logging.WARNING,
    "retry": logging.WARNING,
    "rewritten": logging.WARNING,
    "batch": logging.DEBUG,
    "range": logging.DEBUG,
    "drain": logging.DEBUG,
    "probe": logging.DEBUG,
    "split": logging.DEBUG,
    "yielded": logging.DEBUG,
}
_EVERY_S: Final = {"progress": 30.0}
"""What is said every second is a line every so often."""

_URI_PASSWORD: Final = re.compile(r"(?<=://)([^\s/@:]*):[^\s@]*@")
# `password='it''s'` and `password=plain`, also as a parameter of a URI.
_KEY_PASSWORD: Final = re.compile(r"\b((?:ssl)?password)\s*=\s*('(?:[^'\\]|\\.|'')*'|[^\s&'\"]+)", re.IGNORECASE)


def scrub(text: str) -> str:
    """Blank the passwords of any DSN inside a text."""
    return _KEY_PASSWORD.sub(r"\1=***", _URI_PASSWORD.sub(r"\1:***@", text))


class LogListener:
    """Writes each event to a structlog logger.

    `bound` stands on every line (plan, stage, phase), the run as soon as it is known; what an event says itself
    (worker, stage) wins. `ids` gives the trace's ids, where there is one.
    """

    def __init__(
        self, logger: FilteringBoundLogger, ids: Callable[[], Mapping[str, str]] = dict, /, **bound: Any
    ) -> None:
        self._logger = logger
        self._ids = ids
        self._bound = bound
        self._next: dict[str, float] = {}

    def __call__(self, event: Event) -> None:
        """Log one event; its kind is the message, its values are the fields."""
        if event.kind == "lease.acquired" and "run" in event.fields:
            self._bound["run"] = event.fields["run"]
        last = re.split(r"[._]", event.kind)[-1]
        if last in _EVERY_S:
            if (now := time.monotonic()) < self._next.get(event.kind, 0.0):
                return
            self._next[event.kind] = now + _EVERY_S[last]
        fields = {**self._bound, **self._ids(), **event.fields}
        level = _LEVELS.get(last, logging.INFO)
        self._logger.log(level, event.kind, **{_field(key): value for key, value in fields.items()})


def make_logger(
    form: Literal["auto", "json", "console"] = "auto", level: str = "info", stream: TextIO | None = None
) -> FilteringBoundLogger:
    """A logger of our own: no global configuration, so that a library which also uses structlog keeps its."""
    import structlog  # noqa: PLC0415 - a job on a terminal shows bars, and begins sooner without it

    out = stream or sys.stderr
    readable = form == "console" or (form == "auto" and out.isatty())
    last: list[Processor] = (
        [_shown, structlog.dev.ConsoleRenderer(colors=out.isatty())]
        if readable
        else [structlog.processors.format_exc_info, _scrubbed, structlog.processors.JSONRenderer(default=str)]
    )
    logger: FilteringBoundLogger = structlog.wrap_logger(
        structlog.PrintLogger(out),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _scrubbed,
            *last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
    )
    return logger


def _field(key: str) -> str:
    """An event's own `event` or `level` must not take the place of the logger's."""
    return f"{key}_" if key in {"event", "level", "timestamp", "exc_info", "stack_info"} else key


def _scrubbed(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    return {key: value if key == "exc_info" else _clean(value) for key, value in event.items()}


def _shown(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """What others have written must not be obeyed by the terminal; JSON has its escapes."""
    return {key: _harmless(value) for key, value in event.items()}


def _harmless(value: Any) -> Any:
    match value:
        case str():
            return visible(value)
        case dict():
            return {visible(str(key)): _harmless(each) for key, each in value.items()}
        case list():
            return [_harmless(each) for each in value]
        case _:
            return value


def _clean(value: Any) -> Any:
    match value:
        case str():
            return scrub(value)
        case dict():
            return {key: _clean(each) for key, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_clean(each) for each in value]
        case None | bool() | int() | float():
            return value
        case _:
            return scrub(str(value))
