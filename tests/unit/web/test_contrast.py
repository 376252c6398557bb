"""Text is told from what is behind it: each pair of colours that the page uses keeps 4.5 to 1 (WCAG AA), by day and by night."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import orchestrator

CSS = (Path(orchestrator.__file__).parent / "web" / "static" / "page.css").read_text()
DAY, NIGHT = (
    dict(re.findall(r"--([\w-]+): (#\w+)", block)) for block in re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
)
BACKS = ("card", *(name for name in DAY if name.endswith("back")))
PAIRS = [
    *((name, back) for name in ("text", "quiet") for back in BACKS),
    *(("accent", back) for back in ("card", "back", "run-back", "calm-back")),
    *((name, back) for name in ("good", "warn", "bad", "gate") for back in ("card", f"{name}-back")),
]


def _light(colour: str) -> float:
    digits = colour.removeprefix("#")
    digits = "".join(each * 2 for each in digits) if len(digits) == 3 else digits
    parts = (int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))
    red, green, blue = (each / 12.92 if each <= 0.03928 else ((each + 0.055) / 1.055) ** 2.4 for each in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("colours", [DAY, {**DAY, **NIGHT}], ids=["day", "night"])
def test_text_can_be_read(colours: dict[str, str]) -> None:
    def ratio(name: str, back: str) -> float:
        bright, dark = sorted((_light(colours[name]), _light(colours[back])), reverse=True)
        return (bright + 0.05) / (dark + 0.05)

    assert {(name, back): round(ratio(name, back), 2) for name, back in PAIRS if ratio(name, back) < 4.5} == {}
