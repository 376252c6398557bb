"""Names of database objects: quoting them, and making new ones that fit.

PostgreSQL cuts an identifier at 63 bytes without an error, so two long generated names can silently
become one. `bounded` therefore never relies on that cut: a name that does not fit is shortened by us
and closed with a hash of the whole, which keeps different names different and the same name the same
in every run (that is what makes resume find its own objects). `distinct` is the check that a list of
generated names, short ones included, really has no two alike.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_BYTES: Final = 63
_HASH_DIGITS: Final = 8


def quote(name: str) -> str:
    """Quote one identifier, always: a quoted name means the same whatever the reserved words are."""
    if not name or "\x00" in name:
        message = f"not an identifier: {name!r}"
        raise ValueError(message)
    return '"' + name.replace('"', '""') + '"'


def unquoted(spelled: str) -> str:
    """The name that an identifier in SQL spelling means: folded to lower case unless it is quoted."""
    if len(spelled) > 1 and spelled.startswith('"') and spelled.endswith('"'):
        return spelled[1:-1].replace('""', '"')
    return spelled.lower()


def qualified(schema: str, name: str) -> str:
    """Quote `schema.name`."""
    return f"{quote(schema)}.{quote(name)}"


def bounded(*parts: str, limit: int = MAX_BYTES) -> str:
    """Join the parts with underscores into a name of at most `limit` bytes.

    A name that fits is left readable; a longer one is cut (between characters, not inside one) and
    gets a hash over its parts.
    """
    name = "_".join(parts)
    encoded = name.encode()
    if len(encoded) <= limit:
        return name
    room = limit - _HASH_DIGITS - 1
    if room < 1:
        message = f"a limit of {limit} bytes leaves no room for a name and its hash"
        raise ValueError(message)
    # NUL cannot stand in an identifier, so ("a_b", "c") and ("a", "b_c") hash differently.
    digest = hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:_HASH_DIGITS]
    return encoded[:room].decode(errors="ignore") + "_" + digest


def distinct(names: Iterable[str]) -> list[str]:
    """Return the generated names as a list, or raise ValueError naming the one that occurs twice."""
    listed = list(names)
    for name, count in Counter(listed).items():
        if count > 1:
            message = f"two generated objects would have the same name: {name!r}"
            raise ValueError(message)
    return listed
