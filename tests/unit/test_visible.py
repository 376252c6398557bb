from __future__ import annotations

import io
import json

import pytest

from orchestrator.cli import output, progress
from orchestrator.kernel.events import Bus
from orchestrator.kernel.visible import escaped_json, visible
from orchestrator.observability.logs import LogListener, make_logger

OBEYED = [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))] + list(
    "\u061c\u200e\u200f\u2028\u2029\u202a\u202e\u2066\u2069\ufeff\ud800\udfff"
)


@pytest.mark.parametrize("character", OBEYED)
def test_what_a_terminal_obeys_is_shown(character: str) -> None:
    shown = visible(f"a{character}b")
    assert shown.startswith("a\\")
    assert shown.endswith("b")
    assert shown.isascii()
    assert (character in visible(character, lines=True)) == (character in "\t\n")


def test_letters_of_all_languages_stay() -> None:
    text = "Žluťoučký kůň, 日本語, עברית, العربية, नमस्ते, 👩\u200d🔧, ½ €"
    assert visible(text) == text


def test_json_means_the_same_and_has_none_of_them() -> None:
    value = {"a" + "-".join(OBEYED): "-".join(OBEYED)}
    text = output.as_json(value, indent=None)
    assert json.loads(text) == value
    assert not set(OBEYED) & set(text)
    assert escaped_json('{"a": "ä"}') == '{"a": "ä"}'


def test_a_line_stays_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    output.say("\nreason: fine\n\nNothing stops this plan.\x1b]0;title\x07")
    output.tell("name: a\rb\x9b2J")
    output.table(("col\x1bumn",), [("x\ny",), (["p\x07", "q"],)])
    output.say("SELECT\n\t1\x1b[2J", lines=True)
    captured = capsys.readouterr()
    assert captured.out.startswith("\nreason: fine\\n\\nNothing stops this plan.\\x1b]0;title\\x07\n")
    assert captured.err == "name: a\\rb\\x9b2J\n"
    assert "x\\ny" in captured.out
    assert "SELECT\n" in captured.out
    assert not set(OBEYED) - {"\n", "\t"} & set(captured.out + captured.err)


def test_progress_and_a_readable_log_show_it_too(capsys: pytest.CaptureFixture[str]) -> None:
    bus, log = Bus(), io.StringIO()
    bus.subscribe(LogListener(make_logger("console", "debug", log)))
    with progress.listener(bus):
        bus.emit("source.taken_in", stage="s", source='public."\x1b[2J\n\x9b"', mapping="m", also={"k\x07": ["\x1b"]})
    written = capsys.readouterr().err + log.getvalue()
    assert "\\x1b[2J\\n\\x9b" in written
    assert not set(OBEYED) - {"\n", "\x1b"} & set(written)
    assert "\x1b" not in written


def test_a_text_for_programs_is_what_it_is_except_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for stream, expected in ((io.StringIO(), 'flag{name="\x1b["} 1\n'), (Terminal(), 'flag{name="\\x1b["} 1\n')):
        monkeypatch.setattr("sys.stdout", stream)
        output.write('flag{name="\x1b["} 1\n')
        assert stream.getvalue() == expected
