"""Small plans of each kind, with the dirt that real tables have.

TICKETS  unify of four tables (uuid, bigserial, text key, and one with no unique key) and a split of their marks
NUMBERED unify and split of two tables whose application gives the keys (no default)
PEOPLE   merge of a table without a key and one with, duplicates in both, a value that only one row may have
"""

from __future__ import annotations

from typing import Any

from tests.support.mapping import Setup

_COLUMNS = """
    clerk text, status text, amount text, day date, note text, q1 integer, q2 integer, "Q 3 (%)" numeric, feedback text
"""

TICKETS = Setup(
    name="tickets",
    legacy=f"""
        CREATE TABLE public.a_tickets (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), {_COLUMNS});
        CREATE TABLE public.b_tickets (id bigserial PRIMARY KEY, {_COLUMNS});
        CREATE TABLE public.c_tickets (id text PRIMARY KEY, {_COLUMNS});
        CREATE TABLE public.d_tickets (id uuid, {_COLUMNS});
    """,
    new="""
        CREATE TABLE public.clerks (
            id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            mail text NOT NULL UNIQUE,
            name text
        );
        CREATE TABLE public.tickets (
            id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            shop text NOT NULL,
            clerk_id uuid NOT NULL,
            status text NOT NULL DEFAULT 'open',
            amount numeric(6, 2),
            day date NOT NULL,
            note text,
            extra jsonb NOT NULL DEFAULT '{}',
            feedback jsonb NOT NULL DEFAULT '{}',
            metadata jsonb NOT NULL DEFAULT '{}',
            legacy_exempt text[] NOT NULL DEFAULT '{}',
            deleted_at timestamptz,
            CONSTRAINT known_status
                CHECK (status IN ('open', 'in_progress', 'closed') OR 'known_status' = ANY (legacy_exempt)),
            CONSTRAINT positive CHECK (amount >= 0 OR 'positive' = ANY (legacy_exempt))
        );
        CREATE TABLE public.marks (
            ticket_id uuid NOT NULL REFERENCES public.tickets (id) ON DELETE CASCADE,
            name text NOT NULL,
            mark numeric NOT NULL CHECK (mark > 0),
            PRIMARY KEY (ticket_id, name)
        );
    """,
    rows="""
        INSERT INTO public.a_tickets (id, clerk, status, amount, day, note, q1, q2, "Q 3 (%)", feedback)
        SELECT md5('a' || i)::uuid,
               (ARRAY['ann@x.org', ' Ann@X.org', 'bob@x.org', NULL, 'nobody'])[1 + i % 5],
               (ARRAY['open', 'OPEN', 'closed', 'lost', NULL])[1 + i % 4],
               (ARRAY['1.50', '1.5', 'none', '-3', '99999.5'])[1 + i % 5],
               CASE WHEN i % 7 > 0 THEN date '2024-01-01' + i END, 'a' || i, i % 3, NULL, i * 0.10, 'well ' || i
        FROM generate_series(1, 60) i;
        INSERT INTO public.b_tickets (clerk, status, amount, day, note, q1)
        SELECT 'bob@x.org', 'open', i::text, date '2024-02-01', repeat('b', 1500), i FROM generate_series(1, 40) i;
        INSERT INTO public.c_tickets (id, clerk, status, amount, day)
        SELECT CASE WHEN i % 2 = 0 THEN md5('c' || i)::uuid::text ELSE 'C-' || i END, 'cleo@x.org', 'Closed', '2', '2024-03-03'
        FROM generate_series(1, 20) i;
        INSERT INTO public.c_tickets (id, clerk, status, amount, day) VALUES ('', 'cleo@x.org', 'open', '2', '2024-03-03');
        INSERT INTO public.c_tickets (id, clerk, status, amount, day)
        SELECT id, 'dan@x.org', 'open', '3', '2024-04-04' FROM public.a_tickets WHERE note IN ('a1', 'a2', 'a3', 'a5');
        INSERT INTO public.d_tickets (id, clerk, status, amount, day)
        SELECT CASE WHEN i % 5 > 0 THEN md5((i / 2)::text)::uuid END, 'eve@x.org', 'open', i::text, '2024-05-05'
        FROM generate_series(1, 20) i;
    """,
    sources=(
        tuple((f"public.{letter}_tickets", letter) for letter in "abcd"),
        tuple((f"public.{letter}_tickets", letter) for letter in "abcd"),
    ),
    mappings=(
        {
            "unify": "public.tickets",
            "sources": ["-"],
            "key": {"column": "id"},
            "discriminator": "shop",
            "exists_when": "t.deleted_at IS NULL",
            "originals": "metadata.legacy",
            "exempt_column": "legacy_exempt",
            "types": {"clerk": "text", "status": "text", "amount": "numeric", "day": "date", "note": "text"},
            "lookups": {
                "clerk": {
                    "table": "public.clerks",
                    "match": "clerk.mail = changeover.fold(s.clerk)",
                    "join": "clerk.id = t.clerk_id",
                    "create": {
                        "when": "changeover.valid_email(s.clerk)",
                        "columns": {
                            "id": "changeover.uuid_of('clerks', changeover.fold(s.clerk))",
                            "mail": "changeover.fold(s.clerk)",
                        },
                    },
                }
            },
            "columns": {
                "clerk_id": "clerk.id",
                "status": "CASE changeover.fold(s.status) WHEN 'closed' THEN 'closed' WHEN 'lost' THEN 'lost' ELSE 'open' END",
                "amount": "s.amount",
                "day": "s.day",
                "note": "s.note",
                "deleted_at": "NULL::timestamptz",
            },
            "reverse": {
                "clerk": "clerk.mail",
                "status": "t.status",
                "amount": "t.amount",
                "day": "t.day",
                "note": "t.note",
            },
            "pack": {"%feedback%": "feedback", "rest": "extra"},
            "rejects": {"no_clerk": "NOT changeover.valid_email(s.clerk)", "no_day": "s.day IS NULL"},
            "exempt": {"known_status": "t.status = 'lost'", "positive": "t.amount < 0"},
        },
        {
            "split": "public.marks",
            "absent": 0,
            "sources": ["-"],
            "key": {"column": "id", "target": "ticket_id"},
            "parent": "public.tickets",
            "parent_discriminator": "shop",
            "item": "name",
            "except": ["clerk", "status", "amount", "day", "note"],
            "except_like": ["%feedback%"],
            "when": "v.number > 0",
            "columns": {"mark": "v.number"},
            "value": "t.mark",
        },
    ),
)

