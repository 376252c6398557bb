from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.plan.lint import lint
from orchestrator.plan.loader import load, shipped
from orchestrator.plan.schema import schema

PLAN = """\
plan: shop
version: 1
stages:
  - stage: things
    flag: USE_THINGS
    expand: [expand.sql]
    indexes: [indexes.sql]
    keys: [keys.sql]
    mappings:
      - unify: public.things
        discover: sources.sql
        key: {column: id}
        discriminator: shop
        originals: legacy
        exempt_column: legacy_exempt
        types: {id: integer, mail: text, made: date}
        lookups:
          owner: {table: public.owners, match: owner.mail = s.mail, join: owner.id = t.owner_id}
        columns:
          mail: changeover.fold(s.mail)
          owner_id: owner.id
          made: {from: "coalesce(s.made, current_date)", insert_only: true}
        reverse: {mail: t.mail, made: t.made}
        pack: {rest: extra}
        rejects: {no_mail: s.mail IS NULL}
        exempt: {short_mail: length(t.mail) < 3}
    contract: {keep_days: 1}
"""
FILES = {
    "expand.sql": """\
-- the new table
CREATE TABLE public.things (
    id uuid PRIMARY KEY,
    shop text NOT NULL,
    mail text NOT NULL,
    owner_id integer,
    made date,
    twice text GENERATED ALWAYS AS (mail || mail) STORED,
    extra jsonb NOT NULL DEFAULT '{}',
    legacy jsonb NOT NULL DEFAULT '{}',
    legacy_exempt text[] NOT NULL DEFAULT '{}',
    CONSTRAINT short_mail CHECK (length(mail) >= 3 OR 'short_mail' = ANY (legacy_exempt))
);
""",
    "indexes.sql": "CREATE INDEX things_mail ON public.things (mail);\n",
    "keys.sql": "ALTER TABLE public.things ADD CONSTRAINT o FOREIGN KEY (owner_id) REFERENCES public.owners (id);\n",
    "sources.sql": "SELECT t.table_name, t.discriminator, t.rank FROM public.shops AS t\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "plan.yaml").write_text(PLAN)
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def said(folder: Path) -> list[str]:
    return [str(complaint) for complaint in lint(load(str(folder)))]


@pytest.mark.parametrize("name", shipped())
def test_the_shipped_plans_are_clean(name: str) -> None:
    assert [str(complaint) for complaint in lint(load(name))] == []


def test_a_good_plan_is_not_complained_about(folder: Path) -> None:
    assert said(folder) == []


def test_a_target_may_be_made_by_an_earlier_stage_and_by_no_later_one(folder: Path) -> None:
    made = "  - {stage: made, expand: [expand.sql]}\n"
    filled = PLAN.replace("    expand: [expand.sql]\n", "")
    (folder / "plan.yaml").write_text(filled.replace("stages:\n", f"stages:\n{made}"))
    assert said(folder) == []
    (folder / "plan.yaml").write_text(filled + made)
    assert [each for each in said(folder) if "no stage up to things creates public.things" in each] != []


def test_a_split_reads_one_column_at_a_time(folder: Path) -> None:
    split = """\
      - split: public.marks
        sources: [public.shops]
        key: {column: id, target: thing}
        item: mark
        when: v.text <> ''
        columns: {word: s.mail || v.text}
        value: t.word
    contract"""
    (folder / "plan.yaml").write_text(PLAN.replace("    contract", split))
    assert any("s.mail: a split reads one column at a time, as v" in each for each in said(folder))


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("changeover.fold(s.mail)", "s.male", 20, "s.male: male is not declared in `types`"),
        ("changeover.fold(s.mail)", "t.mail", 20, "t.mail is not to be seen here"),
        ("changeover.fold(s.mail)", "now()::text || s.mail", 20, "now() gives another value"),
        ("changeover.fold(s.mail)", "${mail}", 20, "${mail} is not defined"),
        ("owner_id: owner.id", "owner_id: orner.id", 21, "orner.id is not to be seen here"),
        (", insert_only: true", "", 22, "current_date gives another value"),
        ("reverse: {mail: t.mail", "reverse: {mail: t.male", 23, "t.male: male is not a column of t"),
        ("owner_id: owner.id", "owner_id: '1'", 18, "lookup owner is not used"),
        ("reverse: {mail: t.mail", "reverse: {mail: owner.mail", 23, ""),
        ("pack: {rest: extra}", "pack: {rest: extras}", 24, "public.things has no column extras"),
        ("pack: {rest: extra}", "pack: {rest: legacy}", 14, "legacy is filled by `pack` and by `originals`"),
        ("pack: {rest: extra}", "pack: {rest: mail}", 24, "mail is filled by `columns` and by `pack`"),
        ("          made: {from", "          twice: {from", 22, "public.things.twice is generated"),
        ("          mail: changeover.fold(s.mail)\n", "", 19, "public.things.mail is NOT NULL"),
        ("no_mail:", "id_taken:", 25, "a reason of the engine's own"),
        ("no_mail:", "No mail:", 25, "no plain name"),
        ("short_mail: length", "brief_mail: length", 26, "has no CHECK constraint called brief_mail"),
        ("        originals: legacy\n", "", 10, "without `originals`"),
        ("        exempt_column: legacy_exempt\n", "", 25, "name `exempt_column`"),
        ("unify: public.things", "unify: things", 10, "table things is named without its schema"),
        ("          owner: {table", "          s: {table", 18, "the name s is taken"),
        ("    flag: USE_THINGS\n", "", 4, "has no flag"),
        ("{keep_days: 1}", "{gates: {flag: lively}}", 27, "'lively' is no stage of a flag"),
        ("version: 1", "version: 1\ndefine: {spare: '1'}", 3, "the definition spare is not used"),
    ],
)
def test_a_mistake_in_the_plan_is_named_with_its_line(folder: Path, old: str, new: str, line: int, words: str) -> None:
    assert old in PLAN
    (folder / "plan.yaml").write_text(PLAN.replace(old, new, 1))
    complaints = said(folder)
    if words:
        assert any(f"plan.yaml:{line}: " in each and words in each for each in complaints), complaints
    else:
        assert complaints == []


