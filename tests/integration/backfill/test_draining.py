"""Draining at the end of a copy: what cannot be drained is named, and what was mended is tried anew."""

from __future__ import annotations

import asyncio

import pytest

from backfill.errors import DrainError
from tests.integration.backfill.world import add_source, copy
from tests.support.database import Database


def test_a_queue_that_never_settles_is_named(small: Database) -> None:
    source = add_source(small, 1, 50)
    small.run("ALTER TABLE legacy_1 DISABLE TRIGGER mirror")
    asyncio.run(copy(small, source))
    small.run("""CREATE FUNCTION public.held() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE undefined_object; END $$;
                 CREATE TRIGGER held BEFORE INSERT ON fresh FOR EACH ROW WHEN (NEW.id = 33) EXECUTE FUNCTION public.held();
                 INSERT INTO changeover.queue (source_id, direction, key) VALUES (1, 'forward', '33'), (1, 'forward', '34')""")
    with pytest.raises(DrainError, match=r"33 \(5 attempts"):
        asyncio.run(copy(small, source))
    assert small.rows("SELECT key FROM changeover.queue") == [("33",)]
    # Mended: what the earlier command saw, and how long it would have waited, does not hinder the next.
    small.run("""DROP TRIGGER held ON fresh;
                 UPDATE changeover.queue SET attempts = 99, not_before = now() + interval '1 hour'""")
    asyncio.run(copy(small, source))
    assert small.value("SELECT count(*) FROM changeover.queue") == 0
