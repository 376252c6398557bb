"""PARCELS: a unify of two tables with a lookup that must be found and one that need not be, without keys between the new tables."""

from __future__ import annotations

from typing import Final

from tests.support.mapping import Setup

_COLUMNS: Final = "depot text, label text, zone text, grams integer"

PARCELS: Final = Setup(
    name="parcels",
    legacy=f"""
        CREATE TABLE public.inland (id bigserial PRIMARY KEY, {_COLUMNS});
        CREATE TABLE public.abroad (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), {_COLUMNS});
    """,
    new="""
        CREATE TABLE public.depots (id integer PRIMARY KEY, code text NOT NULL UNIQUE, label text, phone text);
        CREATE TABLE public.zones (id integer PRIMARY KEY, name text NOT NULL UNIQUE, fee integer NOT NULL);
        CREATE TABLE public.parcels (
            id uuid PRIMARY KEY DEFAULT gen_random_uuid(), way text NOT NULL, depot_id integer NOT NULL, zone_id integer,
            fee integer NOT NULL, grams integer, kept jsonb NOT NULL DEFAULT '{}'
        );
        CREATE INDEX parcels_depot ON public.parcels (depot_id);
        CREATE INDEX parcels_zone ON public.parcels (zone_id);
        INSERT INTO public.depots SELECT i, 'd' || i, 'Depot ' || i FROM generate_series(1, 4) i;
        INSERT INTO public.zones SELECT i, 'z' || i, i * 10 FROM generate_series(1, 3) i;
    """,
    rows="""
        INSERT INTO public.inland (depot, label, zone, grams)
        SELECT (ARRAY['d1', ' D1 ', 'd2', 'd9'])[1 + i % 4], (ARRAY['Depot 1', 'depot one'])[1 + i % 2], (ARRAY['z1', 'z2', 'z8', NULL])[1 + i % 4], i
        FROM generate_series(1, 24) i;
        INSERT INTO public.abroad (depot, label, zone, grams) SELECT 'd3', 'Depot 3', 'z3', i FROM generate_series(1, 6) i;
    """,
    sources=((("public.inland", "inland"), ("public.abroad", "abroad")),),
    mappings=(
        {
            "unify": "public.parcels",
            "sources": ["-"],
            "key": {"column": "id"},
            "discriminator": "way",
            "originals": "kept",
            "types": {"depot": "text", "label": "text", "zone": "text", "grams": "integer"},
            "lookups": {
                "depot": {
                    "table": "public.depots",
                    "match": "depot.code = changeover.fold(s.depot)",
                    "join": "depot.id = t.depot_id",
                },
                "zone": {"table": "public.zones", "match": "zone.name = s.zone", "join": "zone.id = t.zone_id"},
            },
            "columns": {
                "depot_id": "depot.id",
                "zone_id": "zone.id",
                "fee": "coalesce(zone.fee, 0)",
                "grams": "s.grams",
            },
            "reverse": {"depot": "depot.code", "label": "depot.label", "zone": "zone.name", "grams": "t.grams"},
            "rejects": {"no_depot": "depot.id IS NULL"},
        },
    ),
)

CRATES: Final = Setup(
    name="crates",
    legacy="CREATE TABLE public.crates (id bigint PRIMARY KEY, apples integer, pears integer);",
    new="""
        CREATE TABLE public.goods (id integer PRIMARY KEY, name text NOT NULL UNIQUE);
        CREATE TABLE public.contents (
            crate_id bigint NOT NULL, good text NOT NULL, good_id integer, amount numeric NOT NULL, PRIMARY KEY (crate_id, good)
        );
        INSERT INTO public.goods VALUES (1, 'apples');
    """,
    rows="INSERT INTO public.crates SELECT i, i, i * 2 FROM generate_series(1, 5) i",
    sources=((("public.crates", "crates"),),),
    mappings=(
        {
            "split": "public.contents",
            "sources": ["public.crates"],
            "key": {"column": "id", "target": "crate_id"},
            "item": "good",
            "when": "v.number > 0",
            "lookups": {"good": {"table": "public.goods", "match": "good.name = v.name"}},
            "columns": {"good_id": "good.id", "amount": "v.number"},
            "value": "t.amount",
            "absent": 0,
        },
    ),
)
