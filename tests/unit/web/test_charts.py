from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from orchestrator.kernel.charts import Band, Series, clock, line_chart, number


def _parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - our own text


def test_a_line_goes_through_its_points_and_breaks_at_a_gap() -> None:
    svg = line_chart("Speed", [Series("copy", [(0, 0.0), (1, 100.0), (2, None), (3, 50.0)])], unit="/s")
    root = _parsed(svg)
    (path,) = root.iter("path")
    assert path.attrib["d"].count("M") == 2
    assert root.attrib["aria-label"] == "Speed: copy 50/s at the end"
    ys = [float(y) for _, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", path.attrib["d"])]
    assert ys[0] > ys[-1] > min(ys)  # upside down: 0 lies at the bottom


def test_names_of_others_are_text_and_nothing_else() -> None:
    name = '</text><script>alert(1)</script>"\x1b[2J'
    svg = line_chart(name, [Series(name, [(0, 1.0), (9, 2.0)])], bands=[Band(name * 1, 0, 9)], limit=1.5)
    assert "<script" not in svg
    assert "\x1b" not in svg
    _parsed(svg)


@pytest.mark.parametrize("values", [[], [None], [0.0], [1e-9], [5e12], [3.0, 3.0]])
def test_any_values_make_a_chart(values: list[float | None]) -> None:
    svg = line_chart("t", [Series("a", list(enumerate(values)))])
    _parsed(svg)
    assert ("no values yet" in svg) == all(value is None for value in values)
    assert "nan" not in svg
    assert "inf" not in svg


def test_numbers_and_times_of_an_axis() -> None:
    assert [number(each) for each in (0, 0.25, 950, 1500, 2_000_000)] == ["0", "0.25", "950", "1.5k", "2M"]
    assert [clock(each) for each in (0, 45, -200, 3720)] == ["0 s", "45 s", "-3:20", "1:02:00"]
