"""How a value gets from one SQL type to another without raising, and into JSON and back exactly.

A plan declares the type it wants of a source column (``average_score: numeric``); the table at hand
may have it as ``real`` or as text. ``coerce`` gives the expression that makes the one of the other, ``fit``
the one that makes it a column's very type (``varchar(9)``, an enum, a domain): a plain cast where that
cannot fail, a ``changeover.try_…`` function (NULL instead of an error) where it can. Nothing is lost by
such a NULL: the originals keeps the original.

Times are read in UTC, whatever the session says; a date made of a timestamp in the session's zone
would move with the zone of whoever wrote the row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.mapping.sqltext import literal

if TYPE_CHECKING:
    from orchestrator.mapping.catalog import Column

TEXTUAL = frozenset({"text", "varchar", "bpchar", "name"})
INTEGERS = ("int2", "int4", "int8")
FLOATS = frozenset({"float4", "float8"})
NUMBERS = frozenset({*INTEGERS, "numeric", *FLOATS})
INTEGER_LIMITS = {
    "int2": ("-32768", "32767"),
    "int4": ("-2147483648", "2147483647"),
    "int8": ("-9223372036854775808", "9223372036854775807"),
}
# Types whose to_jsonb() and ->> give the value back.
_JSON = frozenset({"bool", "int2", "int4", "int8", "numeric", "float4", "float8", "text", "varchar",
                   "uuid", "date", "timestamp", "timestamptz", "time"})  # fmt: skip
# Arrays of them: one dimension counted from 1 comes back as it was, the originals keeps any other.
_JSON_ARRAYS = frozenset(f"_{each}" for each in _JSON - FLOATS)
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
# Types of which two values are equal only if they are alike in every bit. Text is so in collation C, which cannot be
# said of float8 (-0), numeric (1.50), char(n), interval or jsonb.
_EQUAL_IS_ALIKE = frozenset({"bool", *INTEGERS, "oid", "uuid", "date", "time", "timestamp", "timestamptz", "bytea"})
# Types without an equality, and those whose equality says less than a value does: of a box or a circle it asks for the
# size, of an interval for the length by 30-day months, of citext not for the case. Their texts are compared.
COMPARED_AS_TEXT = frozenset(
    {"json", "xml", "point", "line", "lseg", "box", "path", "polygon", "circle", "interval", "citext"}
)
COMPARED_AS_TEXT |= {f"_{each}" for each in COMPARED_AS_TEXT}
_EMPTIEST = {
    **dict.fromkeys(TEXTUAL, "''"),
    **dict.fromkeys(NUMBERS, "0"),
    "bool": "false",
    "date": "(now() AT TIME ZONE 'UTC')::date",
    "timestamp": "now() AT TIME ZONE 'UTC'",
    "timestamptz": "now()",
    "time": "time '00:00'",
    "interval": "interval '0'",
    "json": "json '{}'",
    "jsonb": "jsonb '{}'",
    "uuid": "gen_random_uuid()",
    "bytea": "''::bytea",
}
_BLANKS = TEXTUAL | {"varbit", "bit", "tsvector", "citext", "ltree", "hstore"}
_UUID_ROOM = 36 + 4  # as a typmod has it
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


def compared(column: Column) -> str:
    """What is put behind a value of the column where two of them are compared with =, so that equal means the same."""
    if column.type in COMPARED_AS_TEXT:
        return "::text"
    if column.kind == "e" and column.below is not None:
        return f"::{column.below}"  # the operators of enums are found for no domain
    # A collation may take two spellings for one.
    return ' COLLATE "C"' if column.type in TEXTUAL and column.collation is not None else ""


def unlike(column: Column, left: str, right: str) -> str:
    """True where two values of a column differ in any bit (case, scale, spelling), NULL equal to NULL.

    The comparison by image exists for records only, and two ROW() side by side would be compared column by column; the
    casts make them records. Where the type's own equality says the same it is taken, as it costs a fifth.
    """
    if column.type in _EQUAL_IS_ALIKE:
        return f"(({left}) IS DISTINCT FROM ({right}))"
    if column.type in {"text", "varchar"}:
        return f'(({left}) COLLATE "C" IS DISTINCT FROM ({right}) COLLATE "C")'
    if column.below is not None:
        # One of the two may be of the domain, the other of the type below it.
        left, right = f"({left})::{column.below}", f"({right})::{column.below}"
    return f"(ROW({left})::record OPERATOR(pg_catalog.*<>) ROW({right})::record)"


def roomy(column: Column) -> bool:
    """Whether a column of text has room for a uuid: varchar(20) has not."""
    return column.type in TEXTUAL and not 0 <= column.typmod < _UUID_ROOM


def has_blank(column: Column) -> bool:
    """Whether a value of the column may have an empty text."""
    return column.type in _BLANKS or column.kind == "e"


def canonical(name: str) -> str:
    """The catalog's name of a type (``integer`` → ``int4``, ``text[]`` → ``_text``)."""
    plain = name.strip().lower()
    return f"_{canonical(plain[:-2])}" if plain.endswith("[]") else _ALIASES.get(plain, plain)


