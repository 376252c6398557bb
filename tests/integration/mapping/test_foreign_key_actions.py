"""What foreign keys do to rows of other mappings while a mirror deletes what they refer to is told, and mended (C19)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.mapping import Setup, World, open_world

if TYPE_CHECKING:
    from tests.support.database import Databases

FORWARD = "SELECT source_id, key, cause FROM changeover.queue WHERE direction = 'forward' ORDER BY id"


def _setup(name: str, action: str, *, old: str = "", default: str = "") -> Setup:
    """Ships and their voyages; the new voyages refer to the new ships."""
    return Setup(
        name=name,
        legacy=f"""
            CREATE TABLE public.old_ships (no integer PRIMARY KEY, flag text);
            CREATE TABLE public.old_voyages (no integer PRIMARY KEY, ship integer {old}, port text);
            CREATE TABLE public.old_stops (no integer PRIMARY KEY, voyage integer, berth text);
        """,
        new=f"""
            CREATE TABLE public.ships (id integer PRIMARY KEY, flag text NOT NULL, originals jsonb NOT NULL DEFAULT '{{}}');
            CREATE TABLE public.voyages (
                id integer PRIMARY KEY, ship_id integer {default} REFERENCES public.ships {action}, port text,
                originals jsonb NOT NULL DEFAULT '{{}}'
            );
            CREATE TABLE public.stops (
                id integer PRIMARY KEY, voyage_id integer REFERENCES public.voyages ON DELETE CASCADE, berth text,
                originals jsonb NOT NULL DEFAULT '{{}}'
            );
        """,
        rows="""
            INSERT INTO old_ships SELECT i, 'F' || i FROM generate_series(1, 9) i;
            INSERT INTO old_voyages SELECT i, 1 + i % 9, 'P' || i FROM generate_series(1, 27) i;
            INSERT INTO old_stops SELECT i, 1 + i % 27, 'B' || i FROM generate_series(1, 54) i;
        """,
        sources=((("public.old_ships", ""),), (("public.old_voyages", ""),), (("public.old_stops", ""),)),
        mappings=(
            _unify("ships", {"flag": "flag"}, no_flag="s.flag IS NULL"),
            _unify("voyages", {"ship": "ship_id", "port": "port"}),
            _unify("stops", {"voyage": "voyage_id", "berth": "berth"}),
        ),
    )


def _unify(name: str, columns: dict[str, str], **rejects: str) -> dict[str, Any]:
    types = {old: "integer" if new.endswith("_id") else "text" for old, new in columns.items()}
    return {
        "unify": f"public.{name}",
        "sources": ["-"],
        "key": {"column": "no", "target": "id"},
        "originals": "originals",
        "types": types,
        "columns": {new: f"s.{old}" for old, new in columns.items()},
        "reverse": {old: f"t.{new}" for old, new in columns.items()},
        "rejects": rejects,
    }


CASCADE = _setup("ships cascade", "ON DELETE CASCADE")
SET_NULL = _setup("ships set null", "ON DELETE SET NULL")
# Ship 1 stands for "none known".
SET_DEFAULT = _setup("ships set default", "ON DELETE SET DEFAULT", default="DEFAULT 1")
FLAGS = Setup(
    name="voyages under a flag",
    legacy="""
        CREATE TABLE public.old_ships (no integer PRIMARY KEY, flag text);
        CREATE TABLE public.old_voyages (no integer PRIMARY KEY, flag text);
    """,
    new="""
        CREATE TABLE public.ships (id integer PRIMARY KEY, flag text UNIQUE, originals jsonb NOT NULL DEFAULT '{}');
        CREATE TABLE public.voyages (
            id integer PRIMARY KEY, flag text REFERENCES public.ships (flag) ON UPDATE SET NULL,
            originals jsonb NOT NULL DEFAULT '{}'
        );
    """,
    rows="""
        INSERT INTO old_ships SELECT i, 'F' || i FROM generate_series(1, 9) i;
        INSERT INTO old_voyages SELECT i, 'F' || 1 + i % 9 FROM generate_series(1, 27) i;
    """,
    sources=((("public.old_ships", ""),), (("public.old_voyages", ""),)),
    mappings=(_unify("ships", {"flag": "flag"}), _unify("voyages", {"flag": "flag"})),
)
BOTH = _setup(
    "ships cascade on both sides",
    "ON DELETE CASCADE ON UPDATE CASCADE",
    old="REFERENCES public.old_ships ON DELETE CASCADE ON UPDATE CASCADE",
)


def _merge(
    target: str, key: str, source: str, valid: str, types: dict[str, str], columns: dict[str, str]
) -> dict[str, Any]:
    return {
        "merge": f"public.{target}",
        "key": key,
        "originals": "legacy",
        "sources": {
            source: {
                "table": f"public.old_{source}",
                "key": f"s.{key}",
                "valid": valid,
                "invalid": "invalid",
                "order": ["s.no"],
                "types": {"no": "integer", **types},
                "reverse": {name: f"t.{name}" for name in ("no", *types)},
            }
        },
        "columns": {"no": f"{source}.no", **columns},
    }


MERGED = Setup(
    name="guests and their cards",
    legacy="""
        CREATE TABLE public.old_guests (no integer PRIMARY KEY, mail text);
        CREATE TABLE public.old_cards (no integer PRIMARY KEY, code text, guest text);
    """,
    new="""
        CREATE TABLE public.guests (no integer, mail text PRIMARY KEY, legacy jsonb NOT NULL DEFAULT '{}');
        CREATE TABLE public.cards (
            no integer, code text PRIMARY KEY, guest text REFERENCES public.guests ON DELETE CASCADE,
            legacy jsonb NOT NULL DEFAULT '{}'
        );
    """,
    rows="""
        INSERT INTO old_guests SELECT i, 'g (' || i || ')' FROM generate_series(1, 6) i;
        INSERT INTO old_cards SELECT i, 'c' || i, 'g (' || 1 + i % 6 || ')' FROM generate_series(1, 12) i;
    """,
    mappings=(
        _merge("guests", "mail", "guests", "s.mail LIKE 'g%'", {"mail": "text"}, {}),
        _merge("cards", "code", "cards", "true", {"code": "text", "guest": "text"}, {"guest": "cards.guest"}),
    ),
)


def _voyages(world: World, ship: int) -> int:
    return int(world.value(f"SELECT count(*) FROM voyages WHERE ship_id = {ship}"))


def _rejected(world: World) -> list[tuple[Any, ...]]:
    return world.rows(
        "SELECT source, key::integer, reason FROM changeover.reject ORDER BY source, key::integer, reason"
    )


@pytest.mark.parametrize("setup", [CASCADE, SET_NULL, SET_DEFAULT], ids=["cascade", "set null", "set default"])
@pytest.mark.parametrize("state", ["copied", "archived"])
def test_rows_that_a_foreign_key_takes_are_told_and_come_back(databases: Databases, setup: Setup, state: str) -> None:
    world = open_world(databases, setup)
    world.state(state)
    world.do("UPDATE old_ships SET flag = NULL WHERE no = 4")
    assert [(key, cause) for _, key, cause in world.rows(FORWARD) if cause == "foreign key"]
    world.check()
    assert [r for r in _rejected(world) if r[0] != "public.old_stops"] == [
        ("public.old_ships", 4, "no_flag"),
        *(("public.old_voyages", no, "foreign_key_violation") for no in (3, 12, 21)),
    ]
    world.do("UPDATE old_ships SET flag = 'again' WHERE no = 4")
    world.check()
    assert _rejected(world) == []
    assert _voyages(world, 4) == 3
    assert world.value("SELECT count(*) FROM stops") == 54


def test_only_the_rows_that_are_concerned_are_looked_at_again(databases: Databases) -> None:
    world = open_world(databases, CASCADE)
    world.do("UPDATE old_ships SET flag = NULL WHERE no IN (2, 4)")
    world.check()
    world.do("UPDATE old_ships SET flag = 'again' WHERE no = 4")
    assert {int(key) for _, key, _ in world.rows(FORWARD)} == {3, 12, 21}
    world.check()
    assert {no for source, no, _ in _rejected(world) if source == "public.old_voyages"} == {1, 10, 19}


def test_a_parent_that_only_the_old_side_deletes_and_makes_again(databases: Databases) -> None:
    world = open_world(databases, CASCADE)
    world.do("DELETE FROM old_ships WHERE no = 5")
    world.check()
    assert _voyages(world, 5) == 0
    assert {reason for _, _, reason in _rejected(world)} == {"foreign_key_violation"}
    world.do("INSERT INTO old_ships VALUES (5, 'new')")
    world.check()
    assert (_voyages(world, 5), _rejected(world)) == (3, [])


def test_a_cascade_of_the_old_schema_leaves_nothing_behind(databases: Databases) -> None:
    world = open_world(databases, BOTH)
    world.do("DELETE FROM old_stops WHERE voyage IN (SELECT no FROM old_voyages WHERE ship = 6)")
    world.do("DELETE FROM old_ships WHERE no = 6")
    assert world.rows(FORWARD) == []
    world.check()
    assert _rejected(world) == []


def test_a_key_of_a_parent_that_changes(databases: Databases) -> None:
    world = open_world(databases, BOTH)
    world.do("UPDATE old_ships SET no = 70 WHERE no = 7")
    world.check()
    assert (_voyages(world, 7), _voyages(world, 70), _rejected(world)) == (0, 3, [])


def test_what_is_referred_to_changes_and_the_new_schema_sets_null(databases: Databases) -> None:
    world = open_world(databases, FLAGS)
    world.do("UPDATE old_ships SET flag = 'G' WHERE no = 7")
    world.check()
    assert _rejected(world) == [("public.old_voyages", no, "foreign_key_violation") for no in (6, 15, 24)]
    world.do("UPDATE old_ships SET flag = 'F7' WHERE no = 7")
    world.check()
    assert _rejected(world) == []
    assert world.value("SELECT count(*) FROM voyages WHERE flag = 'F7'") == 3


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_in_another_isolation(databases: Databases, level: str) -> None:
    world = open_world(databases, SET_NULL)
    for flag, voyages in (("NULL", 0), ("'x'", 3)):
        with world.session(level) as session:
            session.execute(f"UPDATE old_ships SET flag = {flag} WHERE no = 8".encode())
            session.commit()
        world.check()
        assert _voyages(world, 8) == voyages


def test_what_the_application_writes_by_a_trigger_stays(databases: Databases) -> None:
    """Rows that a trigger of the application touches while a mirror writes are not a foreign key's work."""
    world = open_world(databases, CASCADE)
    world.do(
        "CREATE FUNCTION public.renamed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "UPDATE public.voyages SET port = 'home' WHERE ship_id = NEW.id; RETURN NULL; END $$",
        "CREATE TRIGGER renamed AFTER UPDATE ON public.ships FOR EACH ROW EXECUTE FUNCTION public.renamed()",
        "UPDATE old_ships SET flag = 'G' WHERE no = 3",
    )
    assert world.value("SELECT count(*) FROM voyages WHERE port = 'home'") == 3
    assert world.rows(FORWARD) == []


