"""Are two answers the same? What differs is named by its path.

The order of a list does not count unless it is asked for: two queries without ORDER BY may both be right. Numbers are
compared by value (an `integer` column became `numeric`), everything else as its JSON text. Fields that may differ
(an id that was made anew, a time of reading) are left out by name, wherever they stand.
"""

from __future__ import annotations

import json
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
    plain = _redacted(json.loads(json.dumps(value, default=str)), frozenset(redact))
    # PostgreSQL's jsonb has no room for a NUL.
    text = json.dumps(plain, ensure_ascii=True).replace("\\u0000", "\\ufffd")
    return json.loads(text) if len(text) <= MOST_BYTES else {"truncated": text[:MOST_BYTES]}


def _reduced(value: Any, ignore: Collection[str], ordered: bool) -> Any:  # noqa: FBT001 - passed down
    match value:
        case bool() | None | str():
            return value
        case int() | float() | Decimal():
            return _number(value)
        case Mapping():
            return {str(name): _reduced(each, ignore, ordered) for name, each in value.items() if name not in ignore}
        case list() | tuple() | set() | frozenset():
            parts = [_reduced(each, ignore, ordered) for each in value]
            return parts if ordered and not isinstance(value, set | frozenset) else sorted(parts, key=_canonical)
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


def _redacted(value: Any, names: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {name: REDACTED if name in names else _redacted(each, names) for name, each in value.items()}
    if isinstance(value, list):
        return [_redacted(each, names) for each in value]
    return value


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