def coerce(expression: str, have: str, want: str) -> str:  # noqa: PLR0911 - one return for each way there is
    """Make ``expression`` of type ``have`` a ``want``; NULL where it cannot be one, never an error."""
    have, want = canonical(have), canonical(want)
    cast = f"({expression})::{want}"
    if have == want:
        return expression
    if want == "seconds":
        return f"changeover.seconds(({expression})::text)" if have not in {"int2", "int4"} else expression
    if have == "seconds":
        have = "int4"
    if want in TEXTUAL:
        return as_text(expression, have) + ("" if want == "text" else f"::{want}")
    utc = _through_utc(expression, have, want)
    if utc is not None:
        return utc
    if want in FLOATS:
        return _float(expression, have, want)
    safe = (
        (have in INTEGERS and want in {*INTEGERS, "numeric"} and _widens(have, want))
        or (have in NUMBERS and want == "numeric")
        or (have == "jsonb" and want == "json")
    )
    if safe:
        return cast
    text = as_text(expression, have)
    if want == "int2":
        return _when(f"changeover.try_integer({text})", "{} BETWEEN -32768 AND 32767", "{}::int2")
    if want in _TRY:
        return f"changeover.{_TRY[want]}({text})"
    return _castable(text, want)


def fit(expression: str, have: str, column: Column) -> str:
    """Make it the very type of a column: NULL where it cannot be one, because a view that raises fails its readers."""
    have, sql_type = canonical(have), column.sql_type
    if column.domain:
        # CASE gives the type below the domain.
        return f"({_castable(as_text(expression, have), sql_type)})::{column.handled_as}"
    if column.kind == "e":
        labels = f"enum_range(NULL::{sql_type})::text[]"
        return _when(f"({as_text(expression, have)})", f"{{}} = ANY ({labels})", f"{{}}::{sql_type}")
    if column.kind == "b" and not column.type.startswith("_"):
        value = coerce(expression, have, column.type)
        if limits := column.numeric_limits:
            bound = f"(1e{limits[0] - limits[1]} - 0.5e-{limits[1]})"
            return _when(f"({value})", f"(abs({{}}) < {bound} OR {{}} = 'NaN'::numeric)", f"{{}}::{sql_type}")
        return f"({value})::{sql_type}"
    return f"({expression})::{sql_type}" if have == column.type else _castable(as_text(expression, have), sql_type)


def as_text(expression: str, have: str) -> str:
    """The text of a value, the same whatever the session has set: the view has no settings of its own.

    ``to_jsonb`` writes dates and times as ISO 8601 under every DateStyle.
    """
    have = canonical(have)
    if have in TEXTUAL - {"bpchar", "name"}:
        return f"({expression})" if have == "text" else f"({expression})::text"
    if have == "date":
        return f"(to_jsonb({expression}) #>> '{{}}')"
    if have == "timestamp":
        return f"replace(to_jsonb({expression}) #>> '{{}}', 'T', ' ')"
    if have == "timestamptz":
        return f"(replace(to_jsonb(({expression}) AT TIME ZONE 'UTC') #>> '{{}}', 'T', ' ') || '+00')"
    return f"({expression})::text"


def _when(value: str, test: str, result: str) -> str:
    return f"CASE WHEN {test.replace('{}', value)} THEN {result.replace('{}', value)} END"


def _castable(text: str, sql_type: str) -> str:
    return f"CASE WHEN changeover.castable({text}, {literal(sql_type)}::regtype) THEN ({text})::{sql_type} END"


def _float(expression: str, have: str, want: str) -> str:
    if have == "float4" or (have in INTEGERS and want == "float8"):
        return f"({expression})::{want}"
    value = f"({expression})" if have in NUMBERS else f"changeover.try_numeric({as_text(expression, have)})"
    low, high = ("1e-37", "1e38") if want == "float4" else ("1e-307", "1e308")
    odd = "" if have in INTEGERS else "{}::numeric IN ('NaN', 'Infinity', '-Infinity') OR "
    return _when(value, f"({odd}{{}} = 0 OR abs({{}}) BETWEEN {low} AND {high})", f"{{}}::{want}")


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
    }
    form = table.get((have, want))
    return None if form is None else form.replace("{e}", expression)


def to_json(expression: str, have: str) -> str:
    """JSON of the value's own type, arrays included; NULL stays NULL. Odd types go in as their text."""
    have = canonical(have)
    if have == "jsonb" or have in _JSON or have in _JSON_ARRAYS:
        return f"to_jsonb({expression})"
    if have == "json":
        return keep_json(expression)
    return f"to_jsonb(({expression})::text)"


def keep_json(expression: str) -> str:
    r"""A ``json`` value as JSONB. What JSONB does not take (``"\u0000"``) is kept as the text that it is."""
    text = f"({expression})::text"
    return f"coalesce(changeover.try_jsonb({text}), to_jsonb({text}))"


def from_json(document: str, column: Column) -> str:
    """The way back of ``to_json``: the member of a JSONB document that is called like the column."""
    member = literal(column.name)
    if column.type == "jsonb" and not column.domain:
        return f"({document} -> {member})"
    if column.type == "json" and not column.domain:
        return f"({document} -> {member})::json"
    # The new side may put anything under the key.
    text = f"({document} ->> {member})"
    if column.type in _JSON_ARRAYS and not column.domain:
        array = f"CASE jsonb_typeof({document} -> {member}) WHEN 'array' THEN {document} -> {member} END"
        elements = f"SELECT e.value #>> '{{}}' FROM jsonb_array_elements({array}) WITH ORDINALITY AS e (value, nth)"
        text = f"CASE WHEN {array} IS NULL THEN {text} ELSE ARRAY({elements} ORDER BY e.nth)::text END"
    return fit(text, "text", column)


def json_is_exact(column: Column) -> bool:
    """True where ``from_json(to_json(x))`` is x to the last bit, so that no originals is needed.

    A float is not: JSON has no -0. Neither is what the way back may refuse, or a type with a text that says less.
    """
    return (column.type == "jsonb" or column.type in _JSON) and column.type not in FLOATS and not column.domain


def emptiest(kind: str) -> str | None:
    """The value of a base type that says least, as SQL; None where the type has none."""
    return "'{}'" if kind.startswith("_") else _EMPTIEST.get(kind)
