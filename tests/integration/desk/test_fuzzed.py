"""Random requests to the desk's API: as a seller's program, and as staff."""

import pytest
from msgspec import to_builtins

from accounts.identity import Scope
from auction.desk.seller import Seller
from auction.ids import ActorId, LiquidatorId
from tests.consignors import consigning
from tests.desk import a_sale_draft
from tests.desk_market import Sellers, a_lot, a_published_sale, desk_market
from tests.fuzzing import fuzz
from tests.pictures import a_photo
from tests.thorough import THOROUGH, thorough

# Only the desk's paths: the others are fuzzed with the resellers' side.
OTHERS = r"^(?!/api/v1/desk)"


async def furnished(sellers: Sellers) -> dict[str, str]:
    """Something of each kind, by the names that paths have for it."""
    by = sellers.seller
    sale_id = await a_published_sale(sellers)
    lot, draft = await a_lot(by), to_builtins(a_sale_draft(0))
    consignor_id, agreement_id = await consigning(by)
    body = {"name": "Weekly", "draft": draft}
    template = await by.does("POST", "/desk/templates", body, status=201)
    group = await by.does("POST", "/desk/groups", {"name": "Regulars"}, status=201)
    seller = Seller(LiquidatorId(lot["liquidator_id"]), ActorId("program"))
    photos = await sellers.desk.photos.add(seller, lot["draft_id"], "front", [a_photo()])
    return {
        "number": "1",
        "sha256": photos.items[0].files[0].sha256.hex(),
        "group_id": group["group_id"],
        "sale_id": sale_id,
        "lot_id": "1",
        "draft_id": lot["draft_id"],
        "template_id": template["template_id"],
        "preview_id": "preview-x",
        "consignor_id": consignor_id,
        "agreement_id": agreement_id,
        "version": "1",
    }


@thorough
@pytest.mark.parametrize("who", ["seller", "staff"])
async def test_whatever_comes_is_answered_as_described(database_url: str, who: str) -> None:
    async with desk_market(database_url) as sellers:
        places = await furnished(sellers)
        headers = {**sellers.staff.headers, "Origin": sellers.market.origin}
        if who == "seller":
            program = await sellers.market.token(sellers.seller, Scope.SELL)
            headers = {**program.headers, "Origin": sellers.market.origin}
        phases = "coverage,fuzzing" if THOROUGH and who == "seller" else "fuzzing"
        made = await fuzz(
            sellers.market.origin,
            headers=headers,
            examples=2,
            places=places,
            without=OTHERS,
            phases=phases,
        )
    assert made > 50
