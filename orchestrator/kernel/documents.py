"""Numbers and JSON of the database, read in Python.

A number of a row may have 130,000 digits. Python refuses to read a whole number of more than 4,300, because an
`int` of that size takes long to make; a `Decimal` does not, so such a number becomes one.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

# Python's own limit is 4,300 unless somebody has set a lower one, which cannot be below 640.
_DIGITS: Final = 600
# How a Decimal comes out of json.dumps, which knows no exact numbers. No text of a database has this character.
_NUMBER: Final = re.compile(r'"\\u0000([-+.0-9E]+)"')


def read(text: str | bytes) -> Any:
    """A JSON document; a fraction becomes a float."""
    return json.loads(text, parse_int=_whole)


def read_exactly(text: str | bytes) -> Any:
    """A JSON document whose numbers keep every digit."""
    return json.loads(text, parse_int=_whole, parse_float=Decimal)


def write(value: Any, plain: Callable[[Any], Any] = str, *, indent: int | None = None) -> str:
    """A JSON document, exact numbers digit for digit; `plain` says what becomes of what JSON does not know."""

    def known(found: Any) -> Any:
        return f"\0{found}" if isinstance(found, Decimal) and found.is_finite() else plain(found)

    return _NUMBER.sub(r"\1", json.dumps(value, default=known, indent=indent, ensure_ascii=False))


def _whole(digits: str) -> int | Decimal:
    return int(digits) if len(digits) <= _DIGITS else Decimal(digits)


def number(value: Any) -> Decimal | None:
    """The number that a query gave, exactly; None for what is no number: NULL, NaN, infinity, a text, a truth value."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    exact = Decimal(str(value)) if isinstance(value, float) else Decimal(value)
    return exact if exact.is_finite() else None
