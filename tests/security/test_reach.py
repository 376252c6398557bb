"""Who else may create objects where the plan's SQL looks for names: then nothing of the plan is executed."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.security.conftest import LEGACY
from tests.support.cli import Cli
from tests.support.database import Database

pytestmark = pytest.mark.every

EXAMPLE = LEGACY.parent


@pytest.fixture
def shops(database: Database) -> Database:
    database.run(LEGACY.read_text())
    Cli(database.dsn).ok("init")
    return database


@pytest.fixture
def role(shops: Database) -> Iterator[Callable[[str], str]]:
    """Makes roles that are gone after the test."""
    admin, made = shops.connect("admin"), list[str]()

    def make(options: str = "LOGIN") -> str:
        name = f"r_{secrets.token_hex(4)}"
        admin.execute(f"CREATE ROLE {name} {options}")
        made.append(name)
        return name

    yield make
    for name in made:
        admin.execute(f"REASSIGN OWNED BY {name} TO CURRENT_USER")
        admin.execute(f"DROP OWNED BY {name}")
        admin.execute(f"DROP ROLE {name}")


def _refused(database: Database, plan: str, *words: str) -> None:
    """By `plan check`, `start` and the doctor, with nothing changed."""
    cli, before = Cli(database.dsn), database.schema_dump()
    checked = cli("plan", "check", plan)
    assert checked.code == 5, checked.out
    started = cli("start", plan, "--kind", "rehearsal")
    assert started.code == 5, started.err
    doctor = cli("doctor", "--plan", plan)
    assert doctor.code == 5, doctor.out
    for word in words:
        assert word in checked.out
        assert word in started.err
        assert word in " ".join(doctor.out.split())
    assert database.schema_dump() == before
    assert cli("doctor").code in {0, 5}


def _owner(database: Database) -> str:
    return f'"{database.value("SELECT current_user")}"'


@pytest.mark.parametrize(
    ("grants", "words"),
    [
        ("GRANT CREATE ON SCHEMA public TO PUBLIC", ('REVOKE CREATE ON SCHEMA "public" FROM PUBLIC', "every role")),
        ("GRANT ALL ON SCHEMA public TO {app}", ('REVOKE CREATE ON SCHEMA "public" FROM {app}',)),
        ("GRANT CREATE ON SCHEMA public TO {app} WITH GRANT OPTION", ('REVOKE CREATE ON SCHEMA "public" FROM {app}',)),
        ("ALTER SCHEMA public OWNER TO {app}; GRANT CREATE ON SCHEMA public TO {owner}", ("ALTER SCHEMA", "owns it")),
        ("GRANT CREATE ON SCHEMA changeover TO {app}", ('REVOKE CREATE ON SCHEMA "changeover" FROM {app}',)),
        (
            "CREATE SCHEMA archive AUTHORIZATION {owner}; GRANT CREATE ON SCHEMA archive TO {app}",
            ('REVOKE CREATE ON SCHEMA "archive" FROM {app}',),
        ),
        # The path of every session begins with "$user": a schema of that name would come before all others.
        ("GRANT CREATE ON DATABASE {database} TO {app}", ("may create schema", "CREATE SCHEMA {owner}")),
        ("CREATE SCHEMA {owner}; GRANT CREATE ON SCHEMA {owner} TO {app}", ("REVOKE CREATE ON SCHEMA {owner}",)),
    ],
)
def test_a_schema_in_which_others_may_create_is_refused(shops: Database, grants: str, words: tuple[str, ...]) -> None:
    names = {"app": shops.app_role, "owner": _owner(shops), "database": shops.name}
    shops.connect("admin").execute(grants.format(**names).encode())
    _refused(shops, "example", *(each.format(**names) for each in words))


def test_a_right_that_comes_by_a_group_is_seen(shops: Database, role: Callable[[str], str]) -> None:
    group, member = role("NOLOGIN"), role("LOGIN NOINHERIT")
    shops.connect("admin").execute(f"GRANT CREATE ON SCHEMA public TO {group}; GRANT {group} TO {member}")
    _refused(shops, "example", f"FROM {group}")
    # The owner belongs to the group as well; the other member is a stranger still.
    shops.connect("admin").execute(f"GRANT {group} TO {_owner(shops)}")
    _refused(shops, "example", f"FROM {group}")
    shops.connect("admin").execute(f"REVOKE {group} FROM {member}")
    Cli(shops.dsn).ok("plan", "check", "example")


def test_who_has_the_owners_rights_anyway_is_no_stranger(shops: Database, role: Callable[[str], str]) -> None:
    colleague, root, team = role("LOGIN"), role("SUPERUSER"), role("NOLOGIN")
    admin = shops.connect("admin")
    admin.execute(
        f"GRANT {_owner(shops)} TO {colleague}; GRANT {team} TO {_owner(shops)}; "
        f"GRANT CREATE ON SCHEMA public TO {colleague}, {root}, {team}"
    )
    cli = Cli(shops.dsn)
    cli.ok("plan", "check", "example")
    cli.ok("doctor", "--plan", "example")


def test_a_superuser_who_migrates_has_strangers_too(shops: Database) -> None:
    cli = Cli(shops.admin_dsn)
    cli.ok("plan", "check", "example")
    shops.connect("admin").execute(f'GRANT CREATE ON SCHEMA public TO "{shops.app_role}"')
    assert cli("plan", "check", "example").code == 5


@pytest.mark.parametrize("where", ["search_path: [tools]", "schemas: [public, tools]"])
def test_schemas_that_the_plan_names_are_looked_at(shops: Database, tmp_path: Path, where: str) -> None:
    plan = tmp_path / "plan"
    shutil.copytree(EXAMPLE, plan)
    with (plan / "plan.yaml").open("a") as file:
        file.write(f"\n{where}\n")
    shops.run("CREATE SCHEMA tools")
    Cli(shops.dsn).ok("plan", "check", str(plan))
    shops.connect("admin").execute(f'GRANT CREATE ON SCHEMA tools TO "{shops.app_role}"')
    _refused(shops, str(plan), "schema tools")


def test_expressions_find_what_the_plans_search_path_has_and_postgresqls_own_first(
    shops: Database, tmp_path: Path
) -> None:
    plan = tmp_path / "plan"
    shutil.copytree(EXAMPLE, plan)
    text = (plan / "plan.yaml").read_text()
    assert "name: s.name" in text
    (plan / "plan.yaml").write_text(
        text.replace("name: s.name", "name: shout(upper(s.name))") + "\nsearch_path: [tools]\n"
    )
    shops.run(
        """CREATE SCHEMA tools;
           CREATE FUNCTION tools.shout(t text) RETURNS text LANGUAGE sql IMMUTABLE RETURN t || '!';
           CREATE FUNCTION tools.upper(t text) RETURNS text LANGUAGE sql IMMUTABLE RETURN 'not the server''s'"""
    )
    owner = shops.value("SELECT current_user")
    shops.connect("admin").execute(f'ALTER ROLE "{owner}" IN DATABASE {shops.name} SET search_path = tools, public')
    cli = Cli(shops.dsn)
    cli.ok("start", str(plan), "--kind", "rehearsal", "--until", "verify")
    shops.run("INSERT INTO public.customers_old (id, mail, name) VALUES (100, 'zoe@example.com', 'Zoe')")
    cli.ok("verify", "--plan", str(plan))
    assert shops.value("SELECT name FROM public.customers WHERE number = 100") == "ZOE!"


def test_nothing_of_the_plan_is_executed_before_the_question(shops: Database, tmp_path: Path) -> None:
    """The discovery's query runs in the session of the owner: it calls what fits best, wherever that is."""
    admin, app = shops.connect("admin"), shops.connect("app")
    admin.execute(f'GRANT CREATE, USAGE ON SCHEMA public TO "{shops.app_role}"')
    # A function whose argument fits better, an operator, and a cast with a function of its own.
    app.execute(
        """CREATE TYPE public.word AS (it text);
           CREATE FUNCTION public.seize(anyelement) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
               IF current_user <> session_user OR current_user !~ 'app' THEN
                   CREATE TABLE public.seized ();
               END IF; END $$;
           CREATE FUNCTION public.lower(t varchar) RETURNS text LANGUAGE plpgsql AS $$ BEGIN
               PERFORM public.seize(1); RETURN pg_catalog.lower(t); END $$;
           CREATE FUNCTION public.joined(a varchar, b varchar) RETURNS text LANGUAGE plpgsql AS $$ BEGIN
               PERFORM public.seize(1); RETURN pg_catalog.concat(a, b); END $$;
           CREATE OPERATOR public.|| (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = public.joined);
           CREATE FUNCTION public.to_word(varchar) RETURNS public.word LANGUAGE plpgsql AS $$ BEGIN
               PERFORM public.seize(1); RETURN row($1::text)::public.word; END $$;
           CREATE CAST (varchar AS public.word) WITH FUNCTION public.to_word(varchar) AS IMPLICIT"""
    )
    plan = tmp_path / "plan"
    shutil.copytree(EXAMPLE, plan)
    (plan / "sql" / "sources.sql").write_text(
        "SELECT lower('CUSTOMERS'::varchar) || ('_old'::varchar || ''::varchar) AS table_name, 'a' AS discriminator, 1 AS rank"
    )
    _refused(shops, str(plan), "REVOKE CREATE ON SCHEMA")
    assert shops.value("SELECT to_regclass('public.seized')") is None


