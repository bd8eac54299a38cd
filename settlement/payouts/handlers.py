"""The operations of releasing and paying out, and who reads the provider's events about them."""

from collections.abc import Callable

from foundation.database import Pool
from foundation.mail import Mailer
from settlement.accepting import ACCEPT, RELEASE, Accept
from settlement.operations import Handler
from settlement.payouts.announcing import ANNOUNCE_PAYEE, AnnouncePayee
from settlement.payouts.closing import Closing
from settlement.payouts.deciding import TRANSFER, PayOut
from settlement.payouts.onboarding import AccountReader, CreateAccount
from settlement.payouts.payables import CLOSE, PAY_OUT
from settlement.payouts.payees import CREATE_ACCOUNT
from settlement.payouts.platform import (
    PAY_BANK,
    READ_PAYOUT,
    PayBank,
    PayoutReader,
    ReadPayout,
)
from settlement.payouts.reversals import REVERSE, REVERSE_TRANSFER, ReverseTransfer, Reversing
from settlement.payouts.transfers import TransferOut
from settlement.payouts.unsold import UNSOLD_FEES, UnsoldFees
from settlement.ports import PaymentProvider
from settlement.releasing import Releasing
from settlement.webhook_inbox import Reader


def payout_handlers(
    pool: Pool,
    provider: PaymentProvider,
    mailer: Mailer,
    public_url: str,
    now_us: Callable[[], int],
) -> dict[str, Handler]:
    """How each kind of operation is done."""
    return {
        ACCEPT: Accept(),
        RELEASE: Releasing(),
        PAY_OUT: PayOut(),
        TRANSFER: TransferOut(pool, provider, now_us),
        CLOSE: Closing(),
        UNSOLD_FEES: UnsoldFees(),
        REVERSE_TRANSFER: ReverseTransfer(),
        REVERSE: Reversing(provider, now_us),
        PAY_BANK: PayBank(provider, now_us),
        READ_PAYOUT: ReadPayout(provider),
        CREATE_ACCOUNT: CreateAccount(provider, now_us),
        ANNOUNCE_PAYEE: AnnouncePayee(pool, mailer, public_url),
    }


def payout_readers() -> dict[str, Reader]:
    """Who reads the objects of these kinds again."""
    return {"account": AccountReader(), "payout": PayoutReader()}
