"""The pods of a migration: what every one of them has, and how a Job of ours ends.

A pod runs without root, without a token of the cluster, on a root file system that cannot be written. Exit codes 2 to 5
mean that another attempt would end the same way, so they fail a Job at once; 1 and 7 count against its limit; an
eviction does not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

Document = dict[str, Any]

NAME: Final = "changeover"
SECRET: Final = "changeover-dsn"  # noqa: S105 - the name of a secret, not one
METRICS_PORT: Final = 9187
WEB_PORT: Final = 8017
LISTENS: Final = "changeover/metrics"
"""The label of pods that answer at METRICS_PORT; what scrapes them selects it."""
_DAY: Final = 86_400


@dataclass(frozen=True)
class Target:
    """Where it runs: the image, the namespace, and the secret with the key CHANGEOVER_DSN."""

    image: str
    namespace: str = NAME
    secret: str = SECRET
    plan_files: tuple[str, ...] = ()
    """Files of a plan that the image does not have; they come from ConfigMap `plan_map`."""
    plan: str = ""
    """How a command names the plan: a shipped one, or the path of a folder in the pod."""

    @property
    def plan_map(self) -> str:
        """The name of the ConfigMap."""
        return dns(f"plan-{self.plan.rpartition('/')[2]}")


@dataclass(frozen=True)
class Command:
    """One command in a pod."""

    name: str
    args: tuple[str, ...]
    component: str = "job"
    needs_plan: bool = False
    metrics: bool = False
    deadline_s: int = 3600
    labels: dict[str, str] = field(default_factory=dict)


def dns(name: str) -> str:
    """A name as Kubernetes takes it."""
    return name.replace("_", "-").lower()[:63].strip("-")


def key(file: str) -> str:
    """The key of a file in a ConfigMap, which knows no folders."""
    return file.replace("/", ".")


def meta(target: Target, name: str, labels: dict[str, str] | None = None) -> Document:
    """Metadata with our label."""
    return {
        "name": dns(name),
        "namespace": target.namespace,
        "labels": {"app.kubernetes.io/name": NAME, **(labels or {})},
    }


def labels_of(command: Command) -> dict[str, str]:
    """The labels of its pods."""
    return {
        "app.kubernetes.io/name": NAME,
        "app.kubernetes.io/component": command.component,
        **({LISTENS: "true"} if command.metrics else {}),
        **command.labels,
    }


def template(target: Target, command: Command, **more: Any) -> Document:
    """The pod template of a command."""
    container: Document = {
        "name": NAME,
        "image": target.image,
        "args": list(command.args),
        "envFrom": [{"secretRef": {"name": target.secret}}],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 - of the container, and its own
    }
    volumes: list[Document] = [{"name": "tmp", "emptyDir": {}}]
    if command.metrics:
        container["ports"] = [{"name": "metrics", "containerPort": METRICS_PORT}]
        container["livenessProbe"] = _probe("/healthz", "metrics")
    if command.needs_plan and target.plan_files:
        container["volumeMounts"].append({"name": "plan", "mountPath": target.plan, "readOnly": True})
        items = [{"key": key(file), "path": file} for file in target.plan_files]
        volumes.append({"name": "plan", "configMap": {"name": target.plan_map, "items": items}})
    container.update(more)
    return {
        "metadata": {"labels": labels_of(command)},
        "spec": {
            # Longer than the process's own grace period of 25 s.
            "terminationGracePeriodSeconds": 40,
            "serviceAccountName": NAME,
            "automountServiceAccountToken": False,
            "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [container],
            "volumes": volumes,
        },
    }


def _probe(path: str, port: str) -> Document:
    return {"httpGet": {"path": path, "port": port}, "periodSeconds": 15, "failureThreshold": 4}


def job_spec(target: Target, command: Command) -> Document:
    """The spec of a Job; it is kept for a week after its end, for whoever asks how it went."""
    pod = template(target, command)
    pod["spec"]["restartPolicy"] = "Never"
    return {
        "backoffLimit": 10,
        "activeDeadlineSeconds": command.deadline_s,
        "ttlSecondsAfterFinished": 7 * _DAY,
        "podFailurePolicy": {
            "rules": [
                {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
                _on_exit("FailJob", 2, 3, 4, 5),
                _on_exit("Ignore", 130),
            ]
        },
        "template": pod,
    }


def _on_exit(action: str, *codes: int) -> Document:
    return {"action": action, "onExitCodes": {"containerName": NAME, "operator": "In", "values": list(codes)}}


def job(target: Target, command: Command) -> Document:
    """A Job."""
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": meta(target, command.name, command.labels),
        "spec": job_spec(target, command),
    }


def cron(target: Target, command: Command, schedule: str) -> Document:
    """A CronJob; a start that is an hour late is left out."""
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": meta(target, command.name),
        "spec": {
            "schedule": schedule,
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": 3600,
            "successfulJobsHistoryLimit": 3,
            "failedJobsHistoryLimit": 3,
            "jobTemplate": {"spec": job_spec(target, command)},
        },
    }


def deployment(target: Target, command: Command, **more: Any) -> Document:
    """A process that is always there. One at a time: a second one would do the same work again."""
    if command.metrics:
        more.setdefault("readinessProbe", {"httpGet": {"path": "/readyz", "port": "metrics"}})
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": meta(target, command.name, {"app.kubernetes.io/component": command.component}),
        "spec": {
            "replicas": 1,
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": {k: v for k, v in labels_of(command).items() if k != LISTENS}},
            "template": template(target, command, **more),
        },
    }