def test_somebody_who_is_let_in_on_the_way_is_noticed_by_the_next_phase(mirrored: Database) -> None:
    cli, admin = Cli(mirrored.dsn), mirrored.connect("admin")
    admin.execute(f'GRANT CREATE ON SCHEMA public TO "{mirrored.app_role}"')
    for command in (("start", "example"), ("run", "verify", "--plan", "example", "--stage", "customers")):
        done = cli(*command)
        assert done.code == 5
    admin.execute(f'REVOKE CREATE ON SCHEMA public FROM "{mirrored.app_role}"')
    cli.ok("start", "example", "--until", "verify")


def test_a_temporary_table_or_type_of_the_writer_is_not_found_first(mirrored: Database) -> None:
    """A mirror runs in the application's session, where pg_temp is the application's own."""
    mirrored.run(
        f'GRANT USAGE ON SCHEMA public TO "{mirrored.app_role}"; '
        f'GRANT INSERT, UPDATE, SELECT ON public.customers_old, public.customers TO "{mirrored.app_role}"'
    )
    app = mirrored.connect("app")
    for name in (
        "customers",
        "customers_old",
        "customers_west",
        "source",
        "queue",
        "reject",
        "pg_attribute",
        "pg_class",
    ):
        app.execute(f"CREATE TEMP TABLE {name} (LIKE public.customers_old)".encode())
    for name in ("text", "jsonb", "numeric", "uuid", "integer"):
        app.execute(f'CREATE DOMAIN pg_temp."{name}" AS pg_catalog.text CHECK (false)'.encode())
    app.execute("SET search_path = pg_temp, public")
    app.execute("INSERT INTO public.customers_old (id, mail, name) VALUES (50, 'Temp@Example.com', 'Temp')")
    app.execute("UPDATE public.customers SET name = 'Later' WHERE number = 50")
    assert mirrored.value("SELECT email FROM public.customers WHERE number = 50") == "temp@example.com"
    assert mirrored.value("SELECT name FROM public.customers_old WHERE id = 50") == "Later"
    assert mirrored.value("SELECT count(*) FROM changeover.queue") == 0


def test_every_function_that_runs_with_the_owners_rights_looks_in_pg_catalog_first(mirrored: Database) -> None:
    paths = mirrored.rows(
        "SELECT p.proname, (SELECT c FROM unnest(p.proconfig) AS c WHERE c LIKE 'search_path=%') FROM pg_proc p "
        "WHERE p.pronamespace = 'changeover'::regnamespace AND (p.prosecdef OR p.prorettype = 'trigger'::regtype)"
    )
    for name, path in paths:
        assert path is not None, name
        assert path.startswith("search_path=pg_catalog, "), name
        assert path.endswith("pg_temp"), name


def test_without_the_right_to_create_the_attacker_makes_nothing(mirrored: Database) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        mirrored.connect("app").execute(
            "CREATE FUNCTION public.array_agg(text) RETURNS text LANGUAGE sql AS 'SELECT 1'"
        )
