"""Settlement in one process: its services, and its API as the host mounts it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Self

from accounts.clock import wall_clock
from auction.catalog.photos import PhotoWorker
from auction.ids import SaleId
from foundation.database import Pool
from foundation.http.routes import Route
from settlement.accepting import Acceptances
from settlement.accounting import Accounting
from settlement.after_default.fee_desk import FEES
from settlement.after_default.hand_deposits import HAND_DEPOSITS
from settlement.after_default.room import AfterDefault
from settlement.api_abandoned import AbandonedApi
from settlement.api_after_default import AfterDefaultApi
from settlement.api_books import BooksApi
from settlement.api_claim_talk import ClaimTalkApi
from settlement.api_claims import ClaimsApi, ClaimsDeskApi
from settlement.api_closing import ClosingApi
from settlement.api_confirmations import ConfirmationsApi
from settlement.api_credit import CreditApi
from settlement.api_deliveries import DeliveriesApi
from settlement.api_deposits import DepositsApi
from settlement.api_disputes import DisputesApi
from settlement.api_dock import DockApi
from settlement.api_dock_plans import DockPlansApi
from settlement.api_earnings import EarningsApi
from settlement.api_evidence import EvidenceApi
from settlement.api_fees import FeesApi
from settlement.api_house_money import HouseMoneyApi
from settlement.api_money_out import MoneyOutApi
from settlement.api_papers import PaperLists, PapersApi
from settlement.api_payees import PayeesApi
from settlement.api_purchases import PurchasesApi
from settlement.api_reconciliation import ReconciliationApi
from settlement.api_requests import Requests
from settlement.api_staff import StaffApi
from settlement.api_wires import WiresApi
from settlement.buyers import Buyers
from settlement.claiming.desk import ClaimsDesk
from settlement.claiming.filing import Claims
from settlement.claiming.queueing import CLAIMS
from settlement.claiming.talking import ClaimTalk
from settlement.claiming.thresholds import Thresholds
from settlement.confirming import Confirming
from settlement.deposits import Deposits, Registering
from settlement.invoice_lists import InvoiceLists
from settlement.papers.archive import Archive
from settlement.payments.dispute_desk import DisputeDesk
from settlement.payments.payers import TablePayers
from settlement.payouts.credit_payouts import CREDITS
from settlement.payouts.room import PayoutRoom
from settlement.pickups.abandoned import ABANDONED, AbandonedGoods
from settlement.pickups.at_dock import AtDock
from settlement.pickups.bookings import Bookings
from settlement.pickups.charges import Charges
from settlement.pickups.deliveries import Deliveries
from settlement.pickups.docks import Docks
from settlement.ports import PaymentProvider
from settlement.purchases import Purchases
from settlement.queue import Queue
from settlement.queue_sources import PART_SOURCES
from settlement.reconciliation.room import Books
from settlement.reconciliation.standing import stripe_nets
from settlement.reconciliation.waiting import SOURCES as BOOK_SOURCES
from settlement.searching import Searching
from settlement.stories import Stories


@dataclass(frozen=True)
class Shown:
    """What pages need to know of how buyers pay. ``publishable_key``: of Stripe's form for cards,
    empty without one; ``simulated``: no real money moves, and cards are those of tests."""

    public_url: str = ""
    publishable_key: str = ""
    simulated: bool = True


NOTHING_SHOWN: Final = Shown()
# What waits for a person, beside what the queue knows itself.
WAITING: Final = (CLAIMS, *BOOK_SOURCES, *PART_SOURCES, *FEES, *HAND_DEPOSITS, *CREDITS, *ABANDONED)
NOBODY_REGISTERS: Final = Registering()


@dataclass(frozen=True)
class Settlement:
    """What pages and API call. ``ring``: something is due, the worker may look."""

    pool: Pool
    stories: Stories
    queue: Queue
    searching: Searching
    accounting: Accounting
    lists: InvoiceLists
    now_us: Callable[[], int]
    ring: Callable[[], None]
    provider: PaymentProvider
    shown: Shown
    purchases: Purchases
    buyers: Buyers
    deposits: Deposits
    registering: Registering
    docks: Docks
    bookings: Bookings
    at_dock: AtDock
    charges: Charges
    abandoned: AbandonedGoods
    deliveries: Deliveries
    acceptances: Acceptances
    claims: Claims
    claim_talk: ClaimTalk
    claims_desk: ClaimsDesk
    thresholds: Thresholds
    disputes: DisputeDesk
    after: AfterDefault
    confirming: Confirming
    books: Books
    payouts: PayoutRoom
    archive: Archive
    papers: PaperLists
    photos: PhotoWorker
    others: Sequence[Route]

    @classmethod
    def over(
        cls,
        pool: Pool,
        now_us: Callable[[], int],
        ring: Callable[[], None],
        provider: PaymentProvider,
        shown: Shown = NOTHING_SHOWN,
        *others: Route,
        registering: Registering = NOBODY_REGISTERS,
    ) -> Self:
        """All of them. ``now_us``: the house's clock; ``others``: rows of the same room, such as
        that to which the provider sends its events."""
        photos = PhotoWorker()
        claims_desk = ClaimsDesk(pool, now_us, ring)
        return cls(
            pool=pool,
            stories=Stories(pool),
            queue=Queue(pool, now_us, ring, WAITING),
            searching=Searching(pool),
            accounting=Accounting(pool, stripe_nets, now_us),
            lists=InvoiceLists(pool),
            now_us=now_us,
            ring=ring,
            provider=provider,
            shown=shown,
            purchases=Purchases(pool, provider, now_us, ring),
            buyers=Buyers(pool, provider, now_us, ring=ring),
            deposits=Deposits(pool, provider, now_us, registering.counts, ring),
            registering=registering,
            docks=Docks(pool, now_us),
            bookings=Bookings(pool, now_us),
            at_dock=AtDock(pool, now_us, photos),
            charges=Charges(pool, now_us, ring),
            abandoned=AbandonedGoods(pool, now_us),
            deliveries=Deliveries(pool, now_us, photos),
            acceptances=Acceptances(pool, now_us, ring),
            claims=Claims(pool, now_us, photos, ring),
            claim_talk=ClaimTalk(pool, now_us, photos),
            claims_desk=claims_desk,
            thresholds=Thresholds(pool, claims_desk),
            disputes=DisputeDesk(pool, now_us, ring),
            after=AfterDefault.over(pool, now_us, ring, registering.end_recorded),
            confirming=Confirming(pool, TablePayers(), now_us, ring),
            books=Books.over(pool, now_us, ring),
            payouts=PayoutRoom.over(pool, provider, now_us, ring),
            archive=Archive(pool, wall_clock),
            papers=PaperLists(pool),
            photos=photos,
            others=others,
        )

    async def close(self) -> None:
        """End what was begun for it: the child that reads pictures."""
        await self.photos.close()

    def _deposit_url(self, sale_id: SaleId) -> str:
        return f"{self.shown.public_url}/purchases/deposits/{sale_id}/back"

    def _payee_url(self, payee_id: str) -> str:
        return f"{self.shown.public_url}/earnings/payees/{payee_id}"

    def routes(self) -> Sequence[Route]:
        """The rows of the API."""
        requests = Requests(self.pool)
        parts = (
            StaffApi(self.queue, self.stories, self.searching, self.lists),
            BooksApi(self.accounting),
            PapersApi(self.pool, self.archive),
            ReconciliationApi(self.books, requests),
            ClosingApi(self.books),
            MoneyOutApi(self.payouts, requests),
            PurchasesApi(
                self.purchases,
                self.lists,
                self.buyers,
                self.bookings,
                self.acceptances,
                requests,
            ),
            DockPlansApi(self.docks),
            DockApi(self.docks, self.bookings, self.at_dock, self.stories, requests),
            DeliveriesApi(self.deliveries, self.charges),
            WiresApi(self.books.wires),
            PayeesApi(self.payouts, self._payee_url),
            EarningsApi(self.pool, self.lists, self.payouts),
            HouseMoneyApi(self.payouts, self.thresholds, requests),
            ClaimsApi(self.claims, requests),
            ClaimTalkApi(self.claim_talk),
            EvidenceApi(self.pool, self.claim_talk, self.at_dock, self.deliveries),
            ClaimsDeskApi(self.claims_desk),
            DisputesApi(self.disputes),
            AfterDefaultApi(self.after),
            ConfirmationsApi(self.confirming),
            FeesApi(self.charges, self.after.fees, self.after.hand_deposits),
            CreditApi(self.payouts.credit),
            AbandonedApi(self.abandoned),
            DepositsApi(self.deposits, self.registering, self._deposit_url),
        )
        return [*(route for part in parts for route in part.routes()), *self.others]
