"""From a draft to a sale: the catalogue, the engine, and everybody's eyes, in an order that a crash
at any await leaves whole.

1. One transaction writes the lots with manifests and photos into the catalogue's tables, not yet
   published, and the draft is PUBLISHING, with the secret, the times and the actor. From here on it
   is this sale or none.
2. The engine is asked: `ScheduleSale` with the first lots, then `AddLots`, chunk by chunk, then
   `AdmitBidders` of a sale that not everybody may enter. What a
   crash repeats, the engine answers with SALE_EXISTS or LOT_EXISTS, and that is as good as
   accepted, since nobody else knows the id of the sale.
3. One transaction publishes lots and sale, and the draft is PUBLISHED.

The sale opens later than that (`checks`: not in the past), so no lot is open before it can be read.
If the first command is refused (its times have passed during a long crash), nothing of the sale
exists: the catalogue's rows are taken back, and the draft is a draft again. Of a sale that is begun
lots that are refused go back to the stock.

``resume`` goes on with whatever a crash or an engine that was away has left, at the start and then
now and then. Two processes that publish the same draft do the same things twice, which is harmless.
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Final, assert_never

import msgspec
import structlog
from msgspec import Struct

from auction.catalog.listings import (
    LotDetails,
    SaleDetails,
    publish_lots,
    publish_sale,
    save_lot,
    save_sale,
)
from auction.catalog.manifests import save_manifest
from auction.commands import (
    MAX_BIDDERS_PER_COMMAND,
    MAX_LOTS_PER_COMMAND,
    AddLots,
    AdmitBidders,
    Command,
    ScheduleSale,
)
from auction.desk.agreements import book_of, organisations_of, record_lots
from auction.desk.buyer_groups import members_of
from auction.desk.checks import Finding, Level, findings
from auction.desk.lot_drafts import DraftedLot, lots_of_sale, lots_seen
from auction.desk.lot_lines import read_lines
from auction.desk.photo_drafts import photo_counts, publish_photos
from auction.desk.refusals import Refusal, Refused
from auction.desk.sale_drafts import DraftedSale, DraftState, must_be_draft, read_sale
from auction.desk.schedule import Times, times_of
from auction.ids import ActorId, BidderId, LiquidatorId, LotId, SaleId
from auction.ports import Engine, OutcomeUnknown
from auction.rejections import Rejection
from auction.terms import LotListing, SaleAudience
from foundation.database import AnyConnection, Pool, acquire, transaction

# While the engine does not answer, it is asked again after these times; then `resume` goes on.
RETRY_AFTER_S: Final = (0.2, 0.5, 1.0)
RESUME_EVERY_S: Final = 10.0

_logger = structlog.get_logger(__name__)


class Begun(Struct, frozen=True, kw_only=True):
    """What is fixed when publishing begins. The secret is 32 bytes, in hexadecimal.

    ``barred``: the organisations whose goods are in the sale.
    """

    secret: str
    actor_id: ActorId
    admitted: tuple[BidderId, ...] = ()
    barred: tuple[BidderId, ...] = ()
    numbers: tuple[LotId, ...]
    times: tuple[Times, ...]


class NotYet(Exception):
    """The engine does not answer now; publishing goes on by itself."""


_BEGIN: Final = """
update sale_draft set state = 'PUBLISHING', publishing = $2::jsonb, version = version + 1,
    changed_at_us = $3, changed_by = $4
