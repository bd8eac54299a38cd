"""All that follows a default: services for pages and API, operations for the worker."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

from accounts.room import Room
from auction.ports import EventLog
from foundation.database import Pool
from settlement.after_default.answering import Answering
from settlement.after_default.cancelling import Cancelling
from settlement.after_default.defaulting import DefaultedHandler, Forfeit, no_deposit
from settlement.after_default.fee_desk import FeeDesk
from settlement.after_default.fees import fee_handlers
from settlement.after_default.hand_deposits import (
    EndRecorded,
    HandDeposits,
    Recorded,
    ends_nowhere,
    recorded_nowhere,
)
from settlement.after_default.looking import (
    ConsentOverHandler,
    NextBuyerHandler,
    OfferOverHandler,
)
from settlement.after_default.relisting import RelistHandler
from settlement.after_default.suspending import ReinstateHandler, SuspendHandler
from settlement.operations import Handler


@dataclass(frozen=True)
class AfterDefault:
    """What pages and API call."""

    answering: Answering
    cancelling: Cancelling
    fees: FeeDesk
    hand_deposits: HandDeposits

    @classmethod
    def over(
        cls,
        pool: Pool,
        now_us: Callable[[], int],
        ring: Callable[[], None] = lambda: None,
        end_recorded: EndRecorded = ends_nowhere,
    ) -> Self:
        """All of them."""
        return cls(
            Answering(pool, now_us, ring),
            Cancelling(pool, now_us, ring),
            FeeDesk(pool, now_us, ring),
            HandDeposits(pool, now_us, end_recorded),
        )


def after_default_operations(
    pool: Pool,
    log: EventLog,
    accounts: Room,
    forfeit: Forfeit = no_deposit,
    recorded: Recorded = recorded_nowhere,
) -> Mapping[str, Handler]:
    """The kinds of operations of this part. ``forfeit``: keeps a buyer's deposit for a sale that
    its card holds; ``recorded``: what staff have recorded of one."""
    return {
        "defaulted": DefaultedHandler(forfeit, recorded),
        "suspend": SuspendHandler(accounts),
        "reinstate": ReinstateHandler(accounts),
        "next_buyer": NextBuyerHandler(pool, log),
        "consent_over": ConsentOverHandler(),
        "offer_over": OfferOverHandler(),
        "relist": RelistHandler(),
        **fee_handlers(),
    }
