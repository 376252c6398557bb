"""The reader of SQL cuts where the server cuts: statements are joined, split again, and both ways are carried out."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from orchestrator.kernel.sqllexer import lexemes, split
from orchestrator.kernel.sqltokens import parts_of, tokens
from tests.support.database import Database

pytestmark = pytest.mark.every

# Whatever looks like the beginning or the end of something, with the separators that must not count.
INSIDE = st.text(st.sampled_from(list(";-/*'\"\\$aAeE \n\té")), max_size=8)
COMMENT = st.one_of(
    INSIDE.map(lambda s: "--" + s.replace("\n", " ") + "\n"),
    INSIDE.map(lambda s: "/* " + s.replace("/", "").replace("*", "") + " /* ; */ ; */"),
)
BLANK = st.one_of(st.sampled_from([" ", "\n", " \t\f "]), COMMENT.map(lambda c: f" {c} "))


def _plain(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _escaped(text: str) -> str:
    return "E'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


VALUE = st.one_of(
    INSIDE.map(_plain),
    INSIDE.map(_escaped),
    INSIDE.map(lambda s: f"E{_plain(s.replace(chr(92), chr(92) * 2))}"),
    INSIDE.map(lambda s: "U&" + _plain(s.replace("\\", "\\\\"))),
    INSIDE.map(lambda s: f"U&{_plain(s.replace('!', ''))} UESCAPE '!'"),
    INSIDE.map(lambda s: f"$a${s.replace('$', '')}$$ ;$a$"),
    INSIDE.map(lambda s: f"$é_1${s.replace('$', '')}$a$'$é_1$"),
    st.tuples(INSIDE, INSIDE).map(lambda two: f"{_plain(two[0])} -- ;'\n  {_plain(two[1])}"),
    st.tuples(INSIDE, INSIDE).map(lambda two: f"{_escaped(two[0])}\n{_escaped(two[1])[1:]}"),
    st.sampled_from(
        [
            *(
                "B'0101'",
                "X'1F'",
                "N'a;b'",
                "1e-3",
                ".5",
                "1.",
                "'{1,2}'::int[] @> '{1}'",
                "3 */* ; */ 2",
                "4 +-- ;\n 2",
            ),
            *("@ -5", "|/ 25.0", "1<-1", "7 OPERATOR(pg_catalog.-) 3", "'{\"a;\": 1}'::jsonb ->> 'a;'", "(1, ';')"),
            *(
                "2 /1",
                "'--' || '/*'",
                "5 - -2",
                "'a'::text COLLATE \"C\"",
                "CASE WHEN true THEN ';' END",
                "'x' ~ '[*]/'",
            ),
        ]
    ),
)
ALIAS = st.one_of(
    st.sampled_from(
        ["x", "e$a$", "Über", "a\u00a0b", 'U&"d\\0061t;"', "U&\"d!0061\" UESCAPE '!'", '"end"', "begin", "atomic"]
    ),
    INSIDE.map(lambda s: '"n' + s.replace('"', '""') + '"'),
)
SELECT = st.builds(
    lambda columns, blank: f"{blank}SELECT{blank} {', '.join(columns)}{blank}",
    st.lists(st.builds(lambda v, b, a: f"{v}{b}AS {a}", VALUE, BLANK, ALIAS), min_size=1, max_size=3),
    BLANK,
)
BODY = st.lists(
    st.builds(lambda v, b: f"SELECT CASE{b}WHEN true THEN ({v})::text END AS case;{b}", VALUE, BLANK), max_size=3
)
FUNCTION = st.builds(
    lambda what, blank, body: f"CREATE OR REPLACE {what}{blank}BEGIN{blank}ATOMIC{blank}{''.join(body)}{blank}END",
    st.sampled_from(["PROCEDURE f(begin text, a int DEFAULT 1)", "FUNCTION g(a text) RETURNS void"]),
    BLANK,
    BODY,
)
OTHER = st.sampled_from(
    [
        "CREATE OR REPLACE RULE r AS ON DELETE TO tab DO ALSO (SELECT ';'; SELECT 2)",
        "CREATE OR REPLACE FUNCTION h() RETURNS text LANGUAGE sql AS $$ SELECT ';'; SELECT 'begin atomic;' $$",
        "DO $do$ BEGIN PERFORM ';'; END $do$",
        "PREPARE p AS SELECT $1::text || ';', $2::int+1; DEALLOCATE p",
        "",
        "-- nothing ;\n",
    ]
)
STATEMENTS = st.lists(st.one_of(SELECT, SELECT, FUNCTION, OTHER), min_size=1, max_size=5)
SEARCH = settings(
    max_examples=150, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)

Answer = tuple[str | None, list[str] | None, list[tuple[Any, ...]] | None]


def _answers(conn: psycopg.Connection, texts: list[str]) -> list[Answer]:
    found: list[Answer] = []
    with conn.transaction(force_rollback=True):
        for text in texts:
            cursor = conn.execute(text.encode())
            more: bool | None = True
            while more:
                rows = cursor.description and ([c.name for c in cursor.description], cursor.fetchall())
                found.append((cursor.statusmessage, *(rows or (None, None))))
                more = cursor.nextset()
    return [each for each in found if each[0]]  # an empty statement has no status


@pytest.fixture
def conn(database: Database) -> psycopg.Connection:
    opened = database.connect()
    opened.execute("CREATE TABLE tab (a int)")
    return opened


def test_the_server_sees_the_same_statements(conn: psycopg.Connection) -> None:
    @SEARCH
    @given(STATEMENTS)
    @example(["CREATE OR REPLACE FUNCTION g(a text) RETURNS void BEGIN ATOMIC END", "SELECT 1"])
    @example(["SELECT E'a'\n'b\\'; c'", "SELECT 2"])
    def search(several: list[str]) -> None:
        text = "\n;".join(several)
        cut = [each.text for each in split(text)]
        assert _answers(conn, cut) == _answers(conn, [text])
        # One statement each, for the server too: the extended protocol takes no more.
        for each in cut:
            with conn.transaction(force_rollback=True):
                answer = conn.pgconn.prepare(b"", each.encode())
                assert answer.status == psycopg.pq.ExecStatus.COMMAND_OK, answer.error_message

    search()


@SEARCH
@given(st.text(st.sampled_from(list(";-+/*'\"\\$aAeEuU&xXbB1._ \n\t\u00a0é@<>=():")), max_size=30))
def test_nothing_of_any_text_is_left_out(text: str) -> None:
    pieces = list(lexemes(text))
    assert "".join(piece.raw for piece in pieces) == text
    assert [piece.start for piece in pieces] == [len("".join(p.raw for p in pieces[:n])) for n in range(len(pieces))]
    assert all(token.text or token.kind == "quoted" for token in tokens(text))


def test_names_are_what_the_server_makes_of_them(conn: psycopg.Connection) -> None:
    @SEARCH
    @given(ALIAS)
    @example('U&"\\D83D\\DE00 \\+01F600"')
    @example('U&"d\\\\e"')
    def search(alias: str) -> None:
        cursor = conn.execute(f"SELECT 1 AS {alias}".encode())
        assert cursor.description is not None
        assert parts_of(alias) == (cursor.description[0].name,)

    search()
