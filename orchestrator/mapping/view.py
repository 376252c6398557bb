"""The compatibility view: the old table as old code knows it, made of the new one.

It stands in schema ``compat`` under the table's own name and at contract takes the table's place. It
gives every legacy row that was migrated, every column as it was, and it can be written: INSTEAD OF
triggers write the source table, whose mirror does the rest. Its columns have the table's defaults and
its readers the table's grants.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.kernel.identifiers import qualified
from orchestrator.mapping.objects import DbObject, function, trigger
from orchestrator.mapping.sqltext import literal, render

if TYPE_CHECKING:
    from orchestrator.mapping.catalog import Table

SCHEMA = "compat"


def objects(*, source_id: int, table: Table, pins: str, definition: str, row_of_old: str, name: str = "") -> list[DbObject]:
    """The view, its trigger and the trigger's function."""
    plain = [c for c in table.columns if not c.generated]
    fn = f"m{source_id}"
    view = qualified(SCHEMA, name or table.name)
    defaults = "".join(
        f";\nALTER VIEW {view} ALTER COLUMN {c.sql} SET DEFAULT {default}"
        for c in table.columns
        if (default := _default(table, c.name)) is not None
    )
    body = render(
        "view_write.sql",
        fn=fn,
        pins=pins,
        source=table.sql,
        source_columns=", ".join(c.sql for c in plain),
        new_values=", ".join(f"NEW.{c.sql}" for c in plain),
        view_set=", ".join(f"{c.sql} = NEW.{c.sql}" for c in plain if c.identity != "a"),
        row_of_old=row_of_old,
    )
    return [
        function(f"{fn}_view", body, "", f"writes through the view of {table.label}"),
        DbObject(
            id=f"view {SCHEMA}.{name or table.name}",
            create=f"CREATE OR REPLACE VIEW {view} AS\n{definition}{defaults}",
            drop=f"DROP VIEW IF EXISTS {view}",
            exists=f"SELECT to_regclass({literal(view)}) IS NOT NULL",
            doc=f"{table.label} as old code knows it",
        ),
        trigger(
            f"changeover_{fn}_view",
            view,
            "INSTEAD OF INSERT OR UPDATE OR DELETE",
            f"FOR EACH ROW EXECUTE FUNCTION changeover.{fn}_view()",
            "writes through the view",
        ),
    ]


def _default(table: Table, name: str) -> str | None:
    column = table.by_name[name]
    if column.identity:
        return f"nextval(pg_get_serial_sequence({literal(table.sql)}, {literal(column.name)}))"
    return column.default
