"""One word for one thing: the words that docs/glossary.md has replaced stay out of code, messages, pages and tests."""

from __future__ import annotations

import re

import pytest

from tests.architecture.source import ROOT, files, shown

# Old word: the word that takes its place.
REPLACED = {
    "residuals?": "originals",
    "sweeps?": "drain",
    "ghosts?": "orphan",
    "haunted": "has_orphans",
    "dispel": "delete_orphans",
    "sticky": "insert_only",
    "lanes?": "chunk",
    "courtesy": "yield_to_app",
    "attendant": "control listener",
    "vitals": "doctor_facts",
    "ordeals?": "chaos run",
    "mishaps?": "fault",
    "nursery": "fork server",
    "deeds?": "operation",
    "doubting": "uncertain writer",
    "wish(es)?": "request",
    "knobs?": "setting",
    "steer(s|ed|ing)?": "request; runtime settings",
    "desks?": "command context; diagnostics",
    "workbench": "stage compiler",
    "frames": "preambles",
    "halts?": "stop",
    "tall(y|ies)": "counters",
}
OF_PAGES = {
    "settles?|settled|settling": "drain, reconcile, decide",
    "whoever": "the application, the operator",
    "crew": "worker context",
    "plant(s|ed)?": "plan_chunks; put in",
}
"""These have other meanings in code, and are kept out of what a reader sees."""
TEXTS = (".py", ".sql", ".md", ".yaml", ".yml", ".toml", ".html", ".json", ".sh", ".service")
HISTORY = (
    "CHANGELOG.md",
    "docs/decisions/",
    "docs/comparison.md",
    "tests/architecture/test_words.py",
    "orchestrator/ledger/sql/later.sql",
    "tests/integration/ledger/test_later.py",
)
"""What is about the past, or about others (gh-ost), may say it in the words of then."""


def found(pattern: str, under: tuple[str, ...] = ()) -> list[str]:
    """Where a word is used, as a word or as a part of a name."""
    word = re.compile(rf"(?<![a-z])(?:{pattern})(?![a-z])|(?<![A-Z])(?:{pattern.title()})(?![a-z])")
    places = []
    for path in files():
        name = shown(path)
        if path.suffix not in TEXTS or name.startswith(HISTORY) or (under and not name.startswith(under)):
            continue
        lines = path.read_text().splitlines()
        places += [f"{name}:{number}" for number, line in enumerate(lines, 1) if word.search(line)]
        places += [name] if word.search(path.name) else []
    return places


@pytest.mark.parametrize("word", REPLACED)
def test_a_word_that_was_replaced_stays_out(word: str) -> None:
    assert found(word) == [], f"say {REPLACED[word]}"


@pytest.mark.parametrize("word", OF_PAGES)
def test_a_page_says_it_in_plain_words(word: str) -> None:
    assert found(word, ("docs/", "README.md", "CONTRIBUTING.md", "SECURITY.md")) == [], f"say {OF_PAGES[word]}"


def test_every_word_that_takes_a_place_is_in_the_glossary_or_a_name_of_code() -> None:
    glossary = (ROOT / "docs/glossary.md").read_text()
    for word in ("originals", "drain", "orphan", "chunk", "insert_only", "queue"):
        assert f"| {word} |" in glossary or f"| `{word}` |" in glossary
