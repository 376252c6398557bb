"""Numbers with their nouns, times, rows in a line, and the name that was meant, as people say them."""

from __future__ import annotations

from datetime import UTC, datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from orchestrator.kernel import documents

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_MINUTE: Final = 60
_LONGEST: Final = 80
_WHOLE: Final = 100
_ALIKE: Final = 0.6
_UNITS: Final = {"_seconds": " s", "_segments": " segments", "_ms": " ms", "_bytes": " bytes", "_percent": " %"}


def meant(given: str, known: Iterable[str], end: str = "", alike: float = _ALIKE) -> str:
    """The words that ask for the one of the known names that looks like the one given; `end` where none does."""
    spelled = {name.casefold(): name for name in known}
    near = get_close_matches(given.casefold(), spelled, 1, alike)
    return f"; did you mean `{spelled[near[0]]}`?" if near else end


def counted(number: int, noun: str) -> str:
    """`1 key`, `2 keys`, `1,200 keys`: for nouns that take an s."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def counted_of(number: int, plural: str) -> str:
    """`1 action`, `2 actions` of `actions`: for names that are a plural already, as keys of a document are."""
    if number != 1:
        return f"{number:,} {plural}"
    for ending, one in (("ies", "y"), ("ches", "ch"), ("s", "")):
        if plural.endswith(ending):
            return f"1 {plural.removesuffix(ending)}{one}"
    return f"1 {plural}"


def moment(at: datetime | str) -> str:
    """A time as people read it, to the second: `2026-11-28 15:06:00 UTC`; a text is one in ISO 8601."""
    given = datetime.fromisoformat(at) if isinstance(at, str) else at
    return f"{given.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def duration(seconds: float) -> str:
    """Seconds as people say them: `45 s`, `3 min 20 s`, `2 h 05 min`."""
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    minutes, rest = divmod(whole, _MINUTE)
    if minutes < _MINUTE:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // _MINUTE} h {minutes % _MINUTE:02d} min"


def compared(rows: int, differences: int) -> str:
    """What a verification has looked at, in the one way that it is said: `1,200 rows compared, 2 differences`."""
    return f"{counted(rows, 'row')} compared, {counted(differences, 'difference')}"


def compared_or_checked(found: Mapping[str, Any]) -> str:
    """The same of a verification as `status` knows it; of a stage that copies nothing, its checks."""
    if not found["tables"]:
        return f"nothing to compare; {counted(found['checks'], 'check')} passed"
    return compared(found["rows"], found["differences"])


def measured(name: str, value: float | None, limit: float | None) -> tuple[str, str]:
    """A probe's name and what it says, with the unit out of the name: `replica lag`, `0.2 s of 10 s`."""
    label, unit = name, ""
    for ending, its in _UNITS.items():
        if name.endswith(ending):
            label, unit = name.removesuffix(ending), its
    parts = [_measure(each) + unit for each in (value, limit) if each is not None]
    return label.replace("_", " "), "unreadable" if value is None else " of ".join(parts)


def _measure(value: float) -> str:
    return f"{value:,.1f}" if value % 1 and abs(value) < _WHOLE else f"{value:,.0f}"


def in_a_line(found: Any) -> str:
    """A row that came as JSON, in a line: `id=7, name=Ann`; a long value is cut."""
    if not isinstance(found, dict):
        return _value(found)
    return ", ".join(f"{name}={_value(value)}" for name, value in found.items())


def _value(value: Any) -> str:
    text = documents.write(value) if isinstance(value, dict | list) else str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