_MAIL = {"key": "changeover.fold(s.email)", "valid": "changeover.valid_email(s.email)", "invalid": "invalid_email"}

PEOPLE = Setup(
    name="people",
    legacy="""
        CREATE TABLE public.people (
            email text, name text, badge text, department text, is_active boolean, last_login timestamptz, login_count integer
        );
        CREATE TABLE public.users (
            id uuid PRIMARY KEY DEFAULT gen_random_uuid(), email text, full_name text, last_sign_in_at timestamptz,
            sign_in_count bigint NOT NULL DEFAULT 0, settings jsonb
        );
    """,
    new="""
        CREATE TABLE public.departments (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text NOT NULL);
        CREATE UNIQUE INDEX departments_name ON public.departments (lower(btrim(name)));
        CREATE TABLE public.employees (
            id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            auth_id uuid UNIQUE,
            email text NOT NULL UNIQUE,
            badge text UNIQUE,
            name text NOT NULL,
            department_id uuid,
            is_active boolean NOT NULL DEFAULT true,
            last_login_at timestamptz,
            login_count integer NOT NULL DEFAULT 0,
            settings jsonb NOT NULL DEFAULT '{}',
            nickname text,
            legacy jsonb NOT NULL DEFAULT '{}',
            legacy_exempt text[] NOT NULL DEFAULT '{}'
        );
    """,
    rows="""
        INSERT INTO public.people (email, name, badge, department, is_active, last_login, login_count)
        SELECT CASE WHEN i % 9 = 0 THEN NULL WHEN i % 10 = 0 THEN 'none' WHEN i % 3 = 0 THEN ' P' || i % 12 || '@X.org'
                    ELSE 'p' || i % 12 || '@x.org' END,
               'P' || i, (i % 8)::text, (ARRAY['Sales', ' SALES', 'Care', NULL])[1 + i % 4], i % 4 > 0,
               timestamptz '2024-01-01 00:00+00' + i * interval '1 day', i
        FROM generate_series(1, 40) i;
        INSERT INTO public.users (email, full_name, last_sign_in_at, sign_in_count, settings)
        SELECT CASE WHEN i % 7 = 0 THEN NULL ELSE 'P' || i % 15 || '@x.org' END, 'U' || i,
               timestamptz '2024-01-05 00:00+00' + i * interval '1 hour', i, CASE WHEN i % 2 = 0 THEN '{"a": null}'::jsonb END
        FROM generate_series(1, 25) i;
    """,
    mappings=(
        {
            "merge": "public.employees",
            "key": "email",
            "originals": "legacy",
            "exempt_column": "legacy_exempt",
            "on_source_delete": {"is_active": "false"},
            "sources": {
                "people": {
                    "table": "public.people",
                    **_MAIL,
                    "order": ["coalesce(s.is_active, false) DESC", "s.last_login DESC NULLS LAST"],
                    "types": {
                        "email": "text",
                        "name": "text",
                        "badge": "text",
                        "department": "text",
                        "is_active": "boolean",
                        "last_login": "timestamptz",
                        "login_count": "integer",
                    },
                    "reverse": {
                        "email": "t.email",
                        "name": "t.name",
                        "badge": "t.badge",
                        "department": "department.name",
                        "is_active": "t.is_active",
                        "last_login": "t.last_login_at",
                        "login_count": "t.login_count",
                    },
                },
                "users": {
                    "table": "public.users",
                    **_MAIL,
                    "order": ["s.last_sign_in_at DESC NULLS LAST"],
                    "when": "t.auth_id IS NOT NULL",
                    "types": {
                        "id": "uuid",
                        "email": "text",
                        "full_name": "text",
                        "last_sign_in_at": "timestamptz",
                        "sign_in_count": "bigint",
                        "settings": "jsonb",
                    },
                    "reverse": {
                        "id": "t.auth_id",
                        "email": "t.email",
                        "full_name": "t.name",
                        "last_sign_in_at": "t.last_login_at",
                        "sign_in_count": "t.login_count",
                        "settings": "t.settings",
                    },
                },
            },
            "lookups": {
                "department": {
                    "table": "public.departments",
                    "match": "lower(btrim(department.name)) = changeover.fold(people.department)",
                    "join": "department.id = t.department_id",
                    "create": {
                        "when": "length(btrim(people.department)) > 0",
                        "columns": {"name": "btrim(people.department)"},
                    },
                }
            },
            "columns": {
                "id": {
                    "from": "coalesce((SELECT users.id WHERE NOT EXISTS (SELECT FROM public.employees taken "
                    "WHERE taken.id = users.id)), changeover.uuid_of('employees', k.key))",
                    "insert_only": True,
                },
                "auth_id": "users.id",
                "badge": {"from": "nullif(btrim(people.badge), '')", "unique": True},
                "name": "coalesce(nullif(btrim(people.name), ''), nullif(btrim(users.full_name), ''), k.key)",
                "department_id": "department.id",
                "is_active": "coalesce(people.is_active, true)",
                "last_login_at": "greatest(people.last_login, users.last_sign_in_at)",
                "login_count": "coalesce(greatest(people.login_count, users.sign_in_count), 0)",
                "settings": "coalesce(users.settings, '{}'::jsonb)",
            },
        },
    ),
)

