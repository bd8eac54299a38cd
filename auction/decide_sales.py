"""Decisions about a sale as a whole: scheduling, registration, pause, outage."""

from auction.budgets import budgets_fault, lots_of
from auction.commands import (
    AddLots,
    AdmitBidders,
    DismissBidders,
    MoveEndsAfterOutage,
    MoveLots,
    PauseSale,
    RegisterBidder,
    ResumeSale,
    ScheduleSale,
    SetBudgets,
    SetLimit,
)
from auction.events import (
    AnyEvent,
    BidderRegistered,
    BiddersAdmitted,
    BiddersDismissed,
    BudgetsSet,
    EndsMoved,
    LimitChanged,
    LotScheduled,
    LotsRescheduled,
    MovedEnd,
    MoveReason,
    RescheduledLot,
    SalePaused,
    SaleResumed,
    SaleScheduled,
)
from auction.ids import ActorId, LotId, Paddle, shard_of
from auction.outage import ends_move_by_us
from auction.pricing import reserve_status
from auction.rejections import Decision, Rejected, Rejection
from auction.sale import FIRST_PADDLE, LotStatus, Registration, Sale
from auction.terms import (
    LotListing,
    SaleAudience,
    Terms,
    listing_fault,
    terms_fault,
    times_fault,
)

_CLOSED = Rejected(Rejection.SALE_CLOSED, "every lot of this sale has ended")
_CANCELLED = Rejected(Rejection.SALE_CANCELLED, "this sale was cancelled")


def schedule_sale(sale: Sale | None, command: ScheduleSale, now_us: int) -> Decision:
    """A new sale with its first lots."""
    if sale is not None:
        return Rejected(Rejection.SALE_EXISTS, f"sale {command.sale_id} is already scheduled")
    terms = command.terms
    fault = terms_fault(terms)
    if fault is not None:
        return Rejected(Rejection.INVALID, fault)
    lots = _scheduled(command.lots, set(), terms, command.actor_id, now_us)
    if isinstance(lots, Rejected):
        return lots
    scheduled = SaleScheduled(
        shard=shard_of(command.sale_id),
        liquidator_id=command.liquidator_id,
        audience=command.audience,
        terms=terms,
        seller_ids=command.seller_ids,
        actor_id=command.actor_id,
        secret=command.secret,
    )
    return [scheduled, *lots]


def add_lots(sale: Sale, command: AddLots, now_us: int) -> Decision:
    """More lots, all or none."""
    if sale.closed:
        return _CLOSED
    if sale.cancelled is not None:
        return _CANCELLED
    return _scheduled(command.lots, set(sale.lots), sale.terms, command.actor_id, now_us)


def _scheduled(
    listings: tuple[LotListing, ...],
    taken: set[LotId],
    terms: Terms,
    actor_id: ActorId,
    now_us: int,
) -> Decision:
    events: list[AnyEvent] = []
    for listing in listings:
        if listing.lot_id in taken:
            return Rejected(Rejection.LOT_EXISTS, f"lot {listing.lot_id} is already in this sale")
        fault = listing_fault(listing, terms, now_us)
        if fault is not None:
            return Rejected(Rejection.INVALID, fault)
        taken.add(listing.lot_id)
        events.append(
            LotScheduled(
                lot_id=listing.lot_id,
                kind=listing.kind,
                title=listing.title,
                opening_minor=listing.opening_minor,
                reserve=reserve_status(listing.reserve_minor, None),
                opens_at_us=listing.opens_at_us,
                closes_at_us=listing.closes_at_us,
                latest_end_us=listing.latest_end_us,
                group=listing.group,
                restrictions=listing.restrictions,
                manifest_sha256=listing.manifest_sha256,
                reserve_minor=listing.reserve_minor,
                consignor_id=listing.consignor_id,
                actor_id=actor_id,
            )
        )
    return events