where sale_id = $1
"""

_PUBLISHED: Final = "update sale_draft set state = 'PUBLISHED' where sale_id = $1"

_A_DRAFT_AGAIN: Final = """
update sale_draft set state = 'DRAFT', publishing = null, version = version + 1 where sale_id = $1
"""

_TAKE_BACK: Final = (
    "delete from consigned_lot where sale_id = $1",
    "delete from lot_photo_file where sale_id = $1",
    "delete from lot_photo where sale_id = $1",
    "delete from manifest_line where sale_id = $1",
    "delete from lot_listing where sale_id = $1",
    "delete from sale_listing where sale_id = $1",
)

_BACK_TO_STOCK: Final = """
update lot_draft set sale_id = null, place = null, number = null, version = version + 1
where sale_id = $1 and number = any($2)
"""

_NOT_LISTED: Final = (
    "delete from consigned_lot where sale_id = $1 and lot_id = any($2)",
    "delete from lot_photo_file where sale_id = $1 and lot_id = any($2)",
    "delete from lot_photo where sale_id = $1 and lot_id = any($2)",
    "delete from manifest_line where sale_id = $1 and lot_id = any($2)",
    "delete from lot_listing where sale_id = $1 and lot_id = any($2)",
)

_UNFINISHED: Final = "select sale_id, liquidator_id from sale_draft where state = 'PUBLISHING'"


class Publishing:
    """Publishes drafts; ``now_us`` is the clock that lots end by."""

    def __init__(self, pool: Pool, engine: Engine, now_us: Callable[[], int]) -> None:
        self._pool, self._engine, self._now_us = pool, engine, now_us

    async def check(self, liquidator_id: LiquidatorId, sale_id: SaleId) -> list[Finding]:
        """What stands in the way, and what an experienced seller would ask about."""
        async with acquire(self._pool) as connection:
            sale = await read_sale(connection, liquidator_id, sale_id)
            lots = await lots_of_sale(connection, sale_id)
            photos = await photo_counts(connection, sale_id)
            drafts = [lot.draft for lot in lots]
            agreed = await book_of(connection, liquidator_id, drafts, self._now_us())
            admitted = await _admitted(connection, sale)
        return findings(sale.draft, lots, photos, agreed, len(admitted), self._now_us())

    async def publish(
        self,
        liquidator_id: LiquidatorId,
        sale_id: SaleId,
        version: int,
        actor_id: ActorId,
        seen: str | None = None,
    ) -> DraftState:
        """Publish a draft as it was seen; PUBLISHING if the engine is away, and goes on by itself.

        ``seen``: its lots as they were looked at (`lots_seen`); without it, as they are. Raises
        `Refused` NOT_FOUND, CHANGED_MEANWHILE, PUBLISHED_ALREADY, NOT_READY.
        """
        async with transaction(self._pool) as connection:
            sale = await read_sale(connection, liquidator_id, sale_id, lock=True)
            must_be_draft(sale)
            if sale.version != version:
                raise Refused(Refusal.CHANGED_MEANWHILE)
            await self._begin(connection, sale, actor_id, seen)
        for pause_s in (*RETRY_AFTER_S, None):
            try:
                await self._go_on(liquidator_id, sale_id)
            except NotYet:
                if pause_s is None:
                    break
                await asyncio.sleep(pause_s)
            else:
                return DraftState.PUBLISHED
        return DraftState.PUBLISHING

    async def resume(self) -> None:
        """Until cancelled: go on with what was begun."""
        while True:
            try:
                async with acquire(self._pool) as connection:
                    rows = await connection.fetch(_UNFINISHED)
                for row in rows:
                    await self._resumed(LiquidatorId(row["liquidator_id"]), SaleId(row["sale_id"]))
            except Exception:  # the database is away: next time; the log tells
                _logger.warning("publishing_not_looked_for", exc_info=True)
            await asyncio.sleep(RESUME_EVERY_S)

    async def _resumed(self, liquidator_id: LiquidatorId, sale_id: SaleId) -> None:
        try:
            await self._go_on(liquidator_id, sale_id)
        except NotYet:
            _logger.info("publishing_waits_for_the_engine", sale_id=sale_id)
        except Refused as refused:
            _logger.warning("sale_not_published", sale_id=sale_id, reason=refused.message)
        except Exception:  # the other sales are not to wait for this one; the log tells
            _logger.exception("publishing_failed", sale_id=sale_id)

    # --- The steps ---------------------------------------------------------------------------

    async def _begin(
        self, connection: AnyConnection, sale: DraftedSale, actor_id: ActorId, seen: str | None
    ) -> None:
        now_us = self._now_us()
        # Whoever is just changing one of them is waited for, and who comes later finds it begun.
        lots = await lots_of_sale(connection, sale.sale_id, lock=True)
        if seen is not None and seen != lots_seen(lots):
            raise Refused(Refusal.CHANGED_MEANWHILE)
        drafts = [lot.draft for lot in lots]
        agreed = await book_of(connection, sale.liquidator_id, drafts, now_us)
        admitted = await _admitted(connection, sale)
        faults = [
            finding.message
            for finding in findings(sale.draft, lots, {}, agreed, len(admitted), now_us)
            if finding.level is Level.ERROR
        ]
        if faults:
            raise Refused(Refusal.NOT_READY, detail=" ".join(faults[:5]))
        schedule = sale.draft.schedule
        assert schedule is not None, "checked"
        times = times_of(schedule, len(lots))
        await save_sale(connection, _sale_details(sale, times[0].opens_at_us))
        for place, lot in enumerate(lots, start=1):
            await save_lot(connection, _lot_details(sale.sale_id, place, lot))
            lines = await read_lines(connection, lot.draft_id)
            assert lot.number is not None, "it is in a sale"
            await save_manifest(connection, sale.sale_id, lot.number, lines)
        await publish_photos(connection, sale.sale_id)
        bound = [(_number(lot), lot.draft) for lot in lots]
        await record_lots(connection, sale.sale_id, bound)
        consignors = {lot.draft.consignor_id for lot in lots if lot.draft.consignor_id is not None}
        begun = Begun(
            barred=tuple(await organisations_of(connection, consignors)),
            secret=secrets.token_hex(32),
            actor_id=actor_id,
            admitted=admitted,
            numbers=tuple(_number(lot) for lot in lots),
            times=tuple(times),
        )
        text = msgspec.json.encode(begun).decode()
        await connection.execute(_BEGIN, sale.sale_id, text, now_us, actor_id)

    async def _go_on(self, liquidator_id: LiquidatorId, sale_id: SaleId) -> None:
        """From the second step on. Raises `NotYet`; `Refused` NOT_READY: nothing came of it."""
        async with acquire(self._pool) as connection:
            sale = await read_sale(connection, liquidator_id, sale_id)
            if sale.state is not DraftState.PUBLISHING:
                return
            begun = await _begun(connection, sale_id)
            lots = {_number(lot): lot for lot in await lots_of_sale(connection, sale_id)}
            digests = await _digests(connection, sale_id)
        listings = [
            _listing(lots[number], times, digests[number])
            for number, times in zip(begun.numbers, begun.times, strict=True)
        ]
        refused = await self._schedule(sale, begun, listings)
        async with transaction(self._pool) as connection:
            if not await _is_still(connection, sale, begun):
                return
            for statement in (_BACK_TO_STOCK, *_NOT_LISTED) if refused else ():
                await connection.execute(statement, sale_id, refused)
            taken = [number for number in begun.numbers if number not in refused]
            now_us = self._now_us()
            await publish_lots(connection, sale_id, taken, now_us)
            await publish_sale(connection, sale_id, now_us)
            await connection.execute(_PUBLISHED, sale_id)

    async def _schedule(
        self, sale: DraftedSale, begun: Begun, listings: Sequence[LotListing]
    ) -> list[LotId]:
        """Have the engine take the lots; those that it refused, though the sale stands."""
        refused: list[LotId] = []
        for first in range(0, len(listings), MAX_LOTS_PER_COMMAND):
            chunk = tuple(listings[first : first + MAX_LOTS_PER_COMMAND])
            command: Command = AddLots(sale_id=sale.sale_id, lots=chunk, actor_id=begun.actor_id)
            if first == 0:
                command = ScheduleSale(
                    sale_id=sale.sale_id,
                    liquidator_id=sale.liquidator_id,
                    seller_ids=_sellers(listings, begun.barred),
                    audience=sale.draft.audience,
                    terms=sale.draft.terms,
                    lots=chunk,
                    secret=bytes.fromhex(begun.secret),
                    actor_id=begun.actor_id,
                )
            reason = await self._asked(command)
            if reason is not None and first == 0:
                await self._take_back(sale, begun, reason)
            if reason is not None:
                _logger.warning("lots_not_scheduled", sale_id=sale.sale_id, reason=reason)
                refused += [listing.lot_id for listing in chunk]
        for first in range(0, len(begun.admitted), MAX_BIDDERS_PER_COMMAND):
            bidder_ids = begun.admitted[first : first + MAX_BIDDERS_PER_COMMAND]
            reason = await self._asked(
                AdmitBidders(sale_id=sale.sale_id, bidder_ids=bidder_ids, actor_id=begun.actor_id)
            )
            if reason is not None:
                _logger.warning("bidders_not_admitted", sale_id=sale.sale_id, reason=reason)
        return refused

    async def _asked(self, command: Command) -> str | None:
        """Why the engine refuses; ``None``: it has it, now or from before. Raises `NotYet`."""
        try:
            verdict = await self._engine.submit(command)
        except OutcomeUnknown as error:
            raise NotYet from error
        if verdict.code in (Rejection.BUSY, Rejection.UNAVAILABLE):
            raise NotYet
        if verdict.accepted or verdict.code in (Rejection.SALE_EXISTS, Rejection.LOT_EXISTS):
            return None
        return verdict.message

    async def _take_back(self, sale: DraftedSale, begun: Begun, reason: str) -> None:
        async with transaction(self._pool) as connection:
            if await _is_still(connection, sale, begun):
                for statement in (*_TAKE_BACK, _A_DRAFT_AGAIN):
                    await connection.execute(statement, sale.sale_id)
        raise Refused(Refusal.NOT_READY, detail=reason)


async def _is_still(connection: AnyConnection, sale: DraftedSale, begun: Begun) -> bool:
    """Whether this very publishing goes on; the sale is locked. Else another process was faster,
    and it may have been taken back and begun anew meanwhile."""
    locked = await read_sale(connection, sale.liquidator_id, sale.sale_id, lock=True)
    if locked.state is not DraftState.PUBLISHING:
        return False
    return (await _begun(connection, sale.sale_id)).secret == begun.secret


async def _begun(connection: AnyConnection, sale_id: SaleId) -> Begun:
    text = await connection.fetchval(
        "select publishing::text from sale_draft where sale_id = $1", sale_id
    )
    return msgspec.json.decode(text, type=Begun)


async def _digests(connection: AnyConnection, sale_id: SaleId) -> Mapping[LotId, bytes]:
    rows = await connection.fetch(
        "select lot_id, manifest_sha256 from lot_listing where sale_id = $1", sale_id
    )
    return {row["lot_id"]: row["manifest_sha256"] for row in rows}


async def _admitted(connection: AnyConnection, sale: DraftedSale) -> tuple[BidderId, ...]:
    """Who may enter the sale, as the seller's groups are now."""
    match sale.draft.audience:
        case SaleAudience.PUBLIC:
            return ()
        case SaleAudience.INVITE:
            return tuple(sorted(set(sale.draft.invited)))
        case SaleAudience.GROUP:
            return tuple(await members_of(connection, sale.liquidator_id, sale.draft.groups))
        case _:
            assert_never(sale.draft.audience)


