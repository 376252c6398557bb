"""A plan file that cannot be read as its author means it is refused with its line, and never half understood."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import orchestrator
from orchestrator.plan.errors import PlanError
from orchestrator.plan.loader import load

EXAMPLE = Path(orchestrator.__file__).parent / "plans" / "example"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "plan"
    shutil.copytree(EXAMPLE, copy)
    return copy


def _refused(folder: Path) -> str:
    with pytest.raises(PlanError) as caught:
        load(str(folder))
    assert caught.value.kept == "Nothing was changed."
    return caught.value.what


def _line(text: str, words: str) -> int:
    return text[: text.index(words)].count("\n") + 1


@pytest.mark.parametrize(
    ("words", "again"), [("          name: s.name\n", "          name: s.mail\n"), ("    flag: ", "    flag: OTHER\n")]
)
def test_what_is_said_twice_is_not_half_forgotten(folder: Path, words: str, again: str) -> None:
    text = (EXAMPLE / "plan.yaml").read_text()
    (folder / "plan.yaml").write_text(text.replace(words, again + words, 1))
    line = _line(text, words)
    assert (
        f"line {line + 1}: {words.split(':', maxsplit=1)[0].strip()} stands here for the second time, after line {line}"
        in _refused(folder)
    )


@pytest.mark.parametrize("file", ["plan.yaml", "sql/customers.sql"])
def test_what_is_not_utf_8_is_named_with_its_line(folder: Path, file: str) -> None:
    path = folder / file
    lines = path.read_bytes().count(b"\n")
    path.write_bytes(path.read_bytes() + b"-- caf\xe9\n")
    what = _refused(folder)
    assert f"{file} line {lines + 1}: not UTF-8: byte 0xe9" in what


def test_a_character_that_yaml_does_not_know_is_named_with_its_line(folder: Path) -> None:
    path = folder / "plan.yaml"
    lines = path.read_bytes().count(b"\n")
    path.write_bytes(path.read_bytes() + b"\x00")
    assert f"plan.yaml line {lines + 1}: not YAML: special characters are not allowed" in _refused(folder)


def test_a_mark_before_the_text_is_no_part_of_it(folder: Path) -> None:
    before = load(str(folder)).statements(["sql/customers.sql"])
    for file in ("plan.yaml", "sql/customers.sql"):
        (folder / file).write_bytes(b"\xef\xbb\xbf" + (EXAMPLE / file).read_bytes())
    assert load(str(folder)).statements(["sql/customers.sql"]) == before


def test_an_anchor_may_lead_to_what_it_stands_in(folder: Path) -> None:
    path = folder / "plan.yaml"
    path.write_text("x-odd: &odd {a: *odd}\n" + path.read_text())
    assert load(str(folder)).name == "example"


def test_two_mappings_of_one_name_would_make_the_same_functions(folder: Path) -> None:
    path = folder / "plan.yaml"
    again = "      - {unify: other.customers, sources: [public.x], key: {column: id}, originals: legacy, columns: {}}\n"
    path.write_text(path.read_text().replace("    indexes:", f"{again}    indexes:", 1))
    assert "stage customers has more than one mapping called customers" in _refused(folder)


@pytest.mark.parametrize(
    ("words", "instead"),
    [("key: {column: id}", "key: {column: no}"), ("          name: s.name\n", "          on: s.name\n")],
)
def test_a_word_that_yaml_takes_for_a_truth_is_explained(folder: Path, words: str, instead: str) -> None:
    text = (EXAMPLE / "plan.yaml").read_text()
    assert words in text
    (folder / "plan.yaml").write_text(text.replace(words, instead, 1))
    assert "YAML reads no, yes, on and off as true or false; put the word in quotes" in _refused(folder)
