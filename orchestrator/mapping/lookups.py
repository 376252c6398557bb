"""Watching the rows that the way back looks up.

The e-mail of an employee is the e-mail of all their audits on the way back. When the new side changes it, every
old row that hangs on it says something else: a trigger on the looked-up table leaves their keys in recheck. Columns
that are always kept beside the row (`keep`) do not hang on anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.kernel.identifiers import quote
from orchestrator.mapping.frame import uses
from orchestrator.mapping.objects import DbObject, function, trigger
from orchestrator.mapping.sqltext import literal, render

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orchestrator.mapping.catalog import Table
    from orchestrator.mapping.model import Lookup


@dataclass(frozen=True)
class Part:
    """One source, as far as this matters; the predicates are over the target row ``t``."""

    id: int
    back: Mapping[str, str]
    keep: Sequence[str]
    table: Table
    own: str
    alive: str
    key: str
    member: str = ""  # of a merge: the source's name, under which its residual stands

    def hanging(self, lookup: str) -> list[str]:
        """The source columns whose way back reads the lookup."""
        return [
            column
            for column, back in self.back.items()
            if column in self.table.by_name and column not in self.keep and uses(back, lookup)
        ]


def objects(
    fn: str, pins: str, target: Table, found: Mapping[str, Lookup], tables: Mapping[str, Table], parts: Sequence[Part]
) -> tuple[list[DbObject], list[DbObject]]:
    """The functions, and the triggers on the looked-up tables."""
    functions, triggers = [], []
    for number, (name, lookup) in enumerate(found.items()):
        hanging = {part.id: part.hanging(name) for part in parts}
        read = sorted(
            {
                column
                for part in parts
                for source_column in hanging[part.id]
                for column in re.findall(rf"\b{re.escape(name)}\.\"?(\w+)", part.back[source_column])
                if column in tables[name].by_name
            }
        )
        if not lookup.join or not read:
            continue
        place = {
            "lookup_key": quote(lookup.key),
            "changed": "(" + " OR ".join(f"n.{quote(c)} IS DISTINCT FROM o.{quote(c)}" for c in read) + ")",
        }
        own = f"{fn}_lookup{number}"
        text = render(
            "lookup.sql",
            fn=own,
            pins=pins,
            **place,
            dependents="\n        ".join(
                render(
                    "lookup_dependents.sql",
                    comment=f"the rows of {part.id}",
                    id=str(part.id),
                    key_of_target=part.key,
                    drop=_drop(part, hanging[part.id]),
                    alias=quote(name),
                    target=target.sql,
                    join=lookup.join,
                    own=part.own,
                    alive=part.alive,
                    **place,
                )
                for part in parts
                if hanging[part.id]
            ),
            all_sources="\n        ".join(
                "INSERT INTO changeover.recheck (source_id, direction, key, cause, patch) "
                f"VALUES ({part.id}, v_direction, NULL, v_state, CASE v_direction WHEN 'reverse' THEN "
                f"{_drop(part, hanging[part.id])}::jsonb END);"
                for part in parts
                if hanging[part.id]
            ),
        )
        functions.append(function(own, text, "", f"rows that hang on {tables[name].label}"))
        triggers.append(
            trigger(
                f"changeover_{own}",
                tables[name].sql,
                "AFTER UPDATE",
                "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT "
                f"EXECUTE FUNCTION changeover.{own}()",
                f"rows that hang on {tables[name].label}",
            )
        )
    return functions, triggers


def _drop(part: Part, columns: Sequence[str]) -> str:
    names = ", ".join(literal(c) for c in columns)
    return f"jsonb_build_object('drop', jsonb_build_array({names}))"