ALL: dict[str, Any] = {"tickets": TICKETS, "people": PEOPLE}

NUMBERED = Setup(
    name="numbered",
    legacy="""
        CREATE TABLE public.a_buyers (
            id integer PRIMARY KEY, name text, city text, p1 integer, p2 integer, p3 integer NOT NULL DEFAULT 1
        );
        CREATE TABLE public.b_buyers (id integer PRIMARY KEY, name text, city text, p1 integer);
    """,
    new="""
        CREATE TABLE public.buyers (
            id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            shop text NOT NULL,
            name text,
            city text,
            extra jsonb NOT NULL DEFAULT '{}',
            legacy jsonb NOT NULL DEFAULT '{}'
        );
        CREATE TABLE public.points (
            buyer_id uuid NOT NULL,
            item text NOT NULL,
            score integer NOT NULL CHECK (score > 0),
            PRIMARY KEY (buyer_id, item)
        );
    """,
    rows="""
        INSERT INTO public.a_buyers (id, name, city, p1) SELECT i, 'a' || i, 'Bath', i FROM generate_series(1, 3) i;
        INSERT INTO public.b_buyers (id, name, city, p1) SELECT i, 'b' || i, 'Bonn', i FROM generate_series(1, 3) i;
    """,
    sources=(
        (("public.a_buyers", "a"), ("public.b_buyers", "b")),
        (("public.a_buyers", "a"), ("public.b_buyers", "b")),
    ),
    mappings=(
        {
            "unify": "public.buyers",
            "sources": ["-"],
            "key": {"column": "id"},
            "discriminator": "shop",
            "originals": "legacy",
            "types": {"name": "text", "city": "text"},
            "columns": {"name": "s.name", "city": "s.city"},
            "reverse": {"name": "t.name", "city": "t.city"},
            "pack": {"rest": "extra"},
        },
        {
            "split": "public.points",
            "absent": 0,
            "sources": ["-"],
            "key": {"column": "id", "target": "buyer_id"},
            "parent": "public.buyers",
            "parent_discriminator": "shop",
            "item": "item",
            "except": ["name", "city"],
            "when": "v.number > 0",
            "columns": {"score": "v.number::integer"},
            "value": "t.score",
        },
    ),
)
