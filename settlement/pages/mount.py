"""The pages as rows."""

from foundation.http.routes import Route
from settlement.pages.abandoned import AbandonedPages
from settlement.pages.books import BookPages
from settlement.pages.cards import CardPages
from settlement.pages.charges import ChargePages
from settlement.pages.claims import ClaimPages
from settlement.pages.confirmations import ConfirmationPages
from settlement.pages.credit import CreditPages
from settlement.pages.deliveries import DeliveryPages
from settlement.pages.deposits import DepositPages
from settlement.pages.disputes import DisputePages
from settlement.pages.dock_plans import DockPlanPages
from settlement.pages.docks import DockPages
from settlement.pages.earnings import EarningPages
from settlement.pages.fees import FeePages
from settlement.pages.months import MonthPages
from settlement.pages.offers import OfferPages
from settlement.pages.payouts import PayoutPages
from settlement.pages.pickups import PickupPages
from settlement.pages.purchases import PurchasePages
from settlement.pages.queue_page import QueuePages
from settlement.pages.reconciliation import ReconciliationPages
from settlement.pages.story import StoryPages
from settlement.pages.thresholds import ThresholdPages
from settlement.room import Settlement


def routes(settlement: Settlement) -> list[Route]:
    """Every page."""
    parts = (
        QueuePages(settlement),
        StoryPages(settlement),
        BookPages(settlement),
        PurchasePages(settlement),
        CardPages(settlement),
        DepositPages(settlement),
        PickupPages(settlement),
        ChargePages(settlement),
        ClaimPages(settlement),
        ThresholdPages(settlement),
        DisputePages(settlement),
        DockPages(settlement),
        DockPlanPages(settlement),
        DeliveryPages(settlement),
        ReconciliationPages(settlement),
        MonthPages(settlement),
        PayoutPages(settlement),
        EarningPages(settlement),
        ConfirmationPages(settlement),
        OfferPages(settlement),
        FeePages(settlement),
        CreditPages(settlement),
        AbandonedPages(settlement),
    )
    return [route for part in parts for route in part.routes()]
