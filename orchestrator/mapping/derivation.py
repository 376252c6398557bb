"""From source rows to target rows: the one SELECT that everything else is made of.

Its shape, for every kind of mapping::

    SELECT "#key", the target's columns …, "#reason", "#unresolved", what placeholders need …
    FROM <source rows> LEFT JOIN <lookups> CROSS JOIN LATERAL (<columns>) t

A value that its target column cannot hold (a number over ``numeric(5,2)``, a text over
``varchar(9)``) would make the whole batch fail; it is seen here, by comparison, and becomes a reject
of that row alone. What the plan declares as rejects and exemptions is evaluated over ``t``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from orchestrator.kernel.errors import UsageError
from orchestrator.kernel.identifiers import quote
from orchestrator.kernel.sqltokens import mentions
from orchestrator.kernel.words import meant
from orchestrator.mapping import types
from orchestrator.mapping.model import rule
from orchestrator.mapping.sqltext import comma, literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from orchestrator.mapping.catalog import Column, Table
    from orchestrator.mapping.model import ColumnRule, Lookup

TOO_LARGE = "number_too_large"
NO_VALUE = "not_null_violation"
"""As the error would be called."""
TOO_LONG = "text_too_long"


@dataclass(frozen=True)
class Guarded:
    """A column's value and the condition under which it does not fit."""

    column: Column
    value: str
    unfit: str | None
    reason: str


