"""What `plan check` says of a column that the plan does not name: whole words, and true for each kind."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from orchestrator.plan.model import Stage

UNIFY: dict[str, Any] = {"unify": "public.n", "sources": ["public.o"], "key": {"column": "id"}, "columns": {"a": "s.a"}}
SPLIT: dict[str, Any] = {
    "split": "public.marks",
    "sources": ["public.o"],
    "key": {"column": "id", "target": "o_id"},
    "item": "mark",
    "except": ["hidden"],
    "except_like": ["x_%"],
    "when": "v.number > 0",
    "columns": {"score": "v.number"},
    "value": "t.score",
}


@pytest.mark.parametrize(
    ("mapping", "column", "words"),
    [
        ({**UNIFY, "originals": "old"}, "free", "kept in old"),
        ({**UNIFY, "originals": "old", "pack": {"x_%": "more"}}, "x_1", "packed into more"),
        ({**UNIFY, "originals": "old", "pack": {"x_%": "more"}}, "y_1", "kept in old"),
        (SPLIT, "taste", "becomes a row of public.marks where it counts"),
        (SPLIT, "hidden", "no row is made of it"),
        (SPLIT, "x_2", "no row is made of it"),
    ],
)
def test_the_words_say_where_it_is(mapping: dict[str, Any], column: str, words: str) -> None:
    stage = TypeAdapter(Stage).validate_python({"stage": "s", "mappings": [mapping]})
    assert stage.mappings[0].goes_to(column) == words
