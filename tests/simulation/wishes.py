"""I2: what commands ask for and what events say, in the same words, so that they can be counted."""

from auction import commands as c
from auction import events as e
from auction.commands import Command
from auction.ids import SaleId
from tests.simulation.salerooms import FLOOD


def wishes(command: Command) -> list[str]:  # noqa: C901 - dispatch
    """The facts that a command asks for, one of each, in the words of ``facts``."""
    sale_id = command.sale_id
    match command:
        case c.ScheduleSale() | c.AddLots():
            lots = [f"{sale_id}: lot {lot.lot_id}" for lot in command.lots]
            return lots if isinstance(command, c.AddLots) else [f"{sale_id}: sale", *lots]
        case c.RegisterBidder():
            return [f"{sale_id}: register {command.bidder_id}"]
        case c.AdmitBidders():
            return [f"{sale_id}: admit {bidder_id}" for bidder_id in command.bidder_ids]
        case c.DismissBidders():
            return [f"{sale_id}: dismiss {bidder_id}" for bidder_id in command.bidder_ids]
        case c.MoveLots():
            return [f"{sale_id}: move {t.lot_id} {t.closes_at_us}" for t in command.times]
        case c.CancelSale():
            return [f"{sale_id}: cancel {command.cause}"]
        case c.SetLimit():
            return [f"{sale_id}: limit {command.bidder_id} {command.limit_minor}"]
        case c.SetBudgets():
            return [f"{sale_id}: budgets {command.bidder_id} {command.budgets}"]
        case c.ChangeReserve():
            return [f"{sale_id}: reserve {command.lot_id} {command.reserve_minor}"]
        case c.VoidBids():
            return [f"{sale_id}: void {command.lot_id} {command.bidder_id}"]
        case c.WithdrawLot():
            return [f"{sale_id}: withdraw {command.lot_id} {command.cause}"]
        case c.PauseSale() | c.ResumeSale():
            return [f"{sale_id}: {type(command).__name__}"]
        case c.RecordFunding():
            return [f"{sale_id}: fund {command.lot_id} {command.bidder_id}"]
        case c.CounterIfBid():
            return [f"{sale_id}: counter {command.lot_id} {command.amount_minor}"]
    return []


def facts(sale_id: SaleId, event: e.AnyEvent) -> list[str]:  # noqa: C901 - dispatch
    """What an event says has happened."""
    match event:
        case e.SaleScheduled():
            return [f"{sale_id}: sale"]
        case e.LotScheduled():
            return [f"{sale_id}: lot {event.lot_id}"]
        case e.BidderRegistered():
            return [f"{sale_id}: register {event.bidder_id}"]
        case e.BiddersAdmitted():
            return [f"{sale_id}: admit {bidder_id}" for bidder_id in event.bidder_ids]
        case e.BiddersDismissed():
            return [f"{sale_id}: dismiss {bidder_id}" for bidder_id in event.bidder_ids]
        case e.LotsRescheduled():
            return [f"{sale_id}: move {lot.lot_id} {lot.closes_at_us}" for lot in event.lots]
        case e.SaleCancelled():
            return [f"{sale_id}: cancel {event.cause}"]
        case e.LimitChanged():
            return [f"{sale_id}: limit {event.bidder_id} {event.limit_minor}"]
        case e.BudgetsSet():
            return [f"{sale_id}: budgets {event.bidder_id} {event.budgets}"]
        case e.ReserveChanged():
            return [f"{sale_id}: reserve {event.lot_id} {event.reserve_minor}"]
        case e.BidsVoided():
            return [f"{sale_id}: void {event.lot_id} {event.bidder_id}"]
        case e.LotWithdrawn() if event.reason != FLOOD:  # else it follows from its sale's end
            return [f"{sale_id}: withdraw {event.lot_id} {event.cause}"]
        case e.SalePaused():
            return [f"{sale_id}: PauseSale"]
        case e.SaleResumed():
            return [f"{sale_id}: ResumeSale"]
        case e.AwardFunded():
            return [f"{sale_id}: fund {event.lot_id} {event.bidder_id}"]
        case e.IfBidCountered():
            return [f"{sale_id}: counter {event.lot_id} {event.amount_minor}"]
    return []
