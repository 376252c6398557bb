"""Rows for people: a table where it fits, else a paragraph for each row.

A terminal of 80 columns has no room for fourteen columns. A table that is squeezed into it cuts names and numbers in
the middle of a word, so that nobody can read or copy them. So only text with blanks in it is wrapped. Where that is not
enough, each row is its first cell and below it `name value` of the others. What is no terminal has room for everything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, ConsoleOptions, RenderResult

_GAP: Final = 2
_READABLE: Final = 24
"""The narrowest column in which a sentence can be read."""


class Rows:
    """Cells below the names of their columns."""

    def __init__(
        self, columns: Sequence[str], rows: Sequence[Sequence[Text]], *, right: Sequence[str], indent: int
    ) -> None:
        """Hold them; `right` names the columns of numbers, `indent` blanks stand before each line."""
        self._columns, self._rows, self._right, self._indent = columns, rows, right, indent

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Give the form that fits."""
        widths = self._widths(options.max_width - self._indent if console.is_terminal else None)
        if widths is not None:
            yield Padding(self._table(widths), (0, 0, 0, self._indent), expand=False)
            return
        for row in self._rows:
            yield from self._paragraph(row)

    def _widths(self, room: int | None) -> list[int] | None:
        """How wide each column is, or None where a word would be cut. Without `room` there is always enough."""
        cells = list(zip(*self._rows, strict=True)) if self._rows else [() for _ in self._columns]
        names = [max((len(word) for word in name.split()), default=0) for name in self._columns]
        longest = [max((cell.cell_len for cell in column), default=0) for column in cells]
        whole = [max(len(name), width) for name, width in zip(self._columns, longest, strict=True)]
        gaps = _GAP * (len(self._columns) - 1)
        if room is None or not self._rows or sum(whole) + gaps <= room:
            return whole
        least = [max(pair) for pair in zip(names, longest, strict=True)]
        texts = [
            number
            for number, column in enumerate(cells)
            if longest[number] > _READABLE and all(" " in cell.plain for cell in column if cell.cell_len > _READABLE)
        ]
        left = room - gaps - sum(width for number, width in enumerate(least) if number not in texts)
        for done, number in enumerate(sorted(texts, key=lambda each: least[each])):
            least[number] = min(least[number], left // (len(texts) - done))
            left -= least[number]
        return least if left >= 0 and all(least[number] >= _READABLE for number in texts) else None

    def _table(self, widths: Sequence[int]) -> Table:
        made = Table(box=None, pad_edge=False, header_style="bold", padding=(0, _GAP, 0, 0))
        for name, width in zip(self._columns, widths, strict=True):
            made.add_column(
                name, justify="right" if name in self._right else "left", overflow="fold", min_width=width, width=width
            )
        for row in self._rows:
            made.add_row(*row)
        return made

    def _paragraph(self, row: Sequence[Text]) -> RenderResult:
        yield Padding(row[0], (0, 0, 0, self._indent), expand=False)
        words = [
            Text.assemble((f"{name} ", "dim"), cell) if name else cell
            for name, cell in zip(self._columns[1:], row[1:], strict=True)
            if cell.plain not in {"", "-"}
        ]
        yield Padding(Text("  ").join(words), (0, 0, 0, self._indent + _GAP), expand=False)
