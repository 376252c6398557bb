"""In place: new columns of a table computed from its old ones, both ways, while both versions write.

There is one table, so nothing is copied: a BEFORE ROW trigger computes the columns of the other side, and batches fill
the rows that nobody has written since. The columns fall into *groups*: old columns with the new ones that their way
back reads. Within a group the new columns count where both were changed; groups do not disturb each other.

A group is *open* while its new columns are as they were added (NULL, or their default): it is not computed yet, or it
is rejected. Two sides *agree* where the old columns give the new ones, or the new ones give the old ones: 'OPEN' and
'open' may both be status 1, and only one of them is what status 1 gives back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from orchestrator.kernel.errors import RefusedError
from orchestrator.kernel.identifiers import quote
from orchestrator.kernel.sqltokens import columns_of
from orchestrator.mapping import in_place_fills, in_place_rules, types
from orchestrator.mapping.derivation import Derivation
from orchestrator.mapping.frame import wrapped
from orchestrator.mapping.in_place_groups import Check, Group, groups, initial, named
from orchestrator.mapping.objects import pins
from orchestrator.mapping.source import among
from orchestrator.mapping.sqltext import comma, literal, on_pages

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from orchestrator.mapping.catalog import Column, Table
    from orchestrator.mapping.kinds.in_place import InPlace


@dataclass(frozen=True)
class InPlaceTable:
    """The table of a mapping, ready to be compiled."""

    id: int
    mapping_id: int
    stage: str
    spec: InPlace
    table: Table
    lookup_tables: Mapping[str, Table]
    describe: Callable[[str], list[str]]
    checks: Sequence[Check] = ()
    seen: str = ""
    """The table as an item of FROM, where the server is asked for types."""
    restless: bool = False
    """Whether triggers of the application may change a row that is updated."""

    @property
    def fn(self) -> str:
        """Prefix of the functions."""
        return f"m{self.id}"

    @property
    def own(self) -> str:
        """The origin that batches and the drain write under."""
        return f"m{self.id}:i"

    @cached_property
    def pins(self) -> str:
        """Fixed settings of every function here."""
        return pins(self.table.home or self.table.schema, *self.spec.search_path)

    # -- keys ------------------------------------------------------------------------------------

    @cached_property
    def key(self) -> list[Column]:
        """The columns of the key."""
        names = self.spec.key or list(self.table.primary_key)
        lacking = [n for n in names if n not in self.table.by_name]
        if not names or lacking:
            what = f"no column {', '.join(lacking)}" if lacking else "no primary key"
            raise RefusedError(
                f"{self.table.label} has {what}; mapping {self.spec.label} needs a key to name its rows.",
                kept="Nothing was changed.",
                todo="Give the mapping a `key:` of NOT NULL columns with a unique index.",
            )
        return [self.table.by_name[n] for n in names]

    def key_text(self, row: str) -> str:
        """The key of a row as text: as it is, or as a JSON array of several columns."""
        if len(self.key) == 1:
            return f"{row}.{self.key[0].sql}::text"
        return "jsonb_build_array(" + ", ".join(f"{row}.{c.sql}::text" for c in self.key) + ")::text"

    def rows_of(self, keys: str) -> str:
        """The condition that the row ``x`` has one of the keys."""
        if len(self.key) == 1:
            return among(self.key[0], keys)
        columns = ", ".join(f"x.{c.sql}" for c in self.key)
        values = ", ".join(f"(k.key::jsonb ->> {n})::{c.sql_type}" for n, c in enumerate(self.key))
        return f"({columns}) IN (SELECT {values} FROM unnest({keys}) AS k (key))"

    @cached_property
    def groups(self) -> list[Group]:
        """The columns that belong together."""
        return groups(self.spec, self.table)

    def row_of(self, row: str, key: str) -> str:
        """The condition that a row has a key given as text."""
        if len(self.key) == 1:
            return f"{row}.{self.key[0].sql} = ({key})::{self.key[0].sql_type}"
        pairs = (f"{row}.{c.sql} = (({key})::jsonb ->> {n})::{c.sql_type}" for n, c in enumerate(self.key))
        return " AND ".join(pairs)

    # -- forward ---------------------------------------------------------------------------------

    @cached_property
    def derivation(self) -> Derivation:
        """The new columns over ``s`` and the lookups."""
        made = Derivation(
            target=self.table,
            columns={n: r.expression for n, r in self.spec.rules.items()},
            extra={},
            lookups=self.spec.lookups,
            lookup_tables=self.lookup_tables,
            rejects={},
            exempt={},
            exempt_column=None,
            originals_column=None,
            originals="",
            own_reason="",
            describe_from="",
            describe=self.describe,
        )
        return replace(made, describe_from=f"{self.seen} s{made.joins()}")

    def select(self, rows: str) -> str:
        """Every row of ``rows`` (a subquery): what its new columns are to be, and what is to be done about each group."""
        guarded = self.derivation.guarded
        values = comma((f"{g.value} AS {quote(n)}" for n, g in guarded.items()), 8)
        unresolved = self._unresolved
        wanted, states = [], []
        for g in self.groups:
            n = g.number
            wanted += [
                f'CASE WHEN r."#reason{n}" IS NULL THEN t.{c.sql} ELSE {self._without(g, c)} END AS {c.sql}'
                for c in g.new
            ]
            states += [f'{g.open("s")} AS "#open{n}"', f'{self._differs(g)} AS "#differs{n}"']
        reasons = comma((f'{self._reason(g)} AS "#reason{g.number}"' for g in self.groups), 8)
        out = [f'{self.key_text("s")} AS "#key"', 's."#ctid" AS "#ctid"']
        out += [f"w.{c.sql}" for c in self.written]
        for g in self.groups:
            out += [f'{a}."#{word}{g.number}"' for a, word in (("r", "reason"), ("v", "open"), ("v", "differs"))]
        rules, unnamed = in_place_rules.lateral(self), in_place_rules.unnamed(self)
        out += in_place_rules.output(self)
        out.append(f'({unresolved}) AS "#unresolved"')
        out.append(f'({unresolved} OR {self._any("v", "open", "r", "reason")}) AS "#aside"')
        out.append(f'(NOT ({unresolved}) AND ({self._any("v", "open", "v", "differs")}{unnamed})) AS "#fills"')
        out.append("(" + " OR ".join(f'v."#differs{g.number}"' for g in self.groups) + f'{unnamed}) AS "#differs"')
        out.append('NULL::text AS "#reason"')
        out.append(f'{self._originals()} AS "#originals"')
        out += self._created
        return (
            f"SELECT {comma(out)}\nFROM ({rows}) s{self.derivation.joins()}\n"
            f"CROSS JOIN LATERAL (\n    SELECT {values}\n    OFFSET 0\n) t\n"
            f"CROSS JOIN LATERAL (\n    SELECT {reasons}\n) r\n"
            f"CROSS JOIN LATERAL (\n    SELECT {comma(wanted, 8)}\n    OFFSET 0\n) w\n"
            f"CROSS JOIN LATERAL (\n    SELECT {comma(states, 8)}\n    OFFSET 0\n) v{rules}"
        )

    def select_one(self, row: str) -> str:
        """The new columns of one row, and what its lookups miss: all that a trigger asks. One node in the server's plan."""
        guarded = self.derivation.guarded
        values = ", ".join(f"{g.value} AS {quote(n)}" for n, g in guarded.items())
        reasons = {g.number: self._reason(g) for g in self.groups}
        out = [
            f"CASE WHEN ({reasons[g.number]}) IS NULL THEN t.{c.sql} ELSE {self._without(g, c)} END AS {c.sql}"
            for g in self.groups
            for c in g.new
        ]
        out += [f'({self._unresolved}) AS "#unresolved"', 'NULL::text AS "#reason"', *self._created]
        lateral = f"CROSS JOIN LATERAL (SELECT {values}) t"
        return f"SELECT {comma(out)}\nFROM ({row}) s{self.derivation.joins()}\n{lateral}"

    @cached_property
    def _unresolved(self) -> str:
        """Whether a lookup misses a row that it makes."""
        return " OR ".join(self._missing(n) for n in self.derivation.creating) or "false"

    @cached_property
    def _created(self) -> list[str]:
        """What the rows are made of that the lookups miss."""
        out = []
        for name, lookup in self.derivation.creating.items():
            out.append(f"{self._missing(name)} AS {quote(f'{name}#missing')}")
            made = lookup.create.columns if lookup.create else {}
            out += [f"({expression}) AS {quote(f'{name}#{column}')}" for column, expression in made.items()]
        return out

    @cached_property
    def signature_of_one(self) -> str:
        """The columns of ``select_one`` with their types."""
        out = [f"{c.sql} {c.sql_type}" for c in self.written]
        return ", ".join([*out, '"#unresolved" boolean', '"#reason" text', *self._created_types])

    @cached_property
    def _created_types(self) -> list[str]:
        out = []
        for name, lookup in self.derivation.creating.items():
            made = lookup.create.columns if lookup.create else {}
            have = self.describe(
                f"SELECT {comma(f'({e})' for e in made.values())}\nFROM {self.derivation.describe_from}\nLIMIT 0"
            )
            out.append(f"{quote(f'{name}#missing')} boolean")
            out += [f"{quote(f'{name}#{c}')} {h}" for c, h in zip(made, have, strict=True)]
        return out

    @cached_property
    def signature(self) -> str:
        """The columns of ``select`` with their types."""
        out = ['"#key" text', '"#ctid" tid', *(f"{c.sql} {c.sql_type}" for c in self.written)]
        for g in self.groups:
            out += [f'"#reason{g.number}" text', f'"#open{g.number}" boolean', f'"#differs{g.number}" boolean']
        out += in_place_rules.signature(self)
        out += [f'"#{word}" boolean' for word in ("unresolved", "aside", "fills", "differs")]
        out += ['"#reason" text', '"#originals" jsonb']
        out += self._created_types
        return ", ".join(out)

    @cached_property
    def written(self) -> list[Column]:
        """The new columns, group by group."""
        return [c for g in self.groups for c in g.new]

    def rows(self, where: str) -> str:
        """The rows ``x`` of the table that a condition chooses."""
        return f'SELECT x.*, x.ctid AS "#ctid" FROM {self.table.sql} x WHERE {where}'

    @property
    def on_pages(self) -> str:
        """The condition that ``x`` stands on the pages of a batch; a list of places only where other tables are read."""
        return on_pages(self.table.sql) if self.spec.lookups else 'x.ctid >= "#from" AND x.ctid < "#to"'

    def _any(self, left: str, first: str, right: str, second: str) -> str:
        test = "{}" if second == "differs" else "{} IS NOT NULL"
        pairs = (
            f'({left}."#{first}{g.number}" AND ' + test.format(f'{right}."#{second}{g.number}"') + ")"
            for g in self.groups
        )
        return "(" + " OR ".join(pairs) + ")"

    def _missing(self, name: str) -> str:
        """Whether the row of a lookup is to be made: a row that is rejected for it makes none."""
        create = self.spec.lookups[name].create
        when = "true" if create is None else create.when
        return f"({quote(name)}.{quote(self.spec.lookups[name].key)} IS NULL AND coalesce(({when}), false))"

    def _reason(self, group: Group) -> str:
        """Why the new columns of a group cannot be computed."""
        cases = [
            f"WHEN ({condition}) THEN {literal(reason)}"
            for reason, condition in self.spec.rejects.items()
            if group in self._speaks_of(condition)
        ]
        guarded = (self.derivation.guarded[c.name] for c in group.new)
        cases += [f"WHEN {g.unfit} THEN {literal(g.reason)}" for g in guarded if g.unfit]
        return "CASE " + " ".join(cases) + " END" if cases else "NULL::text"

    def _speaks_of(self, condition: str) -> list[Group]:
        """The groups that a reject's condition is about; every one where it names none."""
        new = columns_of(condition, "t")
        found = [g for g in self.groups if any(c.name in new for c in g.new)]
        if not found:
            old = named(self.spec, condition, "s", join=False)
            found = [g for g in self.groups if any(c.name in old for c in g.read)]
        return found or self.groups

    def _without(self, group: Group, column: Column) -> str:
        """What a column has where it cannot be computed."""
        return initial(column) if group.where is None else f"s.{column.sql}"

    def _originals(self) -> str:
        """What is to be put back, by column: what it has now, and what it gets. NULL where nothing is."""
        columns = [c for g in self.groups if g.where is not None for c in g.new]
        return in_place_fills.originals(columns, "s", "w") if columns else "NULL::jsonb"

    @property
    def fills(self) -> bool:
        """Whether columns are filled, and their originals kept."""
        return self.spec.where is not None

    def _differs(self, group: Group) -> str:
        """Whether the new columns of ``s`` are not what they are to be, as ``w`` has it."""
        unlike = " OR ".join(types.unlike(c, f"w.{c.sql}", f"s.{c.sql}") for c in group.new)
        if group.where is not None:
            return f"({group.open('s')} AND ({unlike}))"
        unknown = group.open("s") if group.reads is None else "false"
        return f"(({unlike}) AND CASE WHEN {unknown} THEN true ELSE NOT {self._agrees(group)} END)"

    def _agrees(self, group: Group) -> str:
        """Whether the row ``s`` is right for another reason than that its old columns give the new ones."""
        if not group.old:
            noted = " AND ".join(f"(n.columns ? {literal(c.name)} AND n.columns ->> {literal(c.name)} IS NOT DISTINCT FROM s.{c.sql}::text)" for c in group.new)  # fmt: skip
            return (
                f"EXISTS (SELECT FROM changeover.diverged n WHERE n.source_id = {self.id} "
                f"AND n.key = {self.key_text('s')} AND {noted})"
            )
        alike = " AND ".join(f"NOT {types.unlike(c, f's.{c.sql}', f'o.{c.sql}')}" for c in group.old)
        return f"(SELECT {alike} FROM (SELECT s.*) t CROSS JOIN LATERAL ({self.old_row}) o)"

    # -- reverse ---------------------------------------------------------------------------------

    @cached_property
    def old(self) -> list[Column]:
        """Every old column that has a way back."""
        return [c for g in self.groups for c in g.old]

    @cached_property
    def old_row(self) -> str:
        """The old columns over ``t``: none that its type, NOT NULL or a CHECK would refuse."""
        plain = {c.name: wrapped(self.spec.reverse[c.name], self.spec.lookups, self.lookup_tables) for c in self.old}
        text = comma(f"({e}) AS {quote(n)}" for n, e in plain.items())
        have = dict(zip(plain, self.describe(f"SELECT {text}\nFROM {self.seen} t\nLIMIT 0"), strict=True))
        said = ", ".join(f"{types.fit(plain[c.name], have[c.name], c)} AS {c.sql}" for c in self.old)
        return f"SELECT {', '.join(self._allowed(c) for c in self.old)} FROM (SELECT {said} OFFSET 0) b"

    def _allowed(self, column: Column) -> str:
        """What the way back gives, else what says least, else what stands."""
        checks = [c.condition for c in self.checks if column.name in c.columns]
        if not column.not_null and not checks:
            return f"b.{column.sql}"
        least = (types.emptiest(column.type) if column.not_null else None) or "NULL"
        least = f"({least})::{column.sql_type}"
        tests = {}
        for value in (f"b.{column.sql}", least):
            row = ", ".join(f"{value if c == column else f't.{c.sql}'} AS {c.sql}" for c in self.table.columns)
            met = [f"(SELECT ({check}) IS NOT FALSE FROM (SELECT {row}) z)" for check in checks]
            tests[value] = " AND ".join([*([f"{value} IS NOT NULL"] if column.not_null else []), *met])
        cases = " ".join(f"WHEN {test} THEN {value}" for value, test in tests.items())
        return f"CASE {cases} ELSE t.{column.sql} END AS {column.sql}"

    @property
    def old_signature(self) -> str:
        """The columns of ``old_row`` with their types."""
        return ", ".join(f"{c.sql} {c.sql_type}" for c in self.old)
