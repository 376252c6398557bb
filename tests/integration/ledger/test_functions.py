"""The helper functions that plans call: they must give NULL, never an error, and agree with the plain casts."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

if TYPE_CHECKING:
    from tests.support.database import Database

ODD = [
    *("", " ", "\t", "\n", " 12 ", "\t12\n", "12 3", "+12", "-12", "--12", "+-1", "12.", ".5", "."),
    *("-.5e3", "1e5", "1E+5"),
    *("1e400", "1e-400", "1e99999", "1e200000", "1e-200000", "1e99999999999999999999", "0x1F", "0b1"),
    *("1_000", "NaN", "nan"),
    *("-NaN", "Infinity", "-infinity", "inf", "+inf", "INFINITY", "N/A", "null", "NULL", "true", "TRUE"),
    *(" t ", "yes", "on"),
    *("o", "of", "off", "0", "1", "2", "tr", "truex", "2147483647", "2147483648", "-2147483648", "-2147483649"),
    *("9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809"),
    *("9" * 40, "0" * 500 + "7"),
    *("9" * 131072, "9" * 200000, "1." + "9" * 20000, "1" * 301, "\u0661\u0662", "\u00a012", "12\u00a0"),
    *("\u2003", "\uff11\uff12"),
    *("2024-02-29", "2023-02-29", "2024-02-30", "2024-13-01", "2024-00-10", "2024-1-5", "0000-01-01", "0001-01-01"),
    *("9999-12-31", "10000-01-01", "5874897-12-31", "5874898-01-01", "0044-03-15 BC", "4714-11-24 BC", "4715-01-01 BC"),
    *("now", "today", "Tomorrow", "yesterday", "epoch", "allballs", "now()", "today 10:00", "20240105"),
    *("240105", "2024.005"),
    *("J2451187", "Jan 5 2024", "5 Januar 2024", "1/2/2024", "13/2/2024", "2/13/2024", "1.2.2024"),
    *("2024-W05-1", "10:00"),
    *("2024-01-05T10:00:00Z", "2024-01-05 10:00:00+00", "2024-01-05 10:00:00.123456", "2024-01-05 10:00:00.1234567"),
    *("2024-01-05 10:00:00+05:30", "2024-01-05 10:00:00 Europe/Berlin", "2024-01-05 10:00:00 Nowhere/Land"),
    *("2024-01-05 24:00:00",),
    *("2024-01-05 23:59:60", "2024-01-05 25:00:00", "2024-01-05 10:00", "2024-01-05t10:00:00z"),
    *("2024-01-05 10:00:00 PM",),
    *("294276-12-31 23:59:59", "294277-01-01 00:00:00", "4713-01-01 00:00:00 BC", "2024-01-05 10:00:00+99"),
    *("2024-01-05 10:00:00EST",),
    *("HH:MM:SS", "00:00:00", "01:02:03", "1:2:3", "-00:05:00", "+00:05:00", "05:30", "90:30", "10:75"),
    *("10:5:75", ":5", "5:"),
    *("1:2:3:4", "00:05:30.5", "99999:59:59", "596523:14:07", "596523:14:08", "-596523:14:08"),
    *("-596523:14:09", "9999999999:00:00"),
    *("99999999999:00", "35791394:07", "35791394:08", "- 5", "-", "1 :2:3", " 01:02:03 ", "\uff10\uff11:02:03"),
    *("{}", "[]", '{"a":1}', '{"a":1', "'a'", '"a"', '"a\\u0000"', '"\\ud800"', '"a\tb"', "01", "-0"),
    *("1e5", "1.", "[" * 50000, "tru", " 1 "),
    *("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"),
    *("{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}",),
    *("a0eebc999c0b4ef8bb6d6bb9bd380a11", "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11"),
    *("{a0eebc999c0b4ef8bb6d6bb9bd380a11", "a0ee--bc99"),
    *("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1", " a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    *("a0eebc999c0b4ef8bb6d6bb9bd380a11-",),
]

# Where we say NULL on purpose though a cast would read something: spellings of newer servers, and words whose
# meaning changes from day to day.
OWN_WAY = {"0x1F", "0b1", "1_000", "now", "now()", "today", "Tomorrow", "yesterday", "today 10:00"}

TYPES = ("integer", "bigint", "numeric", "boolean", "date", "timestamp", "timestamptz", "uuid", "jsonb")


def _cast(conn: psycopg.Connection, kind: str, text: str) -> str | None:
    """What the cast itself makes of a text, as text; None for an error."""
    try:
        with conn.transaction():
            found = conn.execute(sql.SQL("SELECT %s::text::{}::text").format(sql.SQL(kind)), (text,)).fetchone()
    except psycopg.Error:
        return None
    assert found is not None
    return str(found[0])


def _try(conn: psycopg.Connection, kind: str, text: str) -> str | None:
    # From a table's column, so that it is planned like in a batch: inlined, nothing folded away beforehand.
    query = sql.SQL("SELECT changeover.{}(t)::text FROM (VALUES (%s::text)) AS v (t)")
    found = conn.execute(query.format(sql.Identifier(f"try_{kind}")), (text,)).fetchone()
    assert found is not None
    return None if found[0] is None else str(found[0])


@pytest.mark.parametrize("kind", TYPES)
def test_agrees_with_the_cast_on_odd_inputs(installed: Database, kind: str) -> None:
    conn = installed.connect()
    for text in ODD:
        expected = None if text in OWN_WAY else _cast(conn, kind, text)
        assert _try(conn, kind, text) == expected, f"{kind}: {text[:60]!r}"


@pytest.mark.newest
@pytest.mark.parametrize("kind", TYPES)
def test_agrees_with_the_cast_on_any_input(installed: Database, kind: str) -> None:
    conn = installed.connect()
    alphabet = st.sampled_from('0123456789+-.:eETZ/ \t\n{}[]"abcdefntruy,_\u0661\u00a0')

    @settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.text(alphabet, max_size=24) | st.datetimes().map(str) | st.floats().map(str) | st.integers().map(str))
    def check(text: str) -> None:
        if not any(mark in text.lower() for mark in ("0x", "0b", "0o", "_")):
            assert _try(conn, kind, text) == _cast(conn, kind, text)

    check()


@pytest.mark.parametrize("kind", TYPES)
def test_null_is_null(installed: Database, kind: str) -> None:
    assert installed.value(f"SELECT changeover.try_{kind}(NULL) IS NULL")


def test_session_settings_change_nothing(installed: Database) -> None:
    query = """SELECT changeover.try_timestamptz('2024-01-05 10:00:00'), changeover.try_timestamptz('2024-01-05 10:00'),
                      changeover.try_date('1/2/2024'), changeover.try_timestamp('1/2/2024 1:00')"""
    conn = installed.connect()
    before = conn.execute(query).fetchone()
    conn.execute("SET datestyle = 'ISO, DMY'; SET timezone = 'Asia/Kolkata'")
    assert conn.execute(query).fetchone() == before
    assert before is not None
    assert before[0] == before[1] == dt.datetime(2024, 1, 5, 10, tzinfo=dt.UTC)
    assert before[2] == dt.date(2024, 1, 2)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *[(None, None), ("", None), ("garbage", None), ("N/A", None), (":5", None), ("5:", None), ("1:2:3:4", None)],
        *[("0", 0), (" 12 ", 12), ("-12", -12), ("+12", 12), ("2147483647", 2147483647), ("2147483648", None)],
        *[("05:30", 330), ("90:30", 5430), ("10:75", None), ("-05:30", -330), ("0:5", 5)],
        *[("01:02:03", 3723), ("1:2:3", 3723), (" 01:02:03\n", 3723), ("-00:05:00", -300), ("+00:05:00", 300)],
        *[("00:05:30.5", None), ("00:60:00", None), ("- 1:00:00", None), ("1:-2:03", None), ("\u0661:02:03", None)],
        *[("99999:59:59", 359999999), ("596523:14:07", 2147483647), ("596523:14:08", None)],
        *[
            ("-596523:14:08", -2147483648),
            ("-596523:14:09", None),
            ("9999999999:00:00", None),
            ("9" * 30 + ":00", None),
        ],
        *[("35791394:07", 2147483647), ("35791394:08", None), ("000000000001:00", 60), ("1:\t2:3", None)],
    ],
)
def test_seconds(installed: Database, text: str | None, expected: int | None) -> None:
    assert installed.value("SELECT changeover.seconds(t) FROM (VALUES (%s::text)) AS v (t)", [text]) == expected


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        *[("ann@example.com", True), ("  Ann@Example.COM ", True), ("a.b+c_d%e-f@x-y.co.uk", True)],
        *[
            (None, False),
            ("", False),
            ("ann", False),
            ("ann@example", False),
            ("ann@example.c", False),
            ("@x.com", False),
        ],
        *[
            ("a@b.c|", False),
            ("a b@x.com", False),
            ("a@x.com\n", False),
            ("ann@x.com, bob@x.com", False),
            ("ä@x.com", False),
        ],
    ],
)
def test_valid_email(installed: Database, text: str | None, valid: bool) -> None:  # noqa: FBT001 - a table of cases
    assert installed.value("SELECT changeover.valid_email(%s)", [text]) is valid


@pytest.mark.parametrize(("text", "folded"), [(None, None), ("", None), ("   ", None), (" Ann@X.Com ", "ann@x.com")])
def test_fold(installed: Database, text: str | None, folded: str | None) -> None:
    assert installed.value("SELECT changeover.fold(%s)", [text]) == folded


def test_uuid_of(installed: Database) -> None:
    conn = installed.connect()

    def of(namespace: str | None, key: str | None) -> Any:
        found = conn.execute("SELECT changeover.uuid_of(%s, %s)", (namespace, key)).fetchone()
        assert found is not None
        return found[0]

    # Fixed for ever: ids made with it stand in databases.
    assert of("public.email_audit", "17") == uuid.UUID("b0187d87-4b15-37fc-8eeb-f25c79e70213")
    assert of("ab", "c") != of("a", "bc")
    assert of("a", ":b") != of("a:", "b")
    assert of("a", None) is None
    assert {of("t", str(i)).version for i in range(50)} == {3}
    assert {of("t", str(i)).variant for i in range(50)} == {uuid.RFC_4122}
    assert len({of("t", str(i)) for i in range(500)}) == 500


def test_is_uuid_knows_the_canonical_form_only(installed: Database) -> None:
    canonical = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
    texts = [canonical, canonical.upper(), f"{{{canonical}}}", canonical.replace("-", ""), f"{canonical}\n", None]
    query = "SELECT changeover.is_uuid(t) FROM unnest(%s::text[]) WITH ORDINALITY AS v (t, n) ORDER BY n"
    assert [row[0] for row in installed.rows(query, [texts])] == [True, False, False, False, False, False]


def test_values_come_out_whole(installed: Database) -> None:
    row = installed.rows(
        """SELECT changeover.try_numeric(' 12.50 '), changeover.try_jsonb('{"a": [1, null]}'),
                  changeover.try_timestamp('2024-01-05T10:11:12.123456'), changeover.try_boolean(' Yes ')"""
    )[0]
    assert row == (Decimal("12.50"), {"a": [1, None]}, dt.datetime(2024, 1, 5, 10, 11, 12, 123456), True)  # noqa: DTZ001


def test_batches_get_them_inlined(installed: Database) -> None:
    installed.run("CREATE TABLE public.t (x text)")
    names = [f"try_{kind}" for kind in TYPES] + ["fold", "valid_email", "is_uuid", "seconds"]
    calls = ", ".join(f"changeover.{name}(x)" for name in names)
    plan = "\n".join(row[0] for row in installed.rows(f"EXPLAIN (VERBOSE) SELECT {calls} FROM public.t"))
    assert [name for name in names if f"changeover.{name}(" in plan] == []


def test_a_hostile_search_path_changes_nothing(installed: Database) -> None:
    conn = installed.connect()
    conn.execute("CREATE FUNCTION public.lower(text) RETURNS text LANGUAGE sql IMMUTABLE RETURN 'stolen'")
    conn.execute("CREATE FUNCTION public.btrim(text) RETURNS text LANGUAGE sql IMMUTABLE RETURN 'stolen'")
    conn.execute("SET search_path = public, pg_catalog")
    assert conn.execute("SELECT changeover.fold(' X '), changeover.try_date('29 Feb 2024')").fetchone() == (
        "x",
        dt.date(2024, 2, 29),
    )
