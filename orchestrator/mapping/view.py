"""The compatibility view: the old table as old code knows it, made of the new one.

It stands in schema ``compat`` under the table's own name (under ``schema.name`` where two tables of different
schemas have one name) and at contract takes the table's place. It
gives every legacy row that was migrated, every column as it was, and it can be written: INSTEAD OF
triggers write the source table, whose mirror does the rest. Its columns have the table's defaults and
its readers the table's grants. An identity has its next number from the trigger, because the view's
default would need a right to the sequence that the table's never did.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.kernel.identifiers import qualified
from orchestrator.mapping import types
from orchestrator.mapping.objects import DbObject, function, keep_private, trigger
from orchestrator.mapping.part import computed
from orchestrator.mapping.sqltext import comma, literal, render
from orchestrator.mapping.writeback import default_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from orchestrator.mapping.catalog import Column, Table

SCHEMA = "compat"


def objects(
    *,
    source_id: int,
    table: Table,
    pins: str,
    values: Mapping[Column, str],
    rows: str,
    row_of_old: str,
    choose_row: str = "",
) -> list[DbObject]:
    """The trigger's function, the view, its trigger: always these three, in this order.

    ``values`` are the legacy values over ``rows``, a FROM clause.
    """
    fn = f"m{source_id}"
    name = table.view or table.name
    view = qualified(SCHEMA, name)
    grants = "".join(f";\n{grant.on(view)}" for grant in table.grants)
    defaults = "".join(
        f";\nALTER VIEW {view} ALTER COLUMN {c.sql} SET DEFAULT {c.default}"
        for c in table.columns
        if c.default is not None and not c.generated
    )
    plain = list(values)
    identities = (c for c in plain if c.identity)
    body = render(
        "view_write.sql",
        fn=fn,
        pins=pins,
        source=table.sql,
        source_columns=", ".join(c.sql for c in plain),
        all_columns=", ".join(f"x.{c.sql}" for c in table.columns),
        new_values=", ".join(f"NEW.{c.sql}" for c in plain),
        view_set=", ".join(
            f"{c.sql} = CASE WHEN {types.unlike(c, f'OLD.{c.sql}', f'NEW.{c.sql}')} THEN NEW.{c.sql} ELSE x.{c.sql} END"
            for c in plain
            if c.identity != "a"
        )
        or f"{plain[0].sql} = x.{plain[0].sql}",
        row_of_old=row_of_old,
        choose_row=choose_row,
        identity=" ".join(f"NEW.{c.sql} := coalesce(NEW.{c.sql}, {default_of(table, c)});" for c in identities),
    )
    return [
        function(f"{fn}_view", body, "", f"writes through the view of {table.label}"),
        DbObject(
            id=f"view {SCHEMA}.{name}",
            create=f"CREATE OR REPLACE VIEW {view} AS\n{_select(table, values, rows)}{defaults};\n{keep_private(view)}{grants}",
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


def meant(
    *, source_id: int, table: Table, columns: Sequence[Column], same_key: Callable[[str], str], key_of_old: str
) -> str:
    """Put into v_row which row of the table the view showed as OLD, where several rows can have one key.

    It has no other name than what it says. Where that has changed, because the mirror of another write waits, nothing
    is written: the row could be somebody else's.
    """
    alike = (
        f"CASE WHEN v_waits ? {literal(c.name)} THEN x.{c.sql}::text IS NOT DISTINCT FROM v_waits ->> {literal(c.name)} "
        f"ELSE NOT {types.unlike(c, f'x.{c.sql}', f'OLD.{c.sql}')} END"
        for c in columns
    )
    return render(
        "view_meant.sql",
        id=str(source_id),
        source=table.sql,
        alike="\n           AND ".join(alike),
        same_key=same_key("x"),
        same_key_as=same_key("y"),
        key_of_old=key_of_old,
    )


def _select(table: Table, values: Mapping[Column, str], rows: str) -> str:
    required = [c for c in values if c.handled_as != c.sql_type]
    if not required:
        return computed(
            table, f"SELECT {comma(f'({value})::{c.sql_type} AS {c.sql}' for c, value in values.items())}\n{rows}"
        )
    # A value that is missing cannot be shown in such a type, and one such row would fail every reader. The table could
    # not hold it either: what would be that row waits.
    handled = f"SELECT {comma(f'({value})::{c.handled_as} AS {c.sql}' for c, value in values.items())}\n{rows}"
    there = " AND ".join(f"handled.{c.sql} IS NOT NULL" for c in required)
    columns = comma(f"handled.{c.sql}::{c.sql_type} AS {c.sql}" for c in values)
    return computed(table, f"SELECT {columns}\nFROM (\n{handled}\n) handled\nWHERE {there}")
