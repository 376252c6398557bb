from __future__ import annotations

import pytest

from orchestrator.kernel.sqllexer import split, without_comments
from orchestrator.kernel.sqltokens import bare_column, columns_of, equated, mentions, with_columns
from phases.errors import StatementError
from phases.statements import ddl, foreign_key, index, index_head, key_head, parent_of, within


def test_what_looks_like_a_comment_in_a_predicate_is_kept() -> None:
    made = index(
        "f:1", "CREATE INDEX /* why */ Odd ON Public.Notes (a) WHERE b = '--' AND c = '/*' -- here\n AND d = '*/'"
    )
    assert made.statement == (
        "CREATE INDEX CONCURRENTLY \"odd\" ON \"public\".\"notes\" (a) WHERE b = '--' AND c = '/*' -- here\n AND d = '*/'"
    )
    assert made.index == '"public"."odd"'


@pytest.mark.parametrize(
    ("text", "unique", "only"),
    [
        ('create unique index concurrently if not exists "I" on only s."T" using btree (a)', True, True),
        ('CREATE INDEX "I" ON s."T" using btree (a)', False, False),
    ],
)
def test_the_head_of_an_index_is_read_in_every_spelling(text: str, *, unique: bool, only: bool) -> None:
    head = index_head("f:1", text)
    assert (head.unique, head.only, head.name, head.table, head.rest) == (
        unique,
        only,
        "I",
        ("s", "T"),
        "using btree (a)",
    )


@pytest.mark.parametrize("text", ["CREATE INDEX ON t (a)", "SELECT 1", "CREATE INDEX i ON", "DROP INDEX i"])
def test_what_is_no_index_is_refused(text: str) -> None:
    with pytest.raises(StatementError):
        index("f:1", text)


@pytest.mark.parametrize(
    ("text", "added"),
    [
        ("ALTER TABLE ONLY A.b ADD CONSTRAINT K FOREIGN KEY (x) REFERENCES p -- REFERENCES q", '"p" NOT VALID'),
        (
            "ALTER TABLE a.b ADD CONSTRAINT k FOREIGN KEY (x) REFERENCES p (id) ON DELETE SET NULL",
            '"p" (id) ON DELETE SET NULL NOT VALID',
        ),
        (
            "ALTER TABLE a.b ADD CONSTRAINT k FOREIGN KEY (x) REFERENCES p NOT VALID DEFERRABLE",
            '"p" NOT VALID DEFERRABLE',
        ),
    ],
)
def test_a_key_is_added_not_valid_wherever_that_stands(text: str, added: str) -> None:
    add, _ = foreign_key("f:1", text)
    assert add.statement.endswith(f'ALTER TABLE "a"."b" ADD CONSTRAINT "k" FOREIGN KEY (x) REFERENCES {added}')


def test_a_key_is_moved_to_other_tables() -> None:
    head = key_head("f:1", 'ALTER TABLE a.b ADD CONSTRAINT k FOREIGN KEY (references_to) REFERENCES "P""".q (id)')
    assert head.parent == ('P"', "q")
    assert head.on("x.y", "x.z") == 'ALTER TABLE x.y ADD CONSTRAINT "k" FOREIGN KEY (references_to) REFERENCES x.z (id)'
    assert parent_of("ALTER TABLE t ADD CHECK (a <> 'REFERENCES x')") == ()


@pytest.mark.parametrize(
    "text",
    [
        "/* /* */ x */ COMMIT",
        "start TRANSACTION",
        "SET LOCAL TRANSACTION READ ONLY",
        "--\nrollback",
        "PREPARE TRANSACTION 'x'",
    ],
)
def test_no_statement_ends_our_transaction(text: str) -> None:
    with pytest.raises(StatementError):
        within("f:1", text)


@pytest.mark.parametrize(
    "text", ["PREPARE transactions AS SELECT 1", "SET search_path = a", "CREATE TABLE begin (a int)"]
)
def test_what_only_looks_like_it_is_let_through(text: str) -> None:
    assert within("f:1", text) == text


def test_the_inverse_names_the_very_object() -> None:
    made = ddl("f:1", 'CREATE TABLE IF NOT EXISTS Shop."Odd ""Name" (a text DEFAULT \'CREATE TABLE b\')')
    assert made.inverse == 'DROP TABLE IF EXISTS "shop"."Odd ""Name"'


def test_a_statement_knows_its_line() -> None:
    text = "-- a; b\nSELECT ';' /* ;\n */;\n\n/* x\n*/ SELECT 2;\n;"
    assert [(each.line, each.text[-4:]) for each in split(text)] == [(2, "\n */"), (6, "CT 2")]


def test_comments_leave_a_blank_and_strings_stay() -> None:
    assert without_comments("a/* /* */ */b -- c\n|| '--' || $$/*$$") == "a b  \n|| '--' || $$/*$$"


def test_columns_are_found_in_every_spelling_and_in_no_string() -> None:
    text = "s.Mail || 's.phone' || s.\"Fax\" -- s.no\n || other.s.x || s . y"
    assert columns_of(text, "s") == {"mail", "Fax", "y"}
    assert with_columns(text, "s", lambda c: f"[{c}]") == "[mail] || 's.phone' || [Fax] -- s.no\n || other.s.x || [y]"
    assert mentions("count(s.*)", "s")
    assert not mentions("'s.a'", "s")
    assert bare_column(' s . "A b" ') == ("s", "A b")
    assert bare_column("s.a + 1") is None
    assert equated("Role.id = t.role_id") == (("role", "id"), ("t", "role_id"))
    assert equated("role.id = t.role_id AND true") is None
