"""`deploy …`: manifests for a cluster, made from a plan."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli import output
from orchestrator.cli.options import PlanArgument
from orchestrator.deploy import kubernetes
from orchestrator.deploy.pods import SECRET
from orchestrator.kernel.errors import UsageError

app = typer.Typer(help="Manifests for a cluster.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Manifests for a cluster."""


@app.command("k8s")
def k8s(
    plan: PlanArgument,
    image: Annotated[
        str,
        typer.Option("--image", metavar="IMAGE", help="With its registry, and a tag or a digest.", show_default=False),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FOLDER", help="Write every file there, with a kustomization.yaml.")
    ] = None,
    stage: Annotated[
        str | None, typer.Option("--stage", metavar="STAGE", help="Print the Job of a phase of this stage.")
    ] = None,
    phase: Annotated[str | None, typer.Option("--phase", metavar="PHASE", help="Print the Job of this phase.")] = None,
    namespace: Annotated[str, typer.Option("--namespace", metavar="NAME", help="Where it runs.")] = "changeover",
    secret: Annotated[
        str, typer.Option("--secret", metavar="NAME", help="The Secret with the key CHANGEOVER_DSN.")
    ] = SECRET,
    in_image: Annotated[
        str | None, typer.Option("--in-image", metavar="PATH", help="The image has the plan's folder at this path.")
    ] = None,
) -> None:
    """Write the Kubernetes manifests of a plan: a Job for each phase, and what runs beside them. Needs no database.

    With --out a folder for git, from which phases are let in one by one. With --stage and --phase the one Job, to pipe
    into `kubectl apply -f -`. A plan that is not in the image goes along in a ConfigMap.

    For example:

    changeover deploy k8s cqms --image registry.example.com/changeover:0.1.0 --out cluster

    changeover deploy k8s cqms --image registry.example.com/changeover:0.1.0 --stage audits --phase expand
    """
    target, loaded = kubernetes.target_for(plan, image, namespace=namespace, secret=secret, in_image=in_image)
    if out is not None and (stage or phase):
        raise UsageError(
            "--out writes every phase.", kept="Nothing was written.", todo="Leave --stage and --phase out."
        )
    if out is not None:
        for path in kubernetes.write(out, target, loaded):
            output.say(str(path))
    elif stage and phase:
        output.say(kubernetes.text([kubernetes.phase_job(target, loaded, stage, phase)]).rstrip())
    else:
        raise UsageError(
            "Say what to write.",
            kept="Nothing was written.",
            todo="--out FOLDER for every file, or --stage and --phase for one Job.",
        )
