"""Writes the pages that are made from the program: `make reference`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.architecture.source import ROOT
from tests.docs import cli_page, manifests, plan_page

if TYPE_CHECKING:
    from collections.abc import Callable

PAGES: Final[dict[str, Callable[[], str]]] = {
    "docs/reference/commands.md": cli_page.page,
    "docs/reference/plan.md": plan_page.page,
    "deploy/k8s/monitoring/rules.yaml": manifests.rules,
    **manifests.example(),
}


def main() -> None:
    """Write each page anew."""
    for name, page in PAGES.items():
        (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / name).write_text(page())


if __name__ == "__main__":
    main()