def _number(lot: DraftedLot) -> LotId:
    assert lot.number is not None, "it is in a sale"
    return lot.number


def _sellers(listings: Sequence[LotListing], barred: Sequence[BidderId]) -> tuple[BidderId, ...]:
    """Whose goods they are does not bid on them; the liquidator is barred by the engine itself."""
    consignors = {one.consignor_id for one in listings if one.consignor_id is not None}
    return tuple(sorted(consignors.union(barred)))


def _listing(lot: DraftedLot, times: Times, digest: bytes) -> LotListing:
    draft = lot.draft
    assert draft.kind is not None and draft.opening_minor is not None, "checked"
    return LotListing(
        lot_id=_number(lot),
        kind=draft.kind,
        title=draft.title,
        opening_minor=draft.opening_minor,
        reserve_minor=draft.reserve_minor,
        opens_at_us=times.opens_at_us,
        closes_at_us=times.closes_at_us,
        latest_end_us=times.latest_end_us,
        group=draft.group,
        restrictions=draft.restrictions,
        consignor_id=draft.consignor_id,
        manifest_sha256=digest,
    )


def _sale_details(sale: DraftedSale, opens_at_us: int) -> SaleDetails:
    draft = sale.draft
    assert draft.schedule is not None and draft.region is not None, "checked"
    return SaleDetails(
        sale_id=sale.sale_id,
        liquidator_id=sale.liquidator_id,
        liquidator_name=draft.liquidator_name,
        title=draft.title,
        summary=draft.summary,
        time_zone=draft.schedule.time_zone,
        city=draft.city,
        region=draft.region,
        country=draft.country,
        terms_in_words=draft.terms_in_words,
        payment_terms=draft.payment_terms,
        pickup_terms=draft.pickup_terms,
        opens_at_us=opens_at_us,
    )


def _lot_details(sale_id: SaleId, place: int, lot: DraftedLot) -> LotDetails:
    said = {name: getattr(lot.draft, name) for name in _SAID}
    return LotDetails(sale_id=sale_id, lot_id=_number(lot), place=place, **said)


# What a draft says in the words of the catalogue.
_SAID: Final = tuple(
    name for name in LotDetails.__struct_fields__ if name not in ("sale_id", "lot_id", "place")
)
