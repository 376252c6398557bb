"""From the alert alone: the runbook, the command, and the way back; each in words that the program understands."""

from __future__ import annotations

import re

import pytest

from tests.architecture.source import ROOT
from tests.support.parsing import parse
from tests.support.runbooks import ALERTS, BOOKS, Runbook, words

SECTIONS = ["What it means", "What to look at", "What to do", "The way back"]
each_book = pytest.mark.parametrize("book", BOOKS.values(), ids=BOOKS)


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    assert BOOKS.keys() == ALERTS.keys()


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_leads_to_its_runbook_a_command_and_the_way_back(alert: str) -> None:
    rule, book = ALERTS[alert], BOOKS[alert]
    told = rule["annotations"]
    published, page = told["runbook_url"].split("/operations/")
    assert published == "{{ $externalLabels.changeover_docs }}"
    assert (ROOT / f"docs/operations/{page.rstrip('/')}.md").read_text() == book.text
    assert rule["labels"]["severity"] in {"page", "ticket"}
    for each in ("command", "way_back"):
        parse(words(told[each]))
    first = words(told["command"])
    known = {tuple(_commanded(each)) for section in SECTIONS[1:3] for each in book.commands(section)}
    assert tuple(_commanded(first)) in known, "the runbook goes on with what the alert began"
    back = {tuple(_commanded(each)) for each in book.commands(SECTIONS[3])}
    assert tuple(_commanded(words(told["way_back"]))) in back


def _commanded(argv: list[str]) -> list[str]:
    """The command without what it is given."""
    return argv[: 2 if argv[0] in {"flag", "throttle", "rejects", "plan"} else 1]


@each_book
def test_a_runbook_says_what_a_person_needs(book: Runbook) -> None:
    assert book.text.startswith(f"# {book.name}\n")
    assert list(book.sections) == SECTIONS
    assert all(text.strip() for text in book.sections.values())
    assert book.commands(SECTIONS[3]), "a way back is a command"
    assert book.commands(SECTIONS[1]) or book.queries(), "what to look at is a command or a query"
    assert book.commands(SECTIONS[2])


@each_book
def test_every_command_is_one_of_the_program(book: Runbook) -> None:
    for argv in book.commands():
        parse(argv)


@each_book
def test_what_it_names_is_there(book: Runbook) -> None:
    for path in re.findall(r"`(deploy/[^`]+)`", book.text):
        assert (ROOT / path).exists()
    source = (ROOT / "orchestrator/settings.py").read_text()
    for group, name in re.findall(r"CHANGEOVER_([A-Z]+)__([A-Z_]+)", book.text):
        assert f"{group.lower()}: " in source
        assert f"{name.lower()}: " in source


def test_a_wrong_command_would_be_noticed() -> None:
    for line in ("changeover throtle show PLAN", "changeover verify --stage STAGE", "changeover resume PLAN --loud"):
        with pytest.raises(Exception, match=r"throtle|plan|loud"):
            parse(words(line))
