"""What the dock's documents say, read: pickup releases, bills of lading, labels of pallets."""

from collections.abc import Sequence
from typing import Final

import asyncpg

from auction.catalog.words import weight_words
from foundation.database import AnyConnection
from foundation.papers.sizes import paper_of
from settlement.ids import AwardId
from settlement.lives import AwardState
from settlement.papers.contents import LabelsContent, LoadedLot, LoadingContent, Signed
from settlement.papers.house import give_numbers, house_at, labelled
from settlement.papers.kinds import PaperRefusal, Refused
from settlement.papers.letterhead import Fact, Party
from settlement.papers.parties import lot_facts, party_of, sale_facts, town_of
from settlement.pickups.pallets import pallet_ids
from settlement.rows import AwardRow, NotFound, award_row, read_award

_PICKUP: Final = """
select p.*, d.company, d.street, d.city, d.region, d.postal_code, d.country, d.zone
from pickup p join dock d using (dock_id) where pickup_id = $1
"""
_AWARDS: Final = """
select a.* from pickup_award p join award a using (award_id)
where p.pickup_id = $1 order by a.award_id
"""
_PALLETS: Final = """
select award_id, pallet_id, number, pickup_id, gone_at_us from award_pallet
where award_id = any($1) order by award_id, number
"""
_PERSON: Final = "select name from person where person_id = $1"
_PICKUPS_OF: Final = """
select pickup_id from pickup join pickup_award using (pickup_id)
where award_id = $1 and state = 'GONE' order by gone_at_us, pickup_id
"""

# Of what was never paid no pallet leaves.
_LABELLED: Final = frozenset(AwardState) - {AwardState.CANCELLED, AwardState.VOID}


async def loading_content(connection: AnyConnection, pickup_id: str) -> LoadingContent:
    """A truck's pickup release, or its bill of lading once it is gone. Raises `Refused`."""
    pickup = await connection.fetchrow(_PICKUP, pickup_id)
    if pickup is None:
        raise Refused(PaperRefusal.NOT_FOUND)
    awards = [award_row(row) for row in await connection.fetch(_AWARDS, pickup_id)]
    if pickup["state"] in ("CANCELLED", "MISSED"):
        raise Refused(PaperRefusal.CANCELLED, detail="The truck did not come for these goods.")
    signed = pickup["gone_at_us"] is not None
    rows = await connection.fetch(_PALLETS, [award.award_id for award in awards])
    lots = [
        await _loaded(connection, award, _on_truck(award, rows, pickup_id, signed=signed))
        for award in awards
    ]
    town = f"{pickup['city']}, {pickup['region']} {pickup['postal_code']}, {pickup['country']}"
    released_by = pickup["gone_by"] or ""
    made_at_us = pickup["gone_at_us"] or pickup["changed_at_us"]
    return LoadingContent(
        paper=paper_of(pickup["country"]),
        house=(await house_at(connection, made_at_us)).house,
        number="",
        shipper=Party(pickup["company"], (pickup["street"], town)),
        consignee=await party_of(connection, pickup["buyer_id"]),
        zone=pickup["zone"],
        door=pickup["door"],
        slot_at_us=pickup["slot_at_us"],
        slot_ends_at_us=pickup["slot_ends_at_us"],
        carrier=pickup["carrier"],
        driver=pickup["driver"],
        trailer=pickup["trailer"],
        seal=pickup["seal"],
        lots=tuple(lot for lot in lots if lot.pallets),
        note=pickup["note"],
        released_by=await connection.fetchval(_PERSON, released_by) or released_by,
        signed=_signed(pickup),
        made_at_us=made_at_us,
    )


async def loadings_of(connection: AnyConnection, award_id: AwardId) -> list[str]:
    """The pickups with which an award left, the first first."""
    return [row["pickup_id"] for row in await connection.fetch(_PICKUPS_OF, award_id)]


async def labels_content(connection: AnyConnection, award_id: AwardId) -> LabelsContent:
    """Labels of an award's pallets; loose cases have one. Raises `Refused` NOT_FOUND, CANCELLED."""
    award = await _award(connection, award_id)
    goods = award.goods
    sale = await sale_facts(connection, award.sale_id)
    lot = await lot_facts(connection, award.sale_id, award.lot_id)
    names = pallet_ids(award_id, goods.pallets)
    share_g = goods.weight_g // len(names) if goods.weight_g else None
    facts = [
        Fact("Weight, share", weight_words(share_g)) if share_g else None,
        Fact("Units in lot", f"{goods.units:,}") if goods.units else None,
        Fact("Freight class", lot.freight_class) if lot else None,
    ]
    labels = await labelled(connection, award_id, names)
    return LabelsContent(
        house=(await house_at(connection, award.awarded_at_us)).house,
        sale=sale.title,
        lot=goods.number,
        title=goods.title,
        seller=sale.seller,
        place=town_of(award.award.ship_from),
        facts=tuple(fact for fact in facts if fact is not None),
        labels=tuple(labels),
        made_at_us=award.awarded_at_us,
    )


async def number_pallets(connection: AnyConnection, award_id: AwardId, now_us: int) -> None:
    """Give an award's pallets their SSCCs, where the house has a prefix now. In a transaction."""
    award = await _award(connection, award_id)
    house = await house_at(connection, now_us)
    if house.gs1_prefix:
        pallets = max(1, award.goods.pallets)
        await give_numbers(connection, award_id, pallets, house.gs1_prefix, now_us)


async def _award(connection: AnyConnection, award_id: AwardId) -> AwardRow:
    try:
        award = (await read_award(connection, award_id)).awards[award_id]
    except NotFound:
        raise Refused(PaperRefusal.NOT_FOUND) from None
    if award.state not in _LABELLED:
        raise Refused(PaperRefusal.CANCELLED)
    return award


def _on_truck(
    award: AwardRow, rows: Sequence[asyncpg.Record], pickup_id: str, *, signed: bool
) -> list[str]:
    """The pallets that were loaded; before the truck is gone, those that are still here."""
    own = [row for row in rows if row["award_id"] == award.award_id]
    if not own:
        return [] if signed else list(pallet_ids(award.award_id, award.goods.pallets))
    if signed:
        return [row["pallet_id"] for row in own if row["pickup_id"] == pickup_id]
    return [row["pallet_id"] for row in own if row["gone_at_us"] is None]


async def _loaded(connection: AnyConnection, award: AwardRow, pallets: Sequence[str]) -> LoadedLot:
    goods = award.goods
    lot = await lot_facts(connection, award.sale_id, award.lot_id)
    of = max(1, goods.pallets)
    return LoadedLot(
        lot=goods.number,
        title=goods.title,
        pallets=tuple(pallets),
        of_pallets=of,
        units=goods.units,
        weight_g=goods.weight_g * len(pallets) // of if goods.weight_g else None,
        freight_class=lot.freight_class if lot else "",
        condition=goods.condition.on_pages,
        manifest_sha256=goods.manifest_sha256,
    )


def _signed(pickup: asyncpg.Record) -> Signed | None:
    if pickup["gone_at_us"] is None:
        return None
    return Signed(pickup["signed_by"], pickup["gone_at_us"], pickup["signature"] or "")
