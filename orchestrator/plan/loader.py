"""Reading a plan: YAML with line numbers, strict models, files inside the folder, one checksum.

The checksum covers `plan.yaml` and every SQL file it names, byte for byte. It is recorded with the run;
a resume under another checksum stops.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import ValidationError

from orchestrator.kernel.sqllexer import split, without_comments
from orchestrator.kernel.words import meant
from orchestrator.plan import yaml_text
from orchestrator.plan.errors import PlanError, UnknownPlanError
from orchestrator.plan.model import Plan, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from importlib.resources.abc import Traversable

    from orchestrator.kernel.sqllexer import Statement

_PLACE = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True)
class LoadedPlan:
    """A plan with its files."""

    model: Plan
    folder: Traversable
    checksum: str
    given: str = ""
    """How it was named: a shipped plan's name, or the path of its folder."""

    @property
    def argument(self) -> str:
        """What a command has to be given to find the plan again, quoted for a shell."""
        return shlex.quote(self.given or self.name)

    @property
    def place(self) -> str | None:
        """The folder, as it is found from anywhere on this machine; None of a shipped plan."""
        return None if self.given in shipped() else str(Path(str(self.folder)).resolve())

    @property
    def name(self) -> str:
        """The plan's name."""
        return self.model.plan

    def stage(self, name: str) -> Stage:
        """A stage by name."""
        for stage in self.model.stages:
            if stage.stage == name:
                return stage
        raise PlanError(
            what=f"Plan {self.name} has no stage {name!r}{meant(name, (s.stage for s in self.model.stages), '.')}",
            kept="Nothing was changed.",
            todo=f"Its stages are: {', '.join(s.stage for s in self.model.stages)}.",
        )

    def query(self, given: str) -> str:
        """A query that the plan holds, or names the file of, without the semicolon at its end."""
        text = self.read(given) if given.endswith(".sql") else given
        return without_comments(text).rstrip().rstrip(";")

    def read(self, file: str) -> str:
        """The text of one of the plan's files."""
        return _read(self.folder, file)

    def split(self, file: str) -> list[Statement]:
        """The statements of one file, with their lines."""
        return split(self.read(file))

    def expand(self, stage: Stage) -> list[tuple[str, str]]:
        """(id, SQL) of what a stage's expand carries out: its files, then the columns that its mappings add."""
        return [*self.statements(stage.expand), *(each for mapping in stage.mappings for each in mapping.expand)]

    def statements(self, files: Sequence[str]) -> list[tuple[str, str]]:
        """(id, SQL) of each statement of the files, in order."""
        return [(f"{file}:{n}", each.text) for file in files for n, each in enumerate(self.split(file), 1)]


def shipped() -> list[str]:
    """The names of the plan packs that come with the program."""
    packs = resources.files("orchestrator").joinpath("plans")
    return sorted(p.name for p in packs.iterdir() if p.is_dir() and p.joinpath("plan.yaml").is_file())


def load(name: str | LoadedPlan) -> LoadedPlan:
    """Load a shipped plan by name, or any plan by the path of its folder. What is loaded is not read again."""
    if isinstance(name, LoadedPlan):
        return name
    folder: Traversable
    if name in shipped():
        folder = resources.files("orchestrator").joinpath("plans", name)
    else:
        folder = Path(name).parent if Path(name).name == "plan.yaml" else Path(name)
        if not folder.joinpath("plan.yaml").is_file():
            raise UnknownPlanError(
                what=f"There is no plan {name!r}: none is shipped under that name, and no such folder has a plan.yaml"
                + meant(name, shipped(), "."),
                kept="Nothing was changed.",
                todo="Give a plan of your own by the path of its folder, the one with its plan.yaml. "
                f"Shipped plans: {', '.join(shipped())}.",
            )
    text = _text(folder.joinpath("plan.yaml"), f"{name}/plan.yaml")
    model = parse(text, f"{name}/plan.yaml", folder)
    digest = hashlib.sha256(text.encode())
    for file in sorted(_files(model)):
        digest.update(f"\n-- {file}\n".encode() + _read(folder, file).encode())
    return LoadedPlan(model=model, folder=folder, checksum=digest.hexdigest()[:32], given=name)


