"""The platform's own payout from Stripe to the bank: never of what is owed.

The payout is booked first and looked at then: from the booking to the commit nobody else moves
Stripe's balance, so what is seen is what will stand. A payout that Stripe makes without being asked
(its schedule has to be manual) is booked as what it is, by `postings_house.payout`.
"""

from auction.money import format_minor
from foundation.database import AnyConnection
from settlement.entries import About
from settlement.ledger import LedgerRefusal, LedgerRefused, post
from settlement.ledger_reading import read_position
from settlement.postings_house import payout
from settlement.statements import free_to_pay_out_minor


async def book_payout(
    connection: AnyConnection, about: About, amount_minor: int, covers_minor: int = 0
) -> bool:
    """Book a payout in the caller's transaction; ``False``: it was booked before.

    ``covers_minor``: what of it is for something owed that is paid from the bank next (an approved
    bank file, tax or freight that is due). ``LedgerRefused`` if it would take what is owed: the
    caller's transaction is to be undone.
    """
    assert 0 <= covers_minor <= amount_minor
    if not await post(connection, [payout(about, amount_minor)]):
        return False
    position = await read_position(connection, about.currency)
    if covers_minor > position.all_owed_minor:
        raise _refused(f"{_shown(covers_minor, about)} is more than what is owed")
    after_minor = position.stripe_minor - position.all_owed_minor + covers_minor
    if after_minor < 0:
        free_minor = max(0, after_minor + amount_minor)
        raise _refused(f"{_shown(free_minor, about)} is free, {_shown(amount_minor, about)} asked")
    assert free_to_pay_out_minor(position, covers_minor) == after_minor
    return True


def _refused(detail: str) -> LedgerRefused:
    return LedgerRefused(LedgerRefusal.OWED_TO_OTHERS, field="amount_minor", detail=detail)


def _shown(amount_minor: int, about: About) -> str:
    return f"{format_minor(amount_minor, about.currency)} {about.currency}"