@dataclass(frozen=True)
class Derivation:
    """The target's columns over some FROM clause; the kinds supply the clause."""

    target: Table
    columns: Mapping[str, ColumnRule | str]
    extra: Mapping[str, str]
    lookups: Mapping[str, Lookup]
    lookup_tables: Mapping[str, Table]
    rejects: Mapping[str, str]
    exempt: Mapping[str, str]
    exempt_column: str | None
    originals_column: str | None
    originals: str
    own_reason: str
    describe_from: str
    describe: Callable[[str], list[str]]
    lateral: str = ""
    described: Mapping[str, str] = field(default_factory=dict)
    """What stands for a rule's expression when the server is asked for its type, where that reads a source table."""

    @cached_property
    def rules(self) -> dict[str, ColumnRule]:
        """Every computed column: the plan's, then the engine's (key, discriminator, packs)."""
        return {name: rule(value) for name, value in {**self.columns, **self.extra}.items()}

    @cached_property
    def written(self) -> list[Column]:
        """The target columns that an INSERT names, in the target's order."""
        names = {*self.rules, self.originals_column, self.exempt_column} - {None}
        if unknown := sorted(str(n) for n in names if n not in self.target.by_name):
            raise UsageError(
                what=f"{self.target.label} has no column {', '.join(unknown)}, which the mapping fills{meant(unknown[0], self.target.by_name, '.')}",
                kept="Nothing was changed.",
                todo="Add the column to the stage's expand file or take it out of the mapping.",
            )
        return [c for c in self.target.columns if c.name in names and not c.generated]

    @cached_property
    def guarded(self) -> dict[str, Guarded]:
        """Each computed column with its cast and, where it could fail, its guard."""
        names = [c.name for c in self.written if c.name in self.rules]
        text = comma(f"({self.described.get(n, self.rules[n].expression)}) AS {quote(n)}" for n in names)
        have = self.describe(f"SELECT {text}\nFROM {self.describe_from}\nLIMIT 0") if names else []
        return {
            n: _guard(self.target.by_name[n], self.rules[n].expression, h) for n, h in zip(names, have, strict=True)
        }

    def joins(self, indent: str = "") -> str:
        """The lookups as LEFT JOINs from the source side."""
        lines = [
            f"LEFT JOIN {self.lookup_tables[name].sql} {quote(name)} ON {lookup.match}"
            for name, lookup in self.lookups.items()
        ]
        return "".join(f"\n{indent}{line}" for line in lines)

    def select(
        self, rows: str, key: str, row: str = "NULL::jsonb", place: str = "NULL::tid", more: Sequence[str] = ()
    ) -> str:
        """The whole SELECT over ``rows`` (a FROM clause that gives the source aliases); ``more`` is for a wrapper's use."""
        values = comma((f"{g.value} AS {quote(n)}" for n, g in self.guarded.items()), 8)
        out = [f'{key} AS "#key"', f'{row} AS "#row"', f'{place} AS "#ctid"']
        out += [self._output(c) for c in self.written]
        out.append(f'{self.reason} AS "#reason"')
        out.append(f'{self.unresolved} AS "#unresolved"')
        out += [*self._creations(), *more]
        return f"SELECT {comma(out)}\nFROM {rows}{self.joins()}\nCROSS JOIN LATERAL (\n    SELECT {values}\n    OFFSET 0\n) t{self.lateral}"

    @cached_property
    def signature(self) -> str:
        """The columns of ``select`` with their types, for a function that returns them."""
        out = ['"#key" text', '"#row" jsonb', '"#ctid" tid']
        out += [f"{c.sql} {c.sql_type}" for c in self.written]
        out += ['"#reason" text', '"#unresolved" boolean']
        for name, lookup in self.creating.items():
            out.append(f"{quote(f'{name}#missing')} boolean")
            columns = lookup.create.columns if lookup.create else {}
            text = comma(f"({expression})" for expression in columns.values())
            have = self.describe(f"SELECT {text}\nFROM {self.describe_from}\nLIMIT 0") if columns else []
            out += [f"{quote(f'{name}#{c}')} {h}" for c, h in zip(columns, have, strict=True)]
        return ", ".join(out)

    def _output(self, column: Column) -> str:
        if column.name == self.originals_column:
            return f"{self.originals} AS {column.sql}"
        if column.name == self.exempt_column:
            return f"{self.exemptions} AS {column.sql}"
        return f"t.{column.sql}"

    @cached_property
    def exemptions(self) -> str:
        """The names of the rules that a legacy row breaks."""
        if not self.exempt:
            return "'{}'::text[]"
        cases = ", ".join(f"CASE WHEN ({cond}) THEN {literal(name)} END" for name, cond in self.exempt.items())
        return f"array_remove(ARRAY[{cases}]::text[], NULL)"

    @cached_property
    def reason(self) -> str:
        """Why the row cannot become a target row; NULL when it can."""
        cases = [self.own_reason] if self.own_reason else []
        cases += [f"WHEN ({cond}) THEN {literal(name)}" for name, cond in self.rejects.items()]
        cases += [f"WHEN {g.unfit} THEN {literal(g.reason)}" for g in self.guarded.values() if g.unfit]
        return "CASE " + "\n        ".join(cases) + " END" if cases else "NULL::text"

    @cached_property
    def steady_reasons(self) -> list[str]:
        """The reasons that speak of the source row alone: they hold as long as the row stays as it is."""
        told = [name for name, guarded in self.guarded.items() if self._looks_up(guarded.value)]
        conditions = list(self.rejects.items())
        conditions += [(g.reason, g.unfit) for g in self.guarded.values() if g.unfit]
        moving = {
            reason
            for reason, cond in conditions
            if self._looks_up(cond) or any(mentions(cond, "t", name) for name in told)
        }
        return sorted({reason for reason, _ in conditions} - moving)

    def _looks_up(self, expression: str) -> bool:
        # A subquery reads what it likes.
        return "select" in expression.lower() or any(mentions(expression, name) for name in self.lookups)

    @cached_property
    def creating(self) -> dict[str, Lookup]:
        """The lookups that make their missing rows."""
        return {name: lookup for name, lookup in self.lookups.items() if lookup.create is not None}

    @cached_property
    def required(self) -> list[Column]:
        """The columns that must have a value, where a derivation may have none."""
        return [
            c
            for c in self.compared
            if c.not_null and not c.domain and c.name not in {self.originals_column, self.exempt_column}
        ]

    def lacking(self, alias: str) -> str:
        """Whether a row that a batch derives has no value for a required column, and nothing is missing that would give it one.

        Only a batch asks it, which finds many at once: a row of the new side has the value, where the old one cannot say it.
        ``v_strict`` is false where a trigger of the application may give it.
        """
        tests = " OR ".join(f"{alias}.{c.sql} IS NULL" for c in self.required)
        return (
            f'(v_strict AND {alias}."#reason" IS NULL AND NOT {alias}."#unresolved" AND ({tests}))'
            if tests
            else "false"
        )

    def lacks(self, alias: str) -> str:
        """The first such column, in the words of the error."""
        if not self.required:
            return "NULL::text"
        wrong = f"of relation {quote(self.target.name)} violates not-null constraint"
        cases = " ".join(
            f"WHEN {alias}.{c.sql} IS NULL THEN {literal(f'null value in column {quote(c.name)} {wrong}')}"
            for c in self.required
        )
        return f"CASE WHEN {self.lacking(alias)} THEN CASE {cases} END END"

    @property
    def movable(self) -> list[str]:
        """The columns whose values a derivation writes over."""
        return [c.name for c in self.compared if c.name not in {self.originals_column, self.exempt_column}]

    @property
    def written_tables(self) -> list[Table]:
        """The target, and the tables in which lookups make rows."""
        return [self.target, *(self.lookup_tables[name] for name in self.creating)]

    @cached_property
    def unresolved(self) -> str:
        """True while a row that a lookup should make is not there."""
        tests = [self._missing(name) for name in self.creating]
        return "(" + " OR ".join(tests) + ")" if tests else "false"

    def _missing(self, name: str) -> str:
        create = self.lookups[name].create
        when = "true" if create is None else create.when
        return f"({quote(name)}.{quote(self.lookups[name].key)} IS NULL AND coalesce(({when}), false))"

    def _creations(self) -> list[str]:
        out = []
        for name, lookup in self.creating.items():
            out.append(f"{self._missing(name)} AS {quote(f'{name}#missing')}")
            columns = lookup.create.columns if lookup.create else {}
            out += [f"({expression}) AS {quote(f'{name}#{column}')}" for column, expression in columns.items()]
        return out

    def creation_statements(self, derived: str) -> list[str]:
        """INSERTs that make the rows the lookups miss, over a derived SELECT.

        They are remembered as a seed's are: the way back drops a table of the plan's own without them, and keeps what
        the application has added beside them.
        """
        statements = []
        for name, lookup in self.creating.items():
            columns = lookup.create.columns if lookup.create else {}
            names = ", ".join(quote(c) for c in columns)
            values = ", ".join(f"d.{quote(f'{name}#{c}')}" for c in columns)
            table = self.lookup_tables[name].sql
            statements.append(
                f"WITH made AS (\n"
                f"INSERT INTO {table} AS x ({names})\n"
                f"SELECT DISTINCT {values}\nFROM (\n{derived}\n) d\n"
                f'WHERE d."#reason" IS NULL AND d.{quote(f"{name}#missing")}\n'
                "ON CONFLICT DO NOTHING\nRETURNING to_jsonb(x) AS row\n)\n"
                "INSERT INTO changeover.seed_row (relation, row)\n"
                f"SELECT {literal(table)}::regclass, m.row FROM made m"
            )
        return statements

    @cached_property
    def compared(self) -> list[Column]:
        """The columns that must agree: all but the insert_only ones."""
        return [c for c in self.written if not (c.name in self.rules and self.rules[c.name].insert_only)]