def test_a_way_back_needs_a_join(folder: Path) -> None:
    text = PLAN.replace(", join: owner.id = t.owner_id", "").replace(
        "reverse: {mail: t.mail", "reverse: {mail: owner.mail"
    )
    (folder / "plan.yaml").write_text(text)
    assert any("lookup owner is used on the way back and has no `join`" in each for each in said(folder))


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("indexes.sql", "-- why\nANALYZE public.things;", "indexes.sql:2: error: ANALYZE PUBLIC in an index file"),
        ("indexes.sql", "CREATE INDEX ON public.things (mail);", "the index has no name"),
        ("indexes.sql", "CREATE INDEX a ON things (mail);", "table things is named without its schema"),
        ("keys.sql", "ALTER TABLE public.things ADD CONSTRAINT a CHECK (true);", "FOREIGN KEY only"),
        ("keys.sql", "ALTER TABLE public.things DROP CONSTRAINT a;", "FOREIGN KEY only"),
        (
            "keys.sql",
            "ALTER TABLE public.things ADD CONSTRAINT a FOREIGN KEY (b) REFERENCES owners;",
            "table owners is named without",
        ),
        ("expand.sql", FILES["expand.sql"] + "DROP TABLE public.old;", "expand only adds"),
        ("expand.sql", FILES["expand.sql"] + "INSERT INTO public.things DEFAULT VALUES;", "rows belong to `seed`"),
        ("expand.sql", FILES["expand.sql"] + "COMMIT;", "the engine opens and ends the transactions"),
        ("expand.sql", FILES["expand.sql"] + "GRANT SELECT ON public.owners TO a;", "knows no way back"),
        (
            "expand.sql",
            FILES["expand.sql"] + "CREATE SCHEMA IF NOT EXISTS side; GRANT USAGE ON SCHEMA side TO a;",
            "with IF NOT EXISTS side may be there already",
        ),
        ("sources.sql", "SELECT name, shop FROM public.shops", "the query gives no column table_name"),
        ("sources.sql", "SELECT table_name, discriminator FROM shops", "table shops is named without its schema"),
        ("sources.sql", "DELETE FROM public.x; SELECT 1", "one query"),
        (
            "expand.sql",
            FILES["expand.sql"].replace("'short_mail' =", "'x' ="),
            "CHECK short_mail does not let a row through",
        ),
    ],
)
def test_a_statement_in_the_wrong_file_is_named(folder: Path, file: str, text: str, words: str) -> None:
    (folder / file).write_text(text)
    complaints = said(folder)
    assert any(words in each for each in complaints), complaints


@pytest.mark.parametrize(
    "query",
    [
        "WITH own (table_name) AS (SELECT x.n FROM public.x) SELECT table_name, 'a' AS discriminator FROM own",
        "SELECT 'a' AS table_name, extract(year FROM day)::text AS discriminator FROM public.x, LATERAL (SELECT 1) y",
        "SELECT 'FROM nowhere' AS table_name, 1 AS discriminator -- FROM nowhere\nFROM generate_series(1, 2)",
        "SELECT table_name, discriminator FROM public.a WHERE b IS DISTINCT FROM c",
        "SELECT c.relname AS table_name, c.oid AS discriminator FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace",
    ],
)
def test_what_only_looks_like_a_table_is_left_alone(folder: Path, query: str) -> None:
    (folder / "sources.sql").write_text(query)
    assert said(folder) == []


