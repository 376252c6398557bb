"""What can be said against a plan without a database.

The models have refused unknown keys already; this looks for what is well formed and will still go wrong: a name that
an expression cannot see, a value that is another one tomorrow (`now()` makes mirror and backfill disagree for ever), a
file whose statements are not of its kind, a mapping with no place for what does not fit. An *error* is a plan that
cannot work, a *warning* one that probably does not do what its author means. What only a server can know (are the
sources there, do the types fit) is asked by `check`.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from flags.stages import Stage as FlagStage
from orchestrator.kernel.sqltokens import table_label
from orchestrator.plan import added
from orchestrator.plan.complaints import Complaint, Diagnostics
from orchestrator.plan.created import created
from orchestrator.plan.lint_deletions import lint_deletions
from orchestrator.plan.lint_ends import lint_ends
from orchestrator.plan.lint_files import lint_files, lint_measures
from orchestrator.plan.lint_mapping import lint_mapping
from orchestrator.plan.lint_new_keys import lint_new_keys
from orchestrator.plan.lint_partitions import lint_partitions
from orchestrator.plan.lint_renames import lint_renames
from orchestrator.plan.lint_sources import lint_sources
from orchestrator.plan.places import Places
from phases.alter_spec import column

if TYPE_CHECKING:
    from collections.abc import Collection

    from orchestrator.plan.created import CreatedTable
    from orchestrator.plan.loader import LoadedPlan
    from orchestrator.plan.model import Stage

_DATASETS: Final = ("iso3166",)
_PLACE: Final = re.compile(r"\$\{(\w+)\}")


def lint(plan: LoadedPlan) -> list[Complaint]:
    """Everything there is to say, in the order of the file; once, also of a file that two stages name."""
    return list({str(each): each for each in _complaints(plan)}.values())


def errors(plan: LoadedPlan, stages: Collection[str]) -> list[str]:
    """What keeps these stages from being carried out, in words."""
    numbers = {number for number, stage in enumerate(plan.model.stages) if stage.stage in stages}
    found = (c for c in _complaints(plan) if c.level == "error" and (c.stage is None or c.stage in numbers))
    return list(dict.fromkeys(str(each) for each in found))


def _complaints(plan: LoadedPlan) -> list[Complaint]:
    text = plan.read("plan.yaml")
    diagnostics = Diagnostics(Places(text))
    tables: dict[str, CreatedTable] = {}
    _definitions(plan, text, diagnostics)
    _flags(plan, diagnostics)
    for number, stage in enumerate(plan.model.stages):
        path = ("stages", number)
        # A later stage may alter what an earlier one has made.
        for name, table in created(sql for _, sql in plan.statements(stage.expand)).items():
            if name in tables:
                tables[name].columns.update(table.columns)
                tables[name].checks.update(table.checks)
            else:
                tables[name] = table
        _stage(stage, diagnostics.under(*path))
        lint_files(plan, stage, diagnostics.under(*path))
        for index, mapping in enumerate(stage.mappings):
            lint_mapping(mapping, tables, diagnostics.under(*path, "mappings", index))
        _targets(stage, tables, diagnostics.under(*path))
    lint_measures(plan, diagnostics)
    lint_deletions(plan, diagnostics)
    _dropped_by_an_old_name(plan, diagnostics)
    _columns_of_mappings(plan, diagnostics)
    lint_ends(plan, diagnostics)
    lint_renames(plan, diagnostics)
    lint_new_keys(plan, diagnostics)
    lint_sources(plan, diagnostics)
    lint_partitions(plan, diagnostics)
    return sorted(diagnostics.complaints, key=lambda c: (c.file, c.line))


def _definitions(plan: LoadedPlan, text: str, diagnostics: Diagnostics) -> None:
    """Every `${name}` is defined, every definition used."""
    defined = set(plan.model.define)
    for number, line in enumerate(text.splitlines(), 1):
        for match in _PLACE.finditer(line.partition(" #")[0]):
            if match.group(1) not in defined:
                diagnostics.error("undefined", f"${{{match.group(1)}}} is not defined under `define`", line=number)
    for name in sorted(defined - set(_PLACE.findall(text))):
        diagnostics.warning("unused", f"the definition {name} is not used", "define", name)


def _flags(plan: LoadedPlan, diagnostics: Diagnostics) -> None:
    flags = Counter(stage.flag for stage in plan.model.stages if stage.flag is not None)
    for number, stage in enumerate(plan.model.stages):
        if stage.flag is not None and flags[stage.flag] > 1:
            diagnostics.error("flag", f"flag {stage.flag} belongs to more than one stage", "stages", number, "flag")


def _stage(stage: Stage, diagnostics: Diagnostics) -> None:
    _names("mappings", [mapping.label for mapping in stage.mappings], diagnostics)
    _names("controls", [control.control for control in stage.all_controls], diagnostics)
    if stage.controls and stage.contract is None:
        diagnostics.error("control", "contract waits for controls, and this stage has none", "controls")
    _names("checks", [check.check for check in stage.checks], diagnostics)
    if stage.flag is None and any(mapping.moves_reads for mapping in stage.mappings):
        diagnostics.warning(
            "flag", f"stage {stage.stage} moves rows and has no flag: nothing moves the reads over", "stage"
        )
    _changes(stage, diagnostics)
    if stage.contract is not None:
        earliest = stage.contract.gates.flag
        if earliest != "none" and earliest not in set(FlagStage):
            known = ", ".join([*FlagStage, "none"])
            diagnostics.error("gate", f"{earliest!r} is no stage of a flag ({known})", "contract", "gates", "flag")
        if earliest != "none" and stage.flag is None:
            diagnostics.error("gate", "the gate waits for the stage's flag, and the stage has none", "contract")
    for index, dataset in enumerate(stage.datasets):
        if dataset.dataset not in _DATASETS:
            diagnostics.error("dataset", f"there is no data set {dataset.dataset!r}", "datasets", index, "dataset")


def _targets(stage: Stage, made: Collection[str], diagnostics: Diagnostics) -> None:
    """What the mappings fill is made until here, unless an earlier plan has made it."""
    for index, mapping in enumerate(stage.mappings):
        target = table_label(mapping.target)
        if mapping.empties_target and target not in made:
            message = f"no stage up to {stage.stage} creates {target}: it must be there already"
            diagnostics.warning("expand", message, "mappings", index)


def _names(kind: str, names: list[str], diagnostics: Diagnostics) -> None:
    """No two of a kind have one name."""
    for index, name in enumerate(names):
        if names.count(name) > 1:
            diagnostics.error("name", f"two {kind} of this stage are called {name}; give one another name", kind, index)


def _changes(stage: Stage, diagnostics: Diagnostics) -> None:
    """`alter` and `rename`."""
    altered = {alter.parts for alter in stage.alter}
    for index, rename in enumerate(stage.rename):
        if rename.old in altered:
            message = f"{rename.table} is changed by `alter` in the same stage: give one of them a stage of its own"
            diagnostics.error("rename", message, "rename", index)
    puts_away = stage.contract is not None and stage.contract.archive == "sources"
    for index, mapping in enumerate(stage.mappings):
        if mapping.name_schema is not None and not puts_away:
            message = "the new table takes the name at `retire`, which needs a `contract` that archives the old one"
            diagnostics.error("name", message, "mappings", index, "takes_name")
    ends = stage.rename or any(alter.drop for alter in stage.alter)
    if ends and stage.contract is None:
        diagnostics.warning(
            "contract", "without `contract` the old names and columns stay for ever: `retire` does not come", "stage"
        )
    late = [name for alter in stage.alter for name, each in alter.constraints.items() if each.when == "contract"]
    if late and stage.contract is None:
        diagnostics.error("contract", f"{', '.join(late)} waits for contract, and the stage has none", "alter")


def _dropped_by_an_old_name(plan: LoadedPlan, diagnostics: Diagnostics) -> None:
    """At retire the old name of a table and its old columns end together, and the columns are found by the table."""
    renamed = {each.old for stage in plan.model.stages for each in stage.rename if each.to is not None}
    for number, stage in enumerate(plan.model.stages):
        for index, alter in enumerate(stage.alter):
            if alter.drop and alter.parts in renamed:
                message = f"{alter.table} gets another name in this plan: drop its columns in a plan that comes later"
                diagnostics.error("drop", message, "stages", number, "alter", index, "drop")


def _columns_of_mappings(plan: LoadedPlan, diagnostics: Diagnostics) -> None:
    """What a column starts with, and that it must be said, is the mapping's affair: it tells what is computed by it."""
    for number, stage in enumerate(plan.model.stages):
        for index, alter in enumerate(stage.alter):
            ours = added.of_mappings(plan.model.stages, alter.sql)
            for name, changed in alter.columns.items():
                wrong = sorted({"default", "nullable"} & changed.model_fields_set)
                if column(name) in ours and wrong:
                    message = (
                        f"column {name} of {alter.table} is a mapping's, which tells by it what is computed already: "
                        f"leave {' and '.join(wrong)} to it; NOT NULL is `required` of the mapping"
                    )
                    diagnostics.error("columns", message, "stages", number, "alter", index, "columns", name)