def _guard(column: Column, expression: str, have: str) -> Guarded:
    have = types.canonical(have)
    cast = f"({expression})::{column.sql_type}"
    numeric_source = have in types.NUMBERS
    if (limits := column.numeric_limits) and numeric_source:
        precision, scale = limits
        bound = f"(1e{precision - scale} - 0.5e-{scale})"
        fits = f"(abs(({expression})::numeric) < {bound} OR ({expression})::numeric = 'NaN')"
        return _guarded(column, expression, cast, fits, TOO_LARGE)
    if column.type in types.INTEGER_LIMITS and numeric_source and not _narrower(have, column.type):
        low, high = types.INTEGER_LIMITS[column.type]
        fits = f"(round(({expression})::numeric) BETWEEN {low} AND {high})"
        return _guarded(column, expression, cast, fits, TOO_LARGE)
    if column.type == "varchar" and column.typmod > 0 and have in types.TEXTUAL:
        return _guarded(column, expression, cast, f"(char_length({expression}) <= {column.typmod - 4})", TOO_LONG)
    return Guarded(column, cast, None, "")


def _guarded(column: Column, expression: str, cast: str, fits: str, reason: str) -> Guarded:
    return Guarded(column, f"CASE WHEN {fits} THEN {cast} END", f"({expression}) IS NOT NULL AND NOT {fits}", reason)


def _narrower(have: str, want: str) -> bool:
    return have in types.INTEGERS and types.INTEGERS.index(have) <= types.INTEGERS.index(want)
