"""Watching the rows that the way back looks up.

The e-mail of an employee is the e-mail of all their audits on the way back. When the new side changes it, every
old row that hangs on it says something else: a trigger on the looked-up table leaves their keys in queue. Columns
that are always kept beside the row (`keep_original`) do not hang on anything.

Whoever has read the old e-mail and writes a row while the change is not committed is not seen by that trigger, and does
not see the change. So it leaves a mark as well, for a second look once all who were there then have ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.kernel.identifiers import quote
from orchestrator.kernel.sqltokens import columns_of
from orchestrator.mapping.frame import uses, wrapped
from orchestrator.mapping.objects import DbObject, function, trigger
from orchestrator.mapping.sqltext import literal, render

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orchestrator.mapping import part as mapping_part
    from orchestrator.mapping.catalog import Column, Table
    from orchestrator.mapping.derivation import Derivation
    from orchestrator.mapping.model import Lookup


def told(derivation: Derivation) -> bool:
    """Whether a derived row tells which row of each lookup it leads to, on the way back."""
    written = {column.name for column in derivation.written}
    joins = (lookup.join for lookup in derivation.lookups.values())
    return {name for join in joins for name in columns_of(join, "t")} <= written


@dataclass(frozen=True)
class Part:
    """One source, as far as this matters; the expressions are over the target row ``t``."""

    id: int
    reverse: Mapping[str, str]
    keep_original: Sequence[str]
    part: mapping_part.Part
    own: str
    alive: str
    key: str
    originals: str
    by_keys: str = ""  # the derived rows of v_keys; without it nobody looks again for those written meanwhile

    def hanging(self, lookup: str) -> list[Column]:
        """The source columns whose way back reads the lookup."""
        return [
            column
            for column in self.part.table.columns
            if column.name not in self.keep_original and uses(self.reverse.get(column.name, ""), lookup)
        ]


@dataclass(frozen=True)
class Watch:
    """The watch on the lookups of one mapping."""

    fn: str
    pins: str
    target: Table
    found: Mapping[str, Lookup]
    tables: Mapping[str, Table]
    parts: Sequence[Part]

    def functions(self) -> list[DbObject]:
        """Two for each lookup: the trigger's, and the one that finds the rows."""
        made = []
        for name, (number, read) in self._watched().items():
            fn = self._name(number)
            place = {
                "lookup_key": quote(self.found[name].key),
                "changed": "(" + " OR ".join(f"n.{quote(c)} IS DISTINCT FROM o.{quote(c)}" for c in read) + ")",
                "ids": ", ".join(str(part.id) for part in self.parts if part.hanging(name)),
                "late": ", ".join(str(part.id) for part in self.parts if part.hanging(name) and part.by_keys),
            }
            parts = "\n    ".join(self._dependents(name, part) for part in self.parts if part.hanging(name))
            spread = render(
                "lookup_spread.sql", fn=f"{fn}_spread", pins=self.pins, parts=parts,
                lookup=self.tables[name].sql, lookup_key=quote(self.found[name].key),
            )  # fmt: skip
            doc = f"rows that hang on {self.tables[name].label}"
            made.append(function(f"{fn}_spread", spread, "integer, jsonb", doc))
            made.append(function(fn, render("lookup.sql", fn=fn, pins=self.pins, number=str(number), **place), "", doc))
        return made

    def triggers(self) -> list[DbObject]:
        """One on each looked-up table."""
        body = "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION changeover."
        return [
            trigger(
                f"changeover_{self._name(number)}",
                self.tables[name].stored_sql,
                "AFTER UPDATE",
                f"{body}{self._name(number)}()",
                "what hangs on its rows",
            )
            for name, (number, _) in self._watched().items()
        ]

    def _name(self, number: int) -> str:
        """What the function of a lookup is called; the drain knows it by the number."""
        return f"{self.fn}_lookup{number}"

    def _watched(self) -> dict[str, tuple[int, list[str]]]:
        """The lookups that a way back reads: which one it is, and the columns that are read."""
        watched = {}
        for number, (name, lookup) in enumerate(self.found.items()):
            backs = [part.reverse[column.name] for part in self.parts for column in part.hanging(name)]
            names = {c for back in backs for c in columns_of(back, name)}
            read = sorted(names & self.tables[name].by_name.keys())
            if lookup.join and read:
                watched[name] = (number, read)
        return watched

    def _dependents(self, name: str, part: Part) -> str:
        others = {n: lookup for n, lookup in self.found.items() if n != name}
        table = self.tables[name].sql

        def value(column: Column) -> str:
            back = wrapped(part.part.back_expression(column) or "NULL", others, self.tables)
            kept = f"{part.originals} ->> {literal(column.name)}"
            now = f"(SELECT ({back})::text FROM jsonb_populate_record(NULL::{table}, p_change -> 'new') {quote(name)})"
            before = f"CASE WHEN {part.originals} ? {literal(column.name)} THEN {kept} ELSE ({back})::text END"
            return (
                f"\n                || jsonb_build_object({literal(column.name)}, jsonb_build_array({before}, {now}))"
            )

        hanging = part.hanging(name)
        place = {"id": str(part.id), "lookup": table, "alias": quote(name), "join": self.found[name].join}
        late = render("lookup_late.sql", **place, by_keys=part.by_keys) if part.by_keys else ""
        return render(
            "lookup_dependents.sql",
            comment=f"the rows of {part.part.table.label}",
            **place,
            without_those_that_lead_there=late,
            key_of_target=part.key,
            names=", ".join(literal(c.name) for c in hanging),
            values="".join(value(c) for c in hanging),
            target=self.target.sql,
            own=part.own,
            alive=part.alive,
        )