@pytest.mark.parametrize(
    "expression",
    [
        "(SELECT x.mail FROM public.owners x WHERE x.id = s.id)",
        "(SELECT o.mail FROM public.owners AS o, public.things q WHERE o.id = q.owner_id)",
        "(SELECT owners.mail FROM public.owners)",
        "(SELECT s.a FROM (SELECT s.mail AS a) s)",
        "extract(year FROM s.made)::text",
        "CASE WHEN s.mail IS DISTINCT FROM 's.male' THEN s.mail::pg_catalog.text END",
    ],
)
def test_an_expression_may_bring_names_of_its_own(folder: Path, expression: str) -> None:
    (folder / "plan.yaml").write_text(PLAN.replace("changeover.fold(s.mail)", f'"{expression}"', 1))
    assert said(folder) == []


def test_the_schema_is_of_the_plan_and_allows_anchors() -> None:
    made = schema()
    assert made["$schema"].startswith("https://json-schema.org/")
    assert made["additionalProperties"] is False
    assert "^x-" in made["patternProperties"]
    assert set(made["properties"]) >= {"plan", "version", "stages", "define"}
    assert made["$defs"]["Unify"]["properties"].keys() >= {"unify", "discover", "columns"}
    assert "from" in made["$defs"]["ColumnRule"]["properties"]


MERGED = """\
  - stage: owners
    flag: USE_OWNERS
    expand: [owners.sql]
    mappings:
      - merge: public.owners
        key: mail
        originals: legacy
        sources:
          persons: {table: public.persons, key: s.mail, order: [s.mail], when: "true", types: {mail: text}, reverse: {mail: t.mail}}
        columns: {number: "1"}
"""
OWNERS = """\
CREATE TABLE public.owners (mail text PRIMARY KEY, number integer, legacy jsonb NOT NULL DEFAULT '{}');
"""


@pytest.mark.parametrize(
    ("clause", "gone", "warned"),
    [
        ("", "", True),
        (" ON DELETE RESTRICT", "", True),
        (" ON DELETE SET NULL", "", False),
        (" ON UPDATE CASCADE ON DELETE CASCADE", "", False),
        ("", "        on_source_delete: {number: '0'}\n", False),
    ],
)
def test_a_merged_row_that_others_refer_to_needs_an_end(folder: Path, clause: str, gone: str, *, warned: bool) -> None:
    (folder / "plan.yaml").write_text(PLAN + MERGED + gone)
    (folder / "owners.sql").write_text(OWNERS)
    (folder / "keys.sql").write_text(FILES["keys.sql"].replace(" (id);", f" (id){clause};"))
    assert [words for words in said(folder) if "on_source_delete" in words] != [] if warned else said(folder) == []


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("persons.mail", False),
        ("nullif(btrim(persons.mail), '')", False),
        ("'x'", True),
        ("coalesce(persons.mail, others.mail)", True),
        ("t.mail", True),
    ],
)
def test_a_unique_column_of_a_merge_is_made_of_one_source(folder: Path, expression: str, *, told: bool) -> None:
    other = MERGED.replace(
        "        columns:",
        "          others: {table: public.others, key: s.mail, order: [s.mail], when: 'true', types: {mail: text}, reverse: {mail: t.mail}}\n        columns:",
    )
    plan = other.replace('number: "1"', f'number: {{from: "{expression}", unique: true}}')
    (folder / "plan.yaml").write_text(PLAN + plan)
    (folder / "owners.sql").write_text(OWNERS)
    found = [words for words in said(folder) if "`unique`" in words]
    assert bool(found) == told, said(folder)


def test_a_derived_key_does_not_find_what_the_new_application_makes(folder: Path) -> None:
    plan = PLAN.replace("discover: sources.sql", "sources: [public.shops]").replace(
        "contract: {keep_days: 1}",
        """contract: {keep_days: 1}
  - stage: bills
    flag: USE_BILLS
    expand: [bills.sql]
    mappings:
      - unify: public.bills
        sources: [public.invoices]
        key: {column: id}
        originals: legacy
        types: {shop: integer}
        lookups: {thing: {table: public.things, match: "thing.number = s.shop", join: "JOINED"}}
        columns: {shop_id: "COLUMN", thing: thing.id}
        reverse: {shop: thing.number}
""",
    )
    (folder / "bills.sql").write_text(
        "CREATE TABLE public.bills (id uuid PRIMARY KEY, shop_id uuid, thing uuid, legacy jsonb);"
    )
    derived = "changeover.uuid_of('public.shops', s.shop::text)"
    for column, joined, wrong in (
        (derived, "thing.id = t.thing", ["columns.shop_id"]),
        (f"coalesce(thing.id, {derived})", "thing.id = t.thing", []),
        ("thing.id", "t.shop_id = changeover.uuid_of('public.shops', thing.number::text)", ["lookups.thing.join"]),
        ("changeover.uuid_of('public.others', s.shop::text)", "thing.id = t.thing", []),
    ):
        (folder / "plan.yaml").write_text(plan.replace("COLUMN", column).replace("JOINED", joined))
        told = [each for each in said(folder) if "a key derived from public.shops" in each]
        assert len(told) == len(wrong), (told, wrong)
        assert all("look it up in public.things" in each and "coalesce(….id, uuid_of(…))" in each for each in told)