def move_lots(sale: Sale, command: MoveLots, now_us: int) -> Decision:
    """Other times for lots on which bidding has not begun, all or none."""
    if sale.closed:
        return _CLOSED
    if sale.cancelled is not None:
        return _CANCELLED
    moved: dict[LotId, RescheduledLot] = {}
    for times in command.times:
        lot_id, lot = times.lot_id, sale.lots.get(times.lot_id)
        if lot is None:
            return Rejected(Rejection.NOT_FOUND, "there is no such lot")
        if lot_id in moved:
            return Rejected(Rejection.INVALID, f"times: lot {lot_id} is named twice")
        if lot.status is LotStatus.WITHDRAWN:
            return Rejected(Rejection.LOT_WITHDRAWN, f"lot {lot_id} was withdrawn")
        if now_us >= lot.opens_at_us:
            return Rejected(Rejection.BIDDING_BEGUN, f"bidding on lot {lot_id} has begun")
        fault = times_fault(lot_id, times.opens_at_us, times.closes_at_us, now_us)
        if fault is None and times.opens_at_us <= now_us:
            fault = f"lot {lot_id}: opens_at is already past"
        if fault is not None:
            return Rejected(Rejection.INVALID, fault)
        latest_end_us = lot.latest_end_us
        if latest_end_us is not None:
            latest_end_us += times.closes_at_us - lot.closes_at_us
        moved[lot_id] = RescheduledLot(
            lot_id=lot_id,
            opens_at_us=times.opens_at_us,
            closes_at_us=times.closes_at_us,
            latest_end_us=latest_end_us,
            old_opens_at_us=lot.opens_at_us,
            old_closes_at_us=lot.closes_at_us,
            old_latest_end_us=lot.latest_end_us,
        )
    lots = tuple(lot for lot in moved.values() if _is_moved(lot))
    return [LotsRescheduled(lots=lots, actor_id=command.actor_id)] if lots else []


def _is_moved(lot: RescheduledLot) -> bool:
    times = (lot.opens_at_us, lot.closes_at_us)
    return times != (lot.old_opens_at_us, lot.old_closes_at_us)


def admit_bidders(sale: Sale, command: AdmitBidders) -> Decision:
    """Let bidders in who are not in yet."""
    refused = _may_not_choose(sale)
    if refused is not None:
        return refused
    new = tuple(b for b in dict.fromkeys(command.bidder_ids) if b not in sale.admitted)
    return [BiddersAdmitted(bidder_ids=new, actor_id=command.actor_id)] if new else []


def dismiss_bidders(sale: Sale, command: DismissBidders) -> Decision:
    """Shut bidders out who are in; nothing that they did is undone."""
    refused = _may_not_choose(sale)
    if refused is not None:
        return refused
    out = tuple(b for b in dict.fromkeys(command.bidder_ids) if b in sale.admitted)
    return [BiddersDismissed(bidder_ids=out, actor_id=command.actor_id)] if out else []


def _may_not_choose(sale: Sale) -> Rejected | None:
    if sale.audience is SaleAudience.PUBLIC:
        return Rejected(Rejection.INVALID, "this sale is public: every approved reseller may enter")
    return _CLOSED if sale.closed else None


def register_bidder(sale: Sale, command: RegisterBidder) -> Decision:
    """Register a bidder under the next paddle, or renew what it accepted under its own."""
    terms = sale.terms
    if sale.closed:
        return _CLOSED
    if command.bidder_id in sale.seller_ids:
        return Rejected(Rejection.SELLER_MAY_NOT_BID, "a seller may not bid on its own goods")
    if command.terms_version != terms.version:
        message = f"the terms of this sale are at version {terms.version}"
        return Rejected(Rejection.TERMS_NOT_ACCEPTED, message)
    if terms.certificate_required and not command.certificate:
        return Rejected(Rejection.CERTIFICATE_REQUIRED, "this sale asks for a resale certificate")
    if command.deposit_minor < terms.deposit_minor:
        message = "the deposit for this sale is not paid"
        return Rejected(Rejection.DEPOSIT_REQUIRED, message, terms.deposit_minor)
    known = sale.registrations.get(command.bidder_id)
    limit_minor = _limit_minor(terms, known, command)
    if known and _accepted_already(known, command, limit_minor):
        return []
    registered = BidderRegistered(
        bidder_id=command.bidder_id,
        paddle=known.paddle if known else Paddle(FIRST_PADDLE + len(sale.registrations)),
        terms_version=command.terms_version,
        restrictions=command.restrictions,
        deposit_minor=command.deposit_minor,
        limit_minor=limit_minor,
        tax_bps=command.tax_bps,
        certificate=command.certificate,
    )
    return [registered]


