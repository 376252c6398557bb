"""What writers of the old name may rely on after contract, and a plan that would lose what they wrote."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.contract.conftest import Shop


def test_serializable_increments_one_after_the_other_all_count(shop: Shop) -> None:
    shop.until()
    with shop.database.connect("app", autocommit=False) as app:
        for _ in range(4):
            app.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
            app.execute("UPDATE public.parcels SET weight = weight + 2 WHERE code = 'b' AND owner = 'ann'")
            app.commit()
    old, new = (
        "SELECT weight FROM public.parcels WHERE code = 'b'",
        "SELECT kilos FROM public.shipments WHERE label = 'b'",
    )
    assert shop.database.value(old) == Decimal("10.25")
    shop.cli.ok("drain")
    assert shop.database.value(new) == Decimal("10.25")
    shop.cli.ok("verify", "--plan", shop.plan)


@pytest.mark.parametrize("originals", ["legacy", "legacy.kept"])
def test_originals_and_packed_columns_in_one_document_are_refused(shop: Shop, originals: str) -> None:
    plan = Path(shop.plan, "plan.yaml")
    text = plan.read_text().replace("originals: legacy", f"originals: {originals}\n        pack: {{rest: legacy}}")
    plan.write_text(
        text.replace(", owner: text}", "}")
        .replace(", owner: t.customer", "")
        .replace("customer: s.owner", "customer: s.code")
    )
    before = shop.database.schema_dump()
    for command in (("plan", "check", shop.plan), ("start", shop.plan, "--kind", "rehearsal")):
        refused = shop.cli(*command)
        assert refused.code == 5
        assert "legacy is filled by `pack` and by `originals`" in refused.out + refused.err
    assert shop.database.schema_dump() == before
