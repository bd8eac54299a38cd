"""A consignor of the demonstration's liquidator: some lots of each sale are its goods."""

from datetime import date
from typing import Final

from msgspec import structs

from accounts.ids import OrganisationId
from auction.commands import ScheduleSale
from auction.consignment import AgreementTerms, CommissionTier
from auction.desk.agreements import record_lots
from auction.desk.consignors import AgreementWords, ConsignorWords
from auction.desk.lot_drafts import LotDraft
from auction.desk.room import Desk
from foundation.database import Pool, transaction
from softclose.demo.desk import SELLER
from softclose.demo.people import CONSIGNOR_NAME

# Every third lot, so that there is something to see whichever sale is looked at.
EVERY: Final = 3
SINCE: Final = date(2026, 1, 1)
TERMS: Final = AgreementTerms(
    commission=(CommissionTier(0, 1_200), CommissionTier(5_000_00, 1_000)),
    fee_per_pallet_minor=18_00,
)


async def consigning(desk: Desk, organisation_id: OrganisationId) -> LotDraft:
    """The consignor with its agreement, as lots name them; made unless it is there."""
    owner = SELLER.liquidator_id
    found = [
        one for one in await desk.consignors.list(owner) if one.organisation_id == organisation_id
    ]
    if found:
        agreed = (await desk.consignors.agreements(owner, found[0].consignor_id))[0]
    else:
        made = await desk.consignors.add(SELLER, ConsignorWords(name=CONSIGNOR_NAME))
        words = AgreementWords(name="Returns", valid_from=SINCE, terms=TERMS)
        agreed, _ = await desk.consignors.agree(SELLER, made.consignor_id, words)
        await desk.consignors.link(SELLER, made.consignor_id, made.version, organisation_id)
    return LotDraft(
        consignor_id=agreed.consignor_id,
        agreement_id=agreed.agreement_id,
        agreement_version=agreed.version,
        pallets=1,
    )


async def consigned(pool: Pool, command: ScheduleSale, whose: LotDraft) -> ScheduleSale:
    """The sale with some of its lots the consignor's, and on record by which agreement."""
    mine = {listing.lot_id for listing in command.lots[EVERY - 1 :: EVERY]}
    async with transaction(pool) as connection:
        await record_lots(connection, command.sale_id, [(lot_id, whose) for lot_id in sorted(mine)])
    lots = tuple(
        structs.replace(listing, consignor_id=whose.consignor_id)
        if listing.lot_id in mine
        else listing
        for listing in command.lots
    )
    return structs.replace(command, lots=lots)
