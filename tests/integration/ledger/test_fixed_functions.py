"""The fixed functions of the workers, by themselves: the functions of the source that they ask are written by hand here.

The source `old(id, value)` goes to `new(id, value)`. A value that is no number cannot be derived; 13 is what a writer has locked.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from orchestrator.kernel.connections import connect
from orchestrator.ledger import schema

if TYPE_CHECKING:
    from tests.support.database import Database, Databases

PAGES = "(1, 0, 1000)"
SETUP = r"""
CREATE TABLE public.old (id int PRIMARY KEY, value text);
CREATE TABLE public.new (id int PRIMARY KEY, value int UNIQUE DEFERRABLE INITIALLY IMMEDIATE);
CREATE TABLE public.returned (nth int GENERATED ALWAYS AS IDENTITY, key text, patch jsonb);
INSERT INTO public.old SELECT i, i::text FROM generate_series(1, 20) i;
INSERT INTO changeover.mapping (plan, stage, name, kind, target) VALUES ('p', 's', 'm', 'unify', 'public.new');
INSERT INTO changeover.source (mapping_id, name, schema_name, table_name, oid, state)
VALUES (1, 'public.old', 'public', 'old', 'public.old'::regclass, 'copied');

CREATE FUNCTION changeover.m1_fragments() RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object(
        'path', 'pg_catalog', 'source', 'public.old', 'target', 'public.new', 'written', ARRAY['public.new'], 'returns', true,
        'key', 'x.id::text', 'row', 'to_jsonb(x)', 'of_keys', 'x.id = ANY ($1::int[])',
        'lock', ARRAY['SELECT FROM public.old x WHERE x.id = ANY ($1::int[]) ORDER BY x.id FOR NO KEY UPDATE'],
        'own', 'true', 'target_key', 'id', 'key_type', 'integer', 'id_of', 'k.key::integer',
        'place', '(SELECT x.ctid FROM public.old x WHERE x.id = $1::integer)', 'settable', ARRAY['value'], 'dropped', 'id = g.id',
        'left_over', 'SELECT n.id::text FROM public.new n WHERE NOT EXISTS (SELECT FROM public.old o WHERE o.id = n.id)')