def _limit_minor(terms: Terms, known: Registration | None, command: RegisterBidder) -> int | None:
    """Set by staff, else deposit x factor; a renewal with the same deposit keeps the limit."""
    if command.limit_minor is not None:
        return command.limit_minor
    if known is not None and known.deposit_minor == command.deposit_minor:
        return known.limit_minor
    return command.deposit_minor * terms.deposit_factor if command.deposit_minor else None


def _accepted_already(
    known: Registration, command: RegisterBidder, limit_minor: int | None
) -> bool:
    renewed = (
        command.terms_version,
        frozenset(command.restrictions),
        command.deposit_minor,
        limit_minor,
        command.tax_bps,
        command.certificate,
    )
    return renewed == (
        known.terms_version,
        known.restrictions,
        known.deposit_minor,
        known.limit_minor,
        known.tax_bps,
        known.certificate,
    )


def set_limit(sale: Sale, command: SetLimit) -> Decision:
    """Another limit; what the bidder already leads stands, even above it."""
    if command.bidder_id not in sale.registrations:
        return Rejected(Rejection.NOT_REGISTERED, "this bidder is not registered for the sale")
    if sale.registrations[command.bidder_id].limit_minor == command.limit_minor:
        return []
    changed = LimitChanged(
        bidder_id=command.bidder_id, limit_minor=command.limit_minor, actor_id=command.actor_id
    )
    return [changed]


def set_budgets(sale: Sale, command: SetBudgets) -> Decision:
    """A bidder's own budgets; what it leads and has won stands, even above them."""
    if sale.closed:
        return _CLOSED
    registration = sale.registrations.get(command.bidder_id)
    if registration is None:
        return Rejected(Rejection.NOT_REGISTERED, "register for this sale before you set budgets")
    fault = budgets_fault(command.budgets)
    if fault is not None:
        return Rejected(Rejection.INVALID, fault)
    for budget in command.budgets:
        if not sale.lots.keys() >= set(lots_of(budget) or ()):
            return Rejected(Rejection.NOT_FOUND, "there is no such lot")
    if command.budgets == registration.budgets:
        return []
    budgets_set = BudgetsSet(
        bidder_id=command.bidder_id, budgets=command.budgets, actor_id=command.actor_id
    )
    return [budgets_set]


def pause_sale(sale: Sale, command: PauseSale) -> Decision:
    """Stop bids and closings."""
    if sale.closed:
        return _CLOSED
    if sale.paused_from_us is not None:
        return Rejected(Rejection.SALE_PAUSED, "the sale is already paused")
    return [SalePaused(reason=command.reason, actor_id=command.actor_id)]


def resume_sale(sale: Sale, command: ResumeSale, now_us: int) -> Decision:
    """Go on; the pause counts as an outage, so that nobody loses time to bid."""
    if sale.closed:
        return _CLOSED
    if sale.paused_from_us is None:
        return Rejected(Rejection.SALE_NOT_PAUSED, "the sale is not paused")
    moved = _moved_ends(sale, MoveReason.PAUSE, sale.paused_from_us, now_us)
    return [SaleResumed(actor_id=command.actor_id), *moved]


def move_ends_after_outage(sale: Sale, command: MoveEndsAfterOutage, now_us: int) -> Decision:
    """The outage rule. A paused sale is left alone: its resumption moves the ends."""
    if sale.paused_from_us is not None:
        return []
    return _moved_ends(sale, MoveReason.OUTAGE, command.dark_from_us, now_us)


def _moved_ends(sale: Sale, reason: MoveReason, dark_from_us: int, ready_us: int) -> list[AnyEvent]:
    # A lot that ended before the dark time has had its time: it is closed, not revived.
    lots = [lot for lot in sale.lots.values() if lot.is_unended(dark_from_us)]
    if not lots:
        return []
    dark_us = max(0, ready_us - dark_from_us)
    soft_close = sale.terms.soft_close
    extension_us = soft_close.extension_us if soft_close else 0
    first_end_us = min(lot.closes_at_us for lot in lots)
    move_us = ends_move_by_us(dark_us, ready_us, first_end_us, extension_us)
    if not move_us:
        return []
    ends = tuple(
        MovedEnd(
            lot.lot_id,
            lot.closes_at_us + move_us,
            None if lot.latest_end_us is None else lot.latest_end_us + move_us,
        )
        for lot in lots
    )
    return [EndsMoved(reason=reason, cause_lot_id=None, dark_us=dark_us, ends=ends)]
