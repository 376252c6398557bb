"""Are two answers the same? What differs is named by its path.

The order of a list does not count unless it is asked for: two queries without ORDER BY may both be right. That of a
tuple does: it is a row whose columns have places instead of names. What has names (a mapping, a dataclass, a row of any
driver) is compared and redacted by them. Numbers are compared by value (an `integer` column became `numeric`), times
as moments, everything else as its text. Fields that may differ (an id that was made anew, a time of reading) are left
out by name, wherever they stand.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import json
import math
import uuid
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from typing import Any, Final

Comparator = Callable[[Any, Any], bool]

MOST_BYTES: Final = 4000
MOST_FIELDS: Final = 20
REDACTED: Final = "<redacted>"


def differing(old: Any, new: Any, *, ignore: Collection[str] = (), ordered: bool = False) -> list[str]:
    """The paths at which two answers differ, none if they are equal."""
    paths: list[str] = []
    _walk(_reduced(old, ignore, ordered), _reduced(new, ignore, ordered), "", paths)
    return paths[:MOST_FIELDS]


def bounded(value: Any, redact: Collection[str] = ()) -> Any:
    """A value as it may be kept: JSON, without what is nobody's business, and not too long."""
    shown = _shown(value, frozenset(redact))
    written = json.dumps(shown)
    return shown if len(written) <= MOST_BYTES else {"truncated": written[:MOST_BYTES]}


def text(value: str) -> str:
    """Text as PostgreSQL takes it: there is no room for a NUL in it, nor for half a character."""
    return value.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def _named(value: Any) -> Mapping[Any, Any] | None:
    """What has names; None for what has not."""
    if isinstance(value, Mapping):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
    if callable(getattr(value, "_asdict", None)):  # named tuples, SQLAlchemy's rows
        return dict(value._asdict())
    if callable(getattr(value, "keys", None)) and callable(getattr(value, "items", None)):  # asyncpg's records
        return dict(value.items())
    return None


def _reduced(value: Any, ignore: Collection[str], ordered: bool) -> Any:  # noqa: FBT001 - passed down
    if (named := _named(value)) is not None:
        return {str(name): _reduced(each, ignore, ordered) for name, each in named.items() if name not in ignore}
    match value:
        case bool() | None | str():
            return value
        case int() | float() | Decimal():
            return _number(value)
        case list() | tuple() | set() | frozenset():
            parts = [_reduced(each, ignore, ordered) for each in value]
            in_order = isinstance(value, tuple) or (ordered and isinstance(value, list))
            return parts if in_order else sorted(parts, key=_canonical)
        case dt.datetime() if value.tzinfo is not None:
            return str(value.astimezone(dt.UTC))
        case _:
            return str(value)


def _number(value: float | Decimal) -> Any:
    exact = value if isinstance(value, Decimal) else Decimal(str(value))
    return exact.normalize() if exact.is_finite() else str(value)


def _walk(old: Any, new: Any, path: str, paths: list[str]) -> None:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(old.keys() | new.keys()):
            if name in old and name in new:
                _walk(old[name], new[name], f"{path}.{name}" if path else name, paths)
            else:
                paths.append(f"{path}.{name}" if path else name)
    elif isinstance(old, list) and isinstance(new, list):
        if len(old) != len(new):
            paths.append(f"{path}[]")
            return
        for number, (left, right) in enumerate(zip(old, new, strict=True)):
            _walk(left, right, f"{path}[{number}]", paths)
    elif type(old) is not type(new) or old != new:
        paths.append(path or "value")


def _shown(value: Any, redact: frozenset[str]) -> Any:
    if (named := _named(value)) is not None:
        return {text(str(name)): REDACTED if name in redact else _shown(each, redact) for name, each in named.items()}
    match value:
        case bool() | None | int():
            return value
        case float() if math.isfinite(value):
            return value
        case list() | tuple() | set() | frozenset():
            return [_shown(each, redact) for each in value]
        case str() | float() | Decimal() | dt.date() | dt.time() | dt.timedelta() | uuid.UUID() | enum.Enum():
            return text(str(value))
        case _:
            # Nobody knows what is in it, so where anything is to be hidden, all of it is.
            return f"<{type(value).__name__}>" if redact else text(str(value))


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
