"""How a value gets from one SQL type to another without raising, and into JSON and back exactly.

A plan declares the type it wants of a source column (``average_score: numeric``); the table at hand
may have it as ``real`` or as text. ``coerce`` gives the expression that makes the one of the other:
a plain cast where that cannot fail, a ``changeover.try_…`` function (NULL instead of an error)
where it can. Nothing is lost by such a NULL: the residual keeps the original.

Times are read in UTC, whatever the session says; a date made of a timestamp in the session's zone
would move with the zone of whoever wrote the row.
"""

from __future__ import annotations

from orchestrator.mapping.sqltext import literal

TEXTUAL = frozenset({"text", "varchar", "bpchar", "name"})
INTEGERS = ("int2", "int4", "int8")
FLOATS = frozenset({"float4", "float8"})
NUMBERS = frozenset({*INTEGERS, "numeric", *FLOATS})
# Types whose to_jsonb() and ->> give the very value back, type cast included.
_EXACT_JSON = frozenset({"bool", "int2", "int4", "int8", "numeric", "float4", "float8", "text", "varchar",
                         "uuid", "date", "timestamp", "timestamptz", "time"})  # fmt: skip
_TRY = {
    "numeric": "try_numeric",
    "int4": "try_integer",
    "int8": "try_bigint",
    "bool": "try_boolean",
    "date": "try_date",
    "timestamptz": "try_timestamptz",
    "timestamp": "try_timestamp",
    "uuid": "try_uuid",
    "jsonb": "try_jsonb",
}
_ALIASES = {
    "integer": "int4",
    "int": "int4",
    "bigint": "int8",
    "smallint": "int2",
    "boolean": "bool",
    "real": "float4",
    "double precision": "float8",
    "decimal": "numeric",
    "character varying": "varchar",
    "timestamp with time zone": "timestamptz",
    "timestamp without time zone": "timestamp",
}


def canonical(name: str) -> str:
    """The catalog's name of a type (``integer`` → ``int4``)."""
    return _ALIASES.get(name.strip().lower(), name.strip().lower())


def coerce(expression: str, have: str, want: str, sql_type: str | None = None) -> str:
    """Make ``expression`` of type ``have`` a ``want``; ``sql_type`` is the full cast (``varchar(9)``)."""
    have, want = canonical(have), canonical(want)
    cast = f"({expression})::{sql_type or want}"
    if have == want:
        return expression if sql_type is None else cast
    if want == "seconds":
        return f"changeover.seconds(({expression})::text)" if have not in {"int2", "int4"} else expression
    utc = _through_utc(expression, have, want)
    if utc is not None:
        return utc if sql_type is None else f"({utc})::{sql_type}"
    safe = (
        want in TEXTUAL
        or (have in INTEGERS and want in {*INTEGERS, "numeric"} and _widens(have, want))
        or (have in NUMBERS and want in {"numeric", "float8"})
        or (have == "numeric" and want == "float4")
        or (have == "seconds" and want in {"int4", "int8", "numeric"})
        or (have == "json" and want == "jsonb")
        or (have == "jsonb" and want == "json")
    )
    if safe or want not in _TRY:
        return cast
    attempt = f"changeover.{_TRY[want]}(({expression})::text)"
    return attempt if sql_type is None else f"({attempt})::{sql_type}"


def _widens(have: str, want: str) -> bool:
    return want == "numeric" or INTEGERS.index(have) <= INTEGERS.index(want)


def _through_utc(expression: str, have: str, want: str) -> str | None:
    """Conversions among date, timestamp and timestamptz, pinned to UTC."""
    table = {
        ("timestamptz", "date"): "(({e}) AT TIME ZONE 'UTC')::date",
        ("timestamptz", "timestamp"): "(({e}) AT TIME ZONE 'UTC')",
        ("timestamp", "timestamptz"): "(({e}) AT TIME ZONE 'UTC')",
        ("timestamp", "date"): "({e})::date",
        ("date", "timestamp"): "({e})::timestamp",
        ("date", "timestamptz"): "(({e})::timestamp AT TIME ZONE 'UTC')",
        ("timestamptz", "text"): "((({e}) AT TIME ZONE 'UTC')::text || '+00')",
        ("timestamptz", "varchar"): "((({e}) AT TIME ZONE 'UTC')::text || '+00')",
    }
    form = table.get((have, want))
    return None if form is None else form.replace("{e}", expression)


def to_json(expression: str, have: str) -> str:
    """JSON of the value's own type; NULL stays NULL. Odd types go in as their text."""
    have = canonical(have)
    if have == "jsonb" or have in _EXACT_JSON:
        return f"to_jsonb({expression})"
    if have == "json":
        return f"({expression})::jsonb"
    return f"to_jsonb(({expression})::text)"


def from_json(document: str, key: str, have: str, sql_type: str) -> str:
    """The way back of ``to_json``: the member ``key`` of a JSONB document as ``sql_type``."""
    have = canonical(have)
    member = literal(key)
    if have == "jsonb":
        return f"({document} -> {member})"
    if have == "json":
        return f"({document} -> {member})::json"
    if have in _TRY:
        # The new side may put anything under the key; a view that raises would fail its readers.
        return f"changeover.{_TRY[have]}({document} ->> {member})::{sql_type}"
    return f"({document} ->> {member})::{sql_type}"


def json_is_exact(have: str) -> bool:
    """True where ``from_json(to_json(x))`` is x to the last bit, so that no residual is needed."""
    return canonical(have) != "json"