@pytest.mark.parametrize(
    "writes",
    [
        ("UPDATE old_guests SET mail = 'none' WHERE no = 3", "UPDATE old_guests SET mail = 'g (3)' WHERE no = 3"),
        ("DELETE FROM old_guests WHERE no = 3", "INSERT INTO old_guests VALUES (3, 'g (3)')"),
    ],
    ids=["spoiled", "deleted"],
)
def test_rows_of_merges(databases: Databases, writes: tuple[str, str]) -> None:
    world = open_world(databases, MERGED)
    world.do(writes[0])
    world.check()
    assert _rejected_cards(world) == ["c2", "c8"]
    world.do(writes[1])
    world.check()
    assert _rejected_cards(world) == []
    assert world.value("SELECT count(*) FROM cards") == 12


def _rejected_cards(world: World) -> list[str]:
    return [
        key
        for (key,) in world.rows(
            "SELECT key FROM changeover.reject WHERE reason = 'foreign_key_violation' ORDER BY key"
        )
    ]


CREW = Setup(
    name="crew whose chief is one of them",
    legacy="CREATE TABLE public.old_crew (no integer PRIMARY KEY, name text, chief integer)",
    new="""
        CREATE TABLE public.crew (
            id integer PRIMARY KEY, name text NOT NULL, originals jsonb NOT NULL DEFAULT '{}',
            chief_id integer REFERENCES public.crew ON DELETE SET NULL
        )
    """,
    rows="INSERT INTO old_crew SELECT i, 'N' || i, nullif(i / 3, 0) FROM generate_series(1, 12) i",
    sources=((("public.old_crew", ""),),),
    mappings=(_unify("crew", {"name": "name", "chief": "chief_id"}, no_name="s.name IS NULL"),),
)


@pytest.mark.parametrize(
    "spoils", ["UPDATE old_crew SET name = NULL WHERE no = 2", "DELETE FROM old_crew WHERE no = 2"]
)
def test_a_table_that_refers_to_itself(databases: Databases, spoils: str) -> None:
    world = open_world(databases, CREW)
    world.do(spoils)
    world.check()
    world.do("INSERT INTO old_crew VALUES (2, 'back') ON CONFLICT (no) DO UPDATE SET name = EXCLUDED.name")
    world.check()
    assert _rejected(world) == []
    assert world.value("SELECT count(*) FROM crew WHERE chief_id = 2") == 3
