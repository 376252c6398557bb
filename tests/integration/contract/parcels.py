"""A small plan: parcels of an old shop become shipments. What the old table has beside its rows is what contract keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.database import Database

OLD = """
CREATE TABLE public.parcels (
    id serial PRIMARY KEY,
    code varchar(12) COLLATE "C" NOT NULL UNIQUE,
    weight numeric(8,2) NOT NULL DEFAULT 1.50 CHECK (weight > 0),
    sent timestamp DEFAULT '2021-03-04 05:06:07',
    owner text NOT NULL DEFAULT 'nobody',
    grams bigint GENERATED ALWAYS AS ((weight * 1000)::bigint) STORED
);
COMMENT ON TABLE public.parcels IS 'what is on its way';
COMMENT ON COLUMN public.parcels.code IS 'as on the label; it''s unique';
INSERT INTO public.parcels (code, weight, owner) VALUES ('b', 2.25, 'ann'), ('B', 0.75, 'bob'), ('a', 10, 'ann');
"""
GRANTS = """
GRANT SELECT, INSERT, UPDATE, DELETE ON public.parcels TO "{app}";
GRANT USAGE ON SEQUENCE public.parcels_id_seq TO "{app}";
"""
POLICY = """
ALTER TABLE public.parcels ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON public.parcels TO "{app}" USING (owner = 'ann') WITH CHECK (owner = 'ann');
"""
NEW = """
CREATE TABLE public.shipments (id bigint PRIMARY KEY, label text NOT NULL, kilos numeric, left_at timestamptz,
    customer text, legacy jsonb NOT NULL DEFAULT '{}');
"""
PLAN = """
plan: parcels
version: 1
stages:
  - stage: parcels
    flag: USE_SHIPMENTS
    expand: [new.sql]
    mappings:
      - unify: public.shipments
        sources: [public.parcels]
        key: {column: id, target: id}
        originals: legacy
        types: {code: text, weight: numeric, sent: timestamp, owner: text}
        columns:
          label: s.code
          kilos: s.weight
          left_at: s.sent AT TIME ZONE 'UTC'
          customer: s.owner
        reverse: {code: t.label, weight: t.kilos, sent: t.left_at, owner: t.customer}
    contract: {keep_days: 0}
"""


def plan(folder: Path) -> str:
    """Write the plan; its name for the command line."""
    folder.mkdir(exist_ok=True)
    (folder / "plan.yaml").write_text(PLAN)
    (folder / "new.sql").write_text(NEW)
    return str(folder)


def build(database: Database) -> None:
    """The old table, and what the application may do with it."""
    database.run(OLD + GRANTS.format(app=database.app_role))
