"""Puts a report on the terminal (rich) and into one file: HTML that needs nothing else, or Markdown.

All three are made from the same sections, so none can say what the others do not.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from rich.markup import escape as rich_escape
from rich.table import Table

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from orchestrator.demo.pictures import Picture
    from orchestrator.demo.section import Document, Section

_VERDICTS: Final = {True: "good", False: "NOT GOOD", None: ""}
_COLOURS: Final = {True: "green", False: "bold red", None: "dim"}
_STYLE: Final = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
h1, h2 { font-weight: 600; } h2 { margin-top: 2.2rem; font-size: 1.1rem; }
table { border-collapse: collapse; font-size: 14px; } td, th { padding: .2rem .9rem .2rem 0; text-align: left; }
th { border-bottom: 1px solid #999; font-weight: 600; } td { border-bottom: 1px solid #eee; vertical-align: top; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
.good { color: #17703a; } .bad { color: #b3261e; font-weight: 600; }
figure { margin: 1.6rem 0; } figcaption { font-weight: 600; }
.key { font-weight: 400; margin-left: 1rem; } .key.s0 { color: #2f6feb; } .key.s1 { color: #c2571a; }
.chart { width: 100%; height: auto; } .grid { stroke: #e3e6eb; } .axis, .name { fill: #667085; font: 11px system-ui; }
.band { fill: #eef1f5; } .band.b1 { fill: none; }
.line { fill: none; stroke-width: 1.6; stroke: #2f6feb; } .line.s1 { stroke: #c2571a; }
"""


def show(document: Document, console: Console) -> None:
    """Print the report."""
    for section in document.sections:
        table = Table(title=_rich_title(section), title_justify="left", show_header=any(section.headers))
        for place, header in enumerate(section.headers):
            table.add_column(header, justify="right" if _is_number(section, place) else "left", overflow="fold")
        for row in section.rows:
            table.add_row(*map(rich_escape, row))
        console.print(table)
        console.print()


def write(document: Document, path: Path) -> None:
    """Write the report: as HTML, or as Markdown where the name ends in `.md`."""
    text = to_markdown(document) if path.suffix == ".md" else to_html(document)
    path.write_text(text, encoding="utf-8")


def to_markdown(document: Document) -> str:
    """The report in Markdown."""
    lines: list[str] = []
    for place, section in enumerate(document.sections):
        lines += [f"{'#' if place == 0 else '##'} {section.title}", ""]
        if section.good is not None:
            lines += [f"**{_VERDICTS[section.good]}**", ""]
        lines.append(_markdown_row(section.headers))
        lines.append(
            "|" + "|".join("---:" if _is_number(section, i) else "---" for i in range(len(section.headers))) + "|"
        )
        lines += [_markdown_row(row) for row in section.rows]
        lines.append("")
    return "\n".join(lines)


def to_html(document: Document) -> str:
    """The report as one HTML page."""
    parts = [_html_section(section, "h1" if place == 0 else "h2") for place, section in enumerate(document.sections)]
    parts[1:1] = [_html_picture(each) for each in document.pictures]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(document.title)}</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def _html_picture(picture: Picture) -> str:
    keys = "".join(f'<span class="key s{place}">{escape(name)}</span>' for place, name in enumerate(picture.names))
    return f"<figure><figcaption>{escape(picture.title)}{keys}</figcaption>{picture.svg}</figure>"


def _html_section(section: Section, heading: str) -> str:
    verdict = ""
    if section.good is not None:
        verdict = f' <span class="{"good" if section.good else "bad"}">{_VERDICTS[section.good]}</span>'
    head = "".join(f"<th>{escape(header)}</th>" for header in section.headers)
    numbers = [_is_number(section, place) for place in range(len(section.headers))]
    body = "\n".join(
        "<tr>"
        + "".join(
            f"<td{' class=number' if number else ''}>{escape(cell)}</td>"
            for cell, number in zip(row, numbers, strict=True)
        )
        + "</tr>"
        for row in section.rows
    )
    return (
        f"<{heading}>{escape(section.title)}{verdict}</{heading}>\n<table><thead><tr>{head}</tr></thead>\n"
        f"<tbody>{body}</tbody></table>"
    )


def _rich_title(section: Section) -> str:
    colour = _COLOURS[section.good]
    verdict = f"  [{colour}]{_VERDICTS[section.good]}[/]" if section.good is not None else ""
    return f"[bold]{rich_escape(section.title)}[/]{verdict}"


def _markdown_row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _is_number(section: Section, place: int) -> bool:
    """Whether a column holds numbers only, and stands to the right."""
    cells = [row[place] for row in section.rows]
    return place > 0 and bool(cells) and all(cell.replace(",", "").replace(".", "").isdigit() for cell in cells)