$$;
CREATE FUNCTION changeover.m1_apply(keys text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF '13' = ANY (keys) AND EXISTS (SELECT FROM public.old o WHERE o.id = 13 AND o.value = 'locked') THEN
        RAISE lock_not_available;
    END IF;
    DELETE FROM public.new n WHERE n.id = ANY (keys::int[]) AND NOT EXISTS (SELECT FROM public.old o WHERE o.id = n.id);
    INSERT INTO public.new SELECT o.id, o.value::int FROM public.old o WHERE o.id = ANY (keys::int[])
    ON CONFLICT (id) DO UPDATE SET value = excluded.value;
    DELETE FROM changeover.reject r WHERE r.key = ANY (keys);
END $$;
CREATE FUNCTION changeover.m1_erase(p_key text, p_image jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.returned (key, patch) VALUES (p_key, p_image);
    IF p_image ? 'fails' THEN
        RAISE check_violation;
    END IF;
END $$;
CREATE FUNCTION changeover.m1_compared(lo tid, hi tid, first boolean)
RETURNS TABLE (key text, kind text, columns text[], expected jsonb, actual jsonb) LANGUAGE sql STABLE AS $$
    SELECT o.id::text, 'different', ARRAY['value'], to_jsonb(o), to_jsonb(n) FROM public.old o JOIN public.new n USING (id)
    WHERE o.ctid >= lo AND o.ctid < hi AND o.value::int <> n.value
$$;
CREATE FUNCTION changeover.m1_dependents(p_note jsonb) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT jsonb_array_elements_text(p_note -> 'rows')
$$;
CREATE TRIGGER gone AFTER TRUNCATE ON public.old FOR EACH STATEMENT EXECUTE FUNCTION changeover.truncated('m1');
CREATE TRIGGER emptied AFTER TRUNCATE ON public.new FOR EACH STATEMENT EXECUTE FUNCTION changeover.emptied('x1');
"""


@pytest.fixture
def fixed(databases: Databases) -> Database:
    def build(database: Database) -> None:
        with connect(database.dsn) as conn:
            schema.install(conn)
            conn.execute(SETUP.encode())

    return databases.clone("fixed functions", build)


def wait(database: Database, *keys: str, direction: str = "forward", patch: str = "NULL") -> None:
    for key in keys:
        database.run(
            "INSERT INTO changeover.queue (source_id, direction, key, cause, patch) "
            f"VALUES (1, '{direction}', {key}, 'test', {patch})"
        )


def drain(database: Database, keys: int = 100) -> tuple[Any, ...]:
    (row,) = database.rows(f"SELECT * FROM changeover.drain(1, {keys})")
    return row


def queue(database: Database) -> list[Any]:
    return [key for (key,) in database.rows("SELECT key FROM changeover.queue ORDER BY id")]


def test_one_key_that_fails_is_a_reject_and_hinders_no_other(fixed: Database) -> None:
    fixed.run("UPDATE public.old SET value = 'none' WHERE id = 3")
    wait(fixed, "'1'", "'2'", "'3'", "'4'")
    assert drain(fixed) == (4, 0)
    assert fixed.rows("SELECT id FROM public.new ORDER BY 1") == [(1,), (2,), (4,)]
    rejects = "SELECT source, stage, key, reason, \"row\" ->> 'value' FROM changeover.reject"
    assert fixed.rows(rejects) == [("public.old", "s", "3", "invalid_text_representation", "none")]


def test_contention_is_no_reject_and_the_key_waits(fixed: Database) -> None:
    fixed.run("UPDATE public.old SET value = 'locked' WHERE id = 13")
    wait(fixed, "'12'", "'13'", "'14'")
    assert drain(fixed) == (2, 1)
    assert fixed.rows("SELECT key, attempts, left(last_error, 5) FROM changeover.queue") == [("13", 1, "55P03")]
    assert fixed.value("SELECT count(*) FROM changeover.reject") == 0
    assert fixed.value("SELECT not_before IS NOT NULL FROM changeover.queue") is True


def test_it_takes_so_many_keys_in_their_order(fixed: Database) -> None:
    wait(fixed, *(f"'{i}'" for i in (9, 3, 7, 5)))
    assert drain(fixed, 2) == (2, 2)
    assert queue(fixed) == ["7", "5"]


def test_what_a_batch_rejected_stands_while_nobody_has_changed_the_row(fixed: Database) -> None:
    seen = "(SELECT jsonb_build_object('place', ctid::text, 'xmin', xmin::text) FROM public.old WHERE id = {})"
    for key in (5, 6):
        wait(fixed, f"'{key}'", patch=seen.format(key))
    fixed.run("UPDATE public.old SET value = '600' WHERE id = 6")
    assert drain(fixed) == (2, 0)
    assert fixed.rows("SELECT * FROM public.new") == [(6, 600)]


def test_writes_of_one_key_go_back_in_their_order_past_those_of_others(fixed: Database) -> None:
    wait(fixed, "'1'", direction="reverse", patch='\'{"erase": {"n": 1}}\'')
    wait(fixed, "'2'", direction="reverse", patch='\'{"erase": {"n": 2, "fails": 1}}\'')
    wait(fixed, "'1'", direction="reverse", patch='\'{"erase": {"n": 3}, "key": "4"}\'')
    wait(fixed, "'2'", direction="reverse", patch='\'{"erase": {"n": 4}}\'')
    wait(fixed, "'4'", direction="reverse", patch='\'{"erase": {"n": 5}}\'')
    assert drain(fixed) == (6, 2)  # each is derived again as well
    assert fixed.rows("SELECT patch -> 'n' FROM public.returned ORDER BY nth") == [(1,), (3,), (5,)]
    errors = fixed.rows("SELECT patch -> 'erase' -> 'n', left(last_error, 5) FROM changeover.queue ORDER BY id")
    assert errors == [(2, "23514"), (4, None)]


def test_of_many_writes_only_the_one_that_fails_is_left(fixed: Database) -> None:
    fixed.run(
        "INSERT INTO changeover.queue (source_id, direction, key, cause, patch) SELECT 1, 'reverse', i::text, 'test', "
        'CASE WHEN i = 77 THEN \'{"erase": {"fails": 1}}\' ELSE \'{"erase": {}}\' END::jsonb FROM generate_series(1, 300) i'
    )
    assert drain(fixed, 1000) == (2 * 299, 1)
    assert queue(fixed) == ["77"]
    assert fixed.rows("SELECT count(*), count(DISTINCT key) FROM public.returned") == [(299, 299)]


def test_a_patch_changes_only_what_nobody_else_has_changed(fixed: Database) -> None:
    fixed.run("ALTER TABLE public.old ADD note text DEFAULT 'old', ADD \"a %s\" int DEFAULT 1")
    fixed.run(
        "ALTER FUNCTION changeover.m1_fragments() RENAME TO m2_fragments; "
        "CREATE FUNCTION changeover.m1_fragments() RETURNS jsonb LANGUAGE sql STABLE AS $$ "
        "SELECT changeover.m2_fragments() || jsonb_build_object('settable', ARRAY['value', 'note', 'a %s']) $$"
    )
    patch = """'{"set": {"value": ["1", "100"], "note": ["else", "new"], "a %s": ["1", null], "gone": ["1", "2"]}}'"""
    wait(fixed, "'1'", direction="reverse", patch=patch)
    drain(fixed)
    assert fixed.rows("SELECT * FROM public.old WHERE id = 1") == [(1, "100", "old", None)]
    assert queue(fixed) == []


def test_entries_without_a_key_speak_of_what_is_left_over_or_of_every_row(fixed: Database) -> None:
    fixed.run("INSERT INTO public.new VALUES (1, 0), (99, 99)")
    fixed.run("INSERT INTO changeover.queue (source_id, direction, key, cause) VALUES (1, 'forward', NULL, 'truncate')")
    drain(fixed)
    assert fixed.rows("SELECT id, value FROM public.new") == [(1, 0)]
    wait(fixed, "NULL")
    drain(fixed)
    assert (
        fixed.value("SELECT count(*) FROM public.old o JOIN public.new n ON n.id = o.id AND n.value = o.value::int")
        == 20
    )


def test_a_note_of_a_lookup_is_worked_off_again_when_who_ran_then_has_ended(fixed: Database) -> None:
    note = '\'{"lookup": "l", "rows": ["3"]}\''
    fixed.run(
        f"INSERT INTO changeover.queue (source_id, direction, key, cause, patch) VALUES (1, 'forward', NULL, 'lookup', {note})"
    )
    running = fixed.connect(autocommit=False)
    running.execute("SELECT pg_current_xact_id()")
    assert drain(fixed) == (1, 1)
    fixed.run("UPDATE public.old SET value = '333' WHERE id = 3; UPDATE changeover.queue SET not_before = NULL")
    assert drain(fixed) == (1, 1)
    running.rollback()
    fixed.run("UPDATE public.old SET value = '334' WHERE id = 3; UPDATE changeover.queue SET not_before = NULL")
    assert drain(fixed) == (2, 0)
    assert fixed.rows("SELECT * FROM public.new") == [(3, 334)]


def test_what_stands_in_a_note_goes_into_no_dynamic_sql(fixed: Database) -> None:
    name = "0\"'; DROP TABLE public.old; --"
    note = json.dumps({"lookup": name, "seen": name, "changes": [{"old": {name: name}, "new": None}]}).replace(
        "'", "''"
    )
    fixed.run(
        f"INSERT INTO changeover.queue (source_id, direction, key, cause, patch) VALUES (1, 'reverse', NULL, 'lookup', '{note}')"
    )
    drain(fixed)
    assert queue(fixed) == []
    assert fixed.value("SELECT count(*) FROM public.old") == 20


def test_pages_are_narrowed_down_to_the_row_that_fails(fixed: Database) -> None:
    fixed.run("UPDATE public.old SET value = 'none' WHERE id IN (3, 8)")
    assert fixed.rows(f"SELECT * FROM changeover.isolate{PAGES}") == [(20, 18, 2)]
    assert fixed.value("SELECT count(*) FROM public.new") == 18
    fixed.run("UPDATE public.old SET value = '30' WHERE id = 3; UPDATE public.old SET value = '80' WHERE id = 8")
    assert fixed.rows(f"SELECT * FROM changeover.resync{PAGES}") == [(20, 20, 0)]
    assert fixed.rows("SELECT value FROM public.new WHERE id IN (3, 8) ORDER BY 1") == [(30,), (80,)]
    assert fixed.value("SELECT count(*) FROM changeover.reject") == 0


def test_a_comparison_goes_past_a_row_that_cannot_be_derived(fixed: Database) -> None:
    fixed.run(
        "INSERT INTO public.new SELECT id, value::int FROM public.old; "
        "UPDATE public.new SET value = 500 WHERE id = 5; UPDATE public.old SET value = 'none' WHERE id = 4"
    )
    found = fixed.rows(f"SELECT key, kind FROM changeover.compare{PAGES}")
    assert sorted(found) == [("20", "counted"), ("4", "orphan"), ("5", "different")]
    fixed.run("SELECT changeover.one(1, '4')")
    assert fixed.rows(f"SELECT key, kind FROM changeover.compare{PAGES} WHERE key = '4'") == []


def test_a_truncate_of_either_side(fixed: Database) -> None:
    wait(fixed, "NULL")
    drain(fixed)
    fixed.run("TRUNCATE public.new")
    assert fixed.rows("SELECT direction, key, cause FROM changeover.queue") == [("reverse", None, "emptied")]
    drain(fixed)
    assert fixed.value("SELECT count(*) FROM public.returned WHERE patch IS NULL") == 20
    assert len(queue(fixed)) == 20
    drain(fixed)  # what stands for the keys now is looked at once for all of them
    assert queue(fixed) == []
    fixed.run("SELECT changeover.resync(1, 0, 1000)")
    fixed.run("TRUNCATE public.old")
    assert fixed.value("SELECT count(*) FROM public.new") == 0
    assert queue(fixed) == []


def test_a_truncate_in_an_old_snapshot_only_leaves_a_mark(fixed: Database) -> None:
    wait(fixed, "NULL")
    drain(fixed)
    conn = fixed.connect()
    conn.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    conn.execute("TRUNCATE public.old")
    conn.execute("COMMIT")
    assert fixed.rows("SELECT key, cause FROM changeover.queue") == [(None, "truncate")]
    drain(fixed)
    assert fixed.value("SELECT count(*) FROM public.new") == 0
