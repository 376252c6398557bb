"""What a plan's models refuse, in the words of the file: its line, its key, and the key that was meant.

The models know a place by its way from the root (`stages`, 0, `mapping`). The schema made from them says which keys
exist there, so a key that is none is told with the one that looks like it, and one that is missing with what it holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import yaml

from orchestrator.kernel.words import meant
from orchestrator.mapping.kinds import KINDS
from orchestrator.plan.schema import schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

_Place = tuple[int | str, ...]
_ALIKE: Final = 0.5


def complaints(node: yaml.Node | None, exc: ValidationError) -> list[str]:
    """What is wrong, in the order of the file."""
    whole = schema()
    found = []
    for error in _of_one_form(exc.errors()):
        line, key = _found(node, error["loc"])
        found.append((line, _said(whole, error, key)))
    return [f"line {line}: {words}" for line, words in sorted(dict.fromkeys(found))]


def _of_one_form(errors: list[ErrorDetails]) -> Iterator[ErrorDetails]:
    """Where a value may have one of two forms (a text, or keys), what is wrong with the one that was meant."""
    for error in errors:
        value, parent = error["input"], error["loc"][:-1]
        others = [each["loc"] for each in errors if each is not error and each["loc"][: len(parent)] == parent]
        text_of_keys = error["type"] == "string_type" and isinstance(value, dict) and others
        keys_of_text = error["type"] == "model_type" and not isinstance(value, dict) and others
        if not (text_of_keys or keys_of_text):
            yield error


def _said(whole: dict[str, Any], error: ErrorDetails, written: str) -> str:
    """What is wrong at a place, where `written` is the last key on the way that the file has."""
    place = error["loc"]
    key = str(place[-1]) if place else written
    known = _keys(whole, place[:-1])
    if error["type"] == "extra_forbidden":
        others = f"; there are {', '.join(sorted(known))}"
        return f"there is no key `{key}` here{meant(key, known, others, _ALIKE)}"
    if error["type"] == "missing":
        holds = known.get(key, {}).get("description", "")
        return f"`{key}` is missing" + (f": {holds.rstrip('.')}" if holds else "")
    said = error["msg"].replace("Input should be", "it should be").removeprefix("Value error, ")
    if error["type"] == "string_type" and isinstance(error["input"], bool):
        return f"`{written}`: {said}: YAML reads no, yes, on and off as true or false; put the word in quotes"
    return f"`{written}`: {said}"


def _keys(whole: dict[str, Any], place: _Place) -> dict[str, dict[str, Any]]:
    """The keys that may stand at a place, with their schemas; of every form where it has several."""
    at = [whole]
    for part in place:
        if part in KINDS:
            forms = [form for each in at for form in _forms(whole, each)]
            at = [form for form in forms if part in form.get("properties", {})] or at
        else:
            # A part that is no key is the models' own name of a form.
            at = [below for each in at for form in _forms(whole, each) for below in _below(form, part)] or at
    forms = [form for each in at for form in _forms(whole, each)]
    return {name: key for form in forms for name, key in form.get("properties", {}).items()}


def _forms(whole: dict[str, Any], part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A schema without references and choices."""
    if "$ref" in part:
        yield from _forms(whole, whole["$defs"][part["$ref"].rpartition("/")[2]])
        return
    choices = [*part.get("anyOf", ()), *part.get("oneOf", ())]
    if not choices:
        yield part
    for each in choices:
        yield from _forms(whole, each)


def _below(form: dict[str, Any], part: int | str) -> Iterator[dict[str, Any]]:
    if isinstance(part, int):
        if "items" in form:
            yield form["items"]
    elif part in form.get("properties", {}):
        yield form["properties"][part]
    elif isinstance(form.get("additionalProperties"), dict):
        yield form["additionalProperties"]


def _found(node: yaml.Node | None, place: _Place) -> tuple[int, str]:
    """The line of the deepest node on the way to a place, and its key; the models' own tags are passed over."""
    line, key = 1 if node is None else node.start_mark.line + 1, "plan"
    for depth, part in enumerate(place):
        if part in KINDS and depth < len(place) - 1:
            continue  # the tag of a mapping's kind is one of its keys as well
        if isinstance(node, yaml.MappingNode):
            pair = next(((k, v) for k, v in node.value if k.value == str(part)), None)
            if pair is None:
                continue
            line, key, node = pair[0].start_mark.line + 1, str(part), pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line, key