def parse(text: str, label: str, folder: Traversable | None = None) -> Plan:
    """Parse and validate the YAML; every complaint names its line."""
    try:
        node, data = yaml_text.composed(text), yaml_text.loaded(text)
    except yaml.YAMLError as exc:
        if isinstance(exc, yaml.reader.ReaderError):
            line, problem = text[: exc.position].count("\n") + 1, f"{exc.reason}: {exc.character!r}"
        else:
            mark = getattr(exc, "problem_mark", None)
            line, problem = 1 if mark is None else mark.line + 1, str(getattr(exc, "problem", exc))
        raise PlanError(
            what=f"{label} line {line}: not YAML: {problem}", kept="Nothing was changed.", todo="Correct the file."
        ) from exc
    if twice := list(_said_twice(node)):
        raise PlanError(
            what=f"{label}: {'; '.join(twice)}.",
            kept="Nothing was changed.",
            todo="Keep one of them.",
        )
    if not isinstance(data, dict):
        raise PlanError(
            what=f"{label}: a plan is a mapping with the key `plan`.",
            kept="Nothing was changed.",
            todo="See `changeover plan schema`.",
        )
    data = {k: v for k, v in data.items() if not str(k).startswith("x-")}
    defined = {k: _definition(str(v), folder) for k, v in (data.get("define") or {}).items()} if folder else {}
    data = _substitute(data, defined)
    try:
        model = Plan.model_validate(data)
    except ValidationError as exc:
        from orchestrator.plan.wrong_keys import complaints  # noqa: PLC0415 - most plans are well formed

        raise PlanError(
            what=f"{label}: {'; '.join(complaints(node, exc))}.",
            kept="Nothing was changed.",
            todo="Correct the plan; `changeover plan schema` prints every key that exists.",
        ) from exc
    _check_order(model, label)
    return model


def _definition(value: str, folder: Traversable | None) -> str:
    if value.endswith(".sql") and folder is not None:
        return f"({without_comments(_read(folder, value))})"
    return f"({value})"


def _substitute(value: Any, defined: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {k: _substitute(v, defined) for k, v in value.items()}
    if isinstance(value, list):
        return [_substitute(v, defined) for v in value]
    if isinstance(value, str):
        for _ in range(4):  # a definition may use another
            value = _PLACE.sub(lambda m: defined.get(m.group(1), m.group(0)), value)
    return value


def _files(model: Plan) -> Iterable[str]:
    for value in model.define.values():
        if value.strip("()").endswith(".sql"):
            yield value.strip("()")
    yield from (file for each in model.measures for file in (each.query, each.keys) if file.endswith(".sql"))
    for stage in model.stages:
        yield from (*stage.all_expand, *stage.seed, *stage.indexes, *stage.keys)
        if stage.contract is not None:
            yield from stage.contract.keys
        yield from (check.query for check in stage.checks if check.query.endswith(".sql"))
        for mapping in stage.mappings:
            yield from (file for file in (mapping.discovery, mapping.warnings) if file is not None)


def _read(folder: Traversable, file: str) -> str:
    if file.startswith("/") or ".." in file.split("/"):
        raise PlanError(
            what=f"{file}: a plan reads files of its own folder only.",
            kept="Nothing was changed.",
            todo="Move the file.",
        )
    path = folder.joinpath(*file.split("/"))
    if not path.is_file():
        raise PlanError(
            what=f"The plan names {file}, and there is no such file.",
            kept="Nothing was changed.",
            todo="Add the file or correct its name.",
        )
    return _text(path, file)


def _text(path: Traversable, label: str) -> str:
    """A file as text; the mark that some editors put before UTF-8 is not part of it."""
    raw = path.read_bytes()
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as exc:
        line = raw[: exc.start].count(b"\n") + 1
        raise PlanError(
            what=f"{label} line {line}: not UTF-8: byte {raw[exc.start]:#04x}.",
            kept="Nothing was changed.",
            todo="Save the file as UTF-8.",
        ) from exc


def _said_twice(node: yaml.Node | None) -> Iterator[str]:
    """Keys that one mapping has more than once. YAML takes the last one, and the others are silently gone."""
    seen, waiting = set(), [node]
    while waiting:
        at = waiting.pop()
        if id(at) in seen:
            continue  # an alias, perhaps to what it stands in
        seen.add(id(at))
        if isinstance(at, yaml.SequenceNode):
            waiting += at.value
        elif isinstance(at, yaml.MappingNode):
            lines: dict[str, int] = {}
            for key, value in at.value:
                line = key.start_mark.line + 1
                first = lines.setdefault(str(key.value), line)
                if first != line:
                    yield f"line {line}: {key.value} stands here for the second time, after line {first}"
                waiting.append(value)


def _check_order(model: Plan, label: str) -> None:
    seen: list[str] = []
    for stage in model.stages:
        if stage.stage in seen:
            raise PlanError(
                what=f"{label}: stage {stage.stage} stands twice.", kept="Nothing was changed.", todo="Rename one."
            )
        if stage.after is not None and stage.after not in seen:
            raise PlanError(
                what=f"{label}: stage {stage.stage} comes after {stage.after!r}, which is not an earlier stage.",
                kept="Nothing was changed.",
                todo="Put the stages in order.",
            )
        seen.append(stage.stage)
        labels = [mapping.label for mapping in stage.mappings]
        if twice := sorted({each for each in labels if labels.count(each) > 1}):
            raise PlanError(
                what=f"{label}: stage {stage.stage} has more than one mapping called {', '.join(twice)}.",
                kept="Nothing was changed.",
                todo="Give each a `name` of its own.",
            )
