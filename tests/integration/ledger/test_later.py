"""A ledger of an earlier version becomes one of this version, with what is in it."""

from __future__ import annotations

from orchestrator.ledger import schema
from tests.support.database import Database


def test_columns_that_have_other_names_keep_their_values(installed: Database) -> None:
    now = installed.schema_dump()
    installed.run("""
        ALTER TABLE changeover.control RENAME COLUMN request TO wish;
        ALTER TABLE changeover.control RENAME CONSTRAINT request_is_known TO wish_is_known;
        ALTER TABLE changeover.control RENAME COLUMN settings TO knobs;
        INSERT INTO changeover.control (plan, wish, knobs, changed_by) VALUES ('shops', 'pause', '{"rest": 3}', 'ann');
        UPDATE changeover.meta SET checksum = 'of an earlier day';
    """)
    assert schema.install(installed.connect())
    assert installed.schema_dump() == now
    assert installed.rows("SELECT plan, request, settings FROM changeover.control") == [("shops", "pause", {"rest": 3})]
