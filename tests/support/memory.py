"""What the applications know: what each has written, and was told that it is written. No SQL of ours in it.

Every row of an application carries a tag that nobody ever changes. A statement returns, for each row that it touched, the
tag, the row as text, whether what it wrote stands there, and the row's links: what ties it to rows of the other side (its
tag again, or in a merge its e-mail address in one spelling). Rows that were written by one side only must in the end be,
letter by letter, what the last committed writer was told, or be gone if it deleted them. Rows that both sides wrote have
no such oracle, but: what nobody has deleted stands, and what was deleted last, with nobody else at it, does not.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from tests.support.interleaving import Statement

OTHER = {"old": "new", "new": "old"}


@dataclass(frozen=True)
class Effect:
    """One row that a statement touched; or, without a tag, a whole table."""

    side: str
    table: str
    tag: str
    row: str | None
    links: frozenset[str]
    kind: str = "writes"


@dataclass
class Memory:
    """What is committed."""

    rows: dict[tuple[str, str], str | None] = field(default_factory=dict)
    tables: dict[tuple[str, str], str] = field(default_factory=dict)
    links: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    linked: dict[str, set[str]] = field(default_factory=lambda: {"old": set(), "new": set()})
    removed: set[str] = field(default_factory=set)
    last: dict[str, bool] = field(default_factory=dict)
    contested: set[str] = field(default_factory=set)
    hidden: set[tuple[str, str]] = field(default_factory=set)
    """Put away, not deleted: done to a row and to the one that it was renamed from, both stay, dead; each was acknowledged."""
    tainted: bool = False
    copied: bool = False
    """Whether everything is copied: only then TRUNCATE of a new table is the last word."""
    by_tag: bool = True
    """Whether a tag is one row on each side; not so in a merge."""

    def effects(self, statement: Statement, rows: Sequence[tuple[Any, ...]], *, copied: bool) -> list[Effect]:
        """What a statement has done, as it was told."""
        side, table, kind = statement.side, statement.table, statement.kind
        if kind == "empties" and side == "new" and not copied:
            kind = "unsettles"
        if kind in {"empties", "unsettles", "taints"}:
            return [Effect(side, table, "", None, frozenset(), kind)]
        made = []
        for tag, row, as_written, links in rows:
            assert as_written, f"{statement.text}: returned {row}"
            made.append(Effect(side, table, tag, row, frozenset(each for each in links if each), kind))
        return made

    def plant(self, side: str, table: str, tag: str, row: str, links: Iterable[str]) -> None:
        """A row from before."""
        self.commit([Effect(side, table, tag, row, frozenset(links))], ())

    def commit(self, effects: Iterable[Effect], others: Collection[str]) -> None:
        """A transaction is committed; `others` are the tags that open ones have touched."""
        for effect in effects:
            if effect.kind == "taints":
                self.tainted = True
            elif effect.kind in {"empties", "unsettles"}:
                self._empty(effect)
            else:
                self._touch(effect)
                if effect.tag in others:
                    self.contested.add(effect.tag)

    def _touch(self, effect: Effect) -> None:
        name = (effect.side, effect.tag)
        self.linked[effect.side].update(effect.links)
        gone = effect.kind == "removes"
        self.last[effect.tag] = not gone
        if gone or effect.kind == "hides":
            self.removed.add(effect.tag)
        if effect.kind == "hides":
            self.hidden.add(name)
            # The old side may not know yet: it can delete a row that stands elsewhere by now.
            self.contested.add(effect.tag)
        if effect.kind != "touches":
            self.rows[name] = None if gone else effect.row
            self.tables[name] = effect.table
            self.links.setdefault(name, set()).update(effect.links)

    def _empty(self, effect: Effect) -> None:
        """A table was emptied at one stroke: its own rows are gone, and all that the other side has is touched by it."""
        for name in list(self.rows):
            self.linked[effect.side].update(self.links[name])
            self.removed.add(name[1])
            self.contested.add(name[1])
            if name[0] == effect.side and self.tables[name] == effect.table:
                if effect.kind == "empties":
                    self.rows[name] = None
                else:
                    del self.rows[name]  # the old side speaks, and has it or not

    # -- the judgement -------------------------------------------------------------------------------

    def judge(self, found: dict[str, list[tuple[str, str]]]) -> list[str]:
        """What is wrong with the rows (tag, text) found on each side."""
        wrong = []
        for (side, tag), row in self.rows.items():
            here = [text for known, text in found[side] if known == tag]
            if self._alone(side, tag):
                if here != ([] if row is None else [row]) and not (self.tainted and row is not None and len(here) == 1):
                    wrong.append(f"{tag} of the {side} side: written {row}, found {here}")
            elif self.by_tag and tag not in self.removed and side == "old" and len(here) != 1:
                wrong.append(f"{tag} was removed by nobody, and is on the old side {len(here)} times")
        wrong += [
            f"{tag} was deleted and is back on the {side} side"
            for side in found
            for tag, _ in found[side]
            if self.last.get(tag) is False and tag not in self.contested and self.by_tag
        ]
        if self.by_tag:
            for side, rows in found.items():
                count = Counter(tag for tag, _ in rows)
                several = {tag: n for tag, n in count.items() if n > 1 and (side, tag) not in self.hidden}
                wrong += [f"{tag} is {n} times on the {side} side" for tag, n in several.items()]
        return wrong

    def _alone(self, side: str, tag: str) -> bool:
        """Whether only this side has ever touched what the row is tied to."""
        return not self.links[side, tag] & self.linked[OTHER[side]]
