"""What a cluster needs for one plan, as files to apply or to keep in git.

A phase is a Job that is applied when its turn comes, and never one that waits suspended for a patch: what is in git is
then what is in the cluster. Its name holds the plan's checksum, so another version of the plan is another Job.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import yaml

from orchestrator.deploy.pods import (
    METRICS_PORT,
    NAME,
    SECRET,
    WEB_PORT,
    Command,
    Document,
    Target,
    cron,
    deployment,
    dns,
    job,
    key,
    meta,
)
from orchestrator.kernel.errors import UsageError
from orchestrator.kernel.words import meant
from orchestrator.plan.loader import LoadedPlan, load, shipped
from phases.registry import PHASES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable
    from pathlib import Path

_IMAGE: Final = re.compile(
    r"[a-z0-9-]+((\.[a-z0-9-]+)+(:\d+)?|:\d+)(/[a-z0-9._-]+)+(:(?!latest$)[\w.-]+)?(@sha256:[0-9a-f]{64})?"
)
_MOST_BYTES: Final = 1_000_000
_HOUR: Final = 3600
_DEADLINES: Final = {"backfill": 14 * 24 * _HOUR, "verify": 4 * 24 * _HOUR}
_DIGITS: Final = 8


def target_for(
    plan: str, image: str, *, namespace: str = NAME, secret: str = SECRET, in_image: str | None = None
) -> tuple[Target, LoadedPlan]:
    """Where it runs, and the plan.

    A shipped plan is in the image; another one is where `in_image` says, or goes along in a ConfigMap.
    """
    if not _IMAGE.fullmatch(image) or not re.search(r"[:@][^/]*$", image):
        raise UsageError(
            f"{image} is no pinned image with its registry.",
            kept="Nothing was written.",
            todo="Name registry, path and a tag or, better, the digest: registry.example.com/changeover@sha256:…. "
            "Without a registry a cluster asks a public one, where the name may be a stranger's; `latest` changes.",
        )
    loaded = load(plan)
    if plan in shipped() or in_image is not None:
        return Target(image, namespace, secret, plan=in_image or loaded.name), loaded
    return Target(image, namespace, secret, tuple(sorted(_files(loaded.folder))), f"/plans/{loaded.name}"), loaded


def _files(folder: Traversable, under: str = "") -> Iterator[str]:
    for each in folder.iterdir():
        if each.is_dir():
            yield from _files(each, f"{under}{each.name}/")
        elif each.name.endswith((".sql", ".yaml", ".yml")):
            yield f"{under}{each.name}"


def files(target: Target, loaded: LoadedPlan) -> dict[str, list[Document]]:
    """Every file with its documents, in the order in which they are wanted."""
    made = {
        "namespace.yaml": [_namespace(target)],
        "access.yaml": _access(target),
        "network.yaml": [_network(target)],
        "exporter.yaml": [
            deployment(target, Command("changeover-exporter", ("metrics", "--serve"), "exporter", metrics=True))
        ],
        "drain.yaml": [deployment(target, Command("changeover-drain", ("drain", "--every", "5"), "drain"))],
        "init.yaml": [job(target, Command(f"changeover-init-{loaded.checksum[:_DIGITS]}", ("init",)))],
    }
    if target.plan_files:
        made["plan.yaml"] = [_plan(target, loaded)]
    for stage in loaded.model.stages:
        for phase in PHASES:
            made[f"phases/{dns(stage.stage)}-{phase}.yaml"] = [phase_job(target, loaded, stage.stage, phase)]
    made["web/web.yaml"] = _web(target)
    made |= {
        f"clock/{name}.yaml": [cron(target, command, when)] for name, (command, when) in _clock(target, loaded).items()
    }
    return made


def phase_job(target: Target, loaded: LoadedPlan, stage: str, phase: str) -> Document:
    """The Job of one phase of one stage."""
    loaded.stage(stage)
    if phase not in PHASES:
        raise UsageError(
            f"There is no phase {phase}{meant(phase, PHASES, '.')}",
            kept="Nothing was written.",
            todo=f"They are: {', '.join(PHASES)}.",
        )
    digest = loaded.checksum[:_DIGITS]
    name = dns(f"{loaded.name}-{stage}-{phase}")[: 63 - _DIGITS - 1]
    args = ("run", phase, "--plan", target.plan, "--stage", stage, "--wait", "600")
    labels = {"changeover/plan": loaded.name, "changeover/stage": stage, "changeover/phase": phase}
    deadline = _DEADLINES.get(phase, 6 * _HOUR)
    return job(
        target, Command(f"{name}-{digest}", args, needs_plan=True, metrics=True, deadline_s=deadline, labels=labels)
    )


def _clock(target: Target, loaded: LoadedPlan) -> dict[str, tuple[Command, str]]:
    """What a clock does: each is applied when somebody wants it."""
    plan = target.plan
    found = {
        "verify": (("verify", "--plan", plan), "17 3 * * 0"),
        "prune": (("prune", "--older-than", "90"), "27 4 * * 6"),
        "retire": (("retire", plan, "--if-due", "--yes"), "47 4 * * 0"),
    }
    wanted = [each for stage in loaded.model.stages for each in stage.refresh]
    if wanted:
        exact = any(each.cron is not None or each.minutes_after_writes is not None for each in wanted)
        found["refresh"] = (("refresh", plan, "--if-due"), f"*/{5 if exact else 15} * * * *")
    return {
        name: (Command(f"changeover-{name}-{loaded.name}", args, needs_plan=plan in args, deadline_s=6 * _HOUR), when)
        for name, (args, when) in found.items()
    }


def _web(target: Target) -> list[Document]:
    """The page and the flags. Secret `changeover-people` has the keys `people` (lines `NAME TOKEN`) and `tokens`."""
    name, folder = "changeover-web", "/run/changeover"
    names = (name, f"{name}.{target.namespace}.svc", f"{name}.{target.namespace}.svc.cluster.local")
    args = (
        *("serve", "--host", "0.0.0.0", "--port", str(WEB_PORT), "--no-metrics"),  # noqa: S104 - of the pod
        *("--people-file", f"{folder}/people", "--flag-token-file", f"{folder}/tokens"),
        *(word for each in names for word in ("--allowed-host", each)),
    )
    made = deployment(
        target,
        Command(name, args, "web"),
        ports=[{"name": "web", "containerPort": WEB_PORT}],
        livenessProbe={"httpGet": {"path": "/healthz", "port": "web"}, "periodSeconds": 15, "failureThreshold": 4},
        readinessProbe={"httpGet": {"path": "/readyz", "port": "web"}},
    )
    pod = made["spec"]["template"]["spec"]
    pod["containers"][0]["volumeMounts"].append({"name": "people", "mountPath": folder, "readOnly": True})
    pod["volumes"].append({"name": "people", "secret": {"secretName": "changeover-people"}})
    spec = {"selector": made["spec"]["selector"]["matchLabels"], "ports": [{"name": "web", "port": WEB_PORT}]}
    return [made, {"apiVersion": "v1", "kind": "Service", "metadata": meta(target, name), "spec": spec}]


def _namespace(target: Target) -> Document:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": target.namespace, "labels": labels}}


def _access(target: Target) -> list[Document]:
    """An account for the pods, which need nothing of the cluster, and a role for the people who apply these files."""
    batch, rbac = ["get", "list", "watch", "create", "patch", "delete"], "rbac.authorization.k8s.io"
    return [
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": meta(target, NAME),
            "automountServiceAccountToken": False,
        },
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "Role",
            "metadata": meta(target, "changeover-operator"),
            "rules": [
                {"apiGroups": ["batch"], "resources": ["jobs", "cronjobs"], "verbs": batch},
                {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": batch},
                {"apiGroups": [""], "resources": ["configmaps"], "verbs": batch},
                {"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get", "list", "watch"]},
                {"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create"]},
            ],
        },
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "RoleBinding",
            "metadata": meta(target, "changeover-operators"),
            "roleRef": {"apiGroup": rbac, "kind": "Role", "name": "changeover-operator"},
            "subjects": [{"apiGroup": rbac, "kind": "Group", "name": "changeover-operators"}],
        },
    ]


def _network(target: Target) -> Document:
    """In: scrapes and the page, from labelled namespaces. Out: names, and PostgreSQL directly or through a pooler."""
    ports = [
        {"protocol": kind, "port": port} for kind, port in (("UDP", 53), ("TCP", 53), ("TCP", 5432), ("TCP", 6432))
    ]
    scraping = {"namespaceSelector": {"matchLabels": {"changeover/scrapes": "true"}}}
    asking = {"namespaceSelector": {"matchLabels": {"changeover/asks": "true"}}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": meta(target, NAME),
        "spec": {
            "podSelector": {"matchLabels": {"app.kubernetes.io/name": NAME}},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [
                {"from": [scraping], "ports": [{"protocol": "TCP", "port": METRICS_PORT}]},
                {"from": [asking], "ports": [{"protocol": "TCP", "port": WEB_PORT}]},
            ],
            "egress": [{"ports": ports}],
        },
    }


def _plan(target: Target, loaded: LoadedPlan) -> Document:
    data = {key(file): loaded.read(file) for file in target.plan_files}
    if sum(len(text.encode()) for text in data.values()) > _MOST_BYTES or len(data) < len(target.plan_files):
        raise UsageError(
            f"The files of plan {loaded.name} do not fit into a ConfigMap.",
            kept="Nothing was written.",
            todo="Make an image that has it (FROM ours, COPY the folder to /plans), and name its path with --in-image.",
        )
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta(target, target.plan_map), "data": data}


def kustomization(target: Target, made: dict[str, list[Document]]) -> str:
    """The list of files: what is set up at once, and what is let in, line by line, when its turn comes."""
    now = [name for name in made if "/" not in name]
    later = [name for name in made if "/" in name]
    lines = [
        "# `kubectl apply -k .` applies what is listed. Let a phase in when its turn comes: take away the # before its",
        "# line and apply again. A phase out of order ends with exit code 5 and changes nothing; contract has gates.",
        "# Put the # back before a rollback: a Job that is applied again carries its phase out again.",
        "apiVersion: kustomize.config.k8s.io/v1beta1",
        "kind: Kustomization",
        f"namespace: {target.namespace}",
        "resources:",
        *(f"  - {name}" for name in now),
        *(f"  # - {name}" for name in later),
    ]
    return "\n".join(lines) + "\n"


def text(documents: list[Document]) -> str:
    """YAML."""
    return yaml.safe_dump_all(documents, sort_keys=False, width=120, allow_unicode=True)


def write(folder: Path, target: Target, loaded: LoadedPlan) -> list[Path]:
    """Write the files; those that are there are replaced, the list of what is let in is not."""
    made, written = files(target, loaded), []
    for name, documents in made.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text(documents))
        written.append(path)
    listed = folder / "kustomization.yaml"
    if not listed.exists():
        listed.write_text(kustomization(target, made))
        written.append(listed)
    return written
