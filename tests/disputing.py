"""A buyer's bank in tests: it opens disputes at the simulator, moves money, and decides."""

from accounts.audit import Actor
from accounts.ids import PersonId
from foundation.database import acquire, transaction
from settlement.ids import InvoiceId, StripeId
from settlement.lives import AwardState
from settlement.payments.dispute_bearing import bear
from settlement.payments.dispute_words import Bearer, DisputeRow
from settlement.payments.handlers_dispute import dispute_row
from settlement.payments.payers import TablePayers
from settlement.steps import Wanted, want
from settlement.stripe_simulator import cash_balances, disputes
from tests.settling import Settling

STAFF = Actor(person_id=PersonId("carol"), address="192.0.2.1")


async def opens(
    room: Settling,
    amount_minor: int | None = None,
    *,
    inquiry: bool = False,
    charge: int = 0,
) -> str:
    """The buyer's bank disputes a charge, the first that was made without more said."""
    charge_id = room.rows("charge")[charge]["id"]
    row = room.engine.run(
        lambda work: disputes.opened(work, charge_id, "fraudulent", amount_minor, inquiry=inquiry)
    )
    await room.hears()
    return str(row["id"])


async def escalates(room: Settling, dispute_id: str) -> None:
    """A bank that only asked takes the money."""
    room.engine.run(lambda work: disputes.escalated(work, dispute_id))
    await room.hears()


async def ends(room: Settling, dispute_id: str, *, won: bool) -> None:
    """The bank decides."""
    room.engine.run(lambda work: disputes.decided(work, dispute_id, won=won))
    await room.hears()


async def moves(
    room: Settling, dispute_id: str, amount_minor: int, status: str | None = None
) -> None:
    """The bank takes more (below 0), or gives some back."""
    room.engine.run(lambda work: disputes.moved(work, dispute_id, amount_minor, status=status))
    await room.hears()


async def sends(room: Settling, customer_id: StripeId, amount_minor: int) -> None:
    """A transfer arrives, and is heard of."""
    room.engine.run(lambda work: cash_balances.fund(work, customer_id, amount_minor, "usd", None))
    await room.hears()


async def kept(room: Settling, dispute_id: str) -> DisputeRow:
    """A dispute as it is kept."""
    async with acquire(room.pool) as connection:
        row = await connection.fetchrow(
            "select * from payment_dispute where dispute_id = $1", dispute_id
        )
    assert row is not None
    return dispute_row(row)


async def states(room: Settling, invoice_id: InvoiceId) -> list[AwardState]:
    """Where the invoice's lots stand."""
    return [award.state for award in (await room.held(invoice_id)).awards.values()]


async def agrees(room: Settling) -> dict[str, int]:
    """The balances, which are the simulator's; nothing waits for a person."""
    balances = await room.balances()
    assert balances.get("stripe_balance", 0) == room.at_stripe_minor()
    assert await room.waiting() == []
    return balances


async def accepts(room: Settling, award_id: str) -> None:
    """A lot was fetched and accepted, and its release is wanted."""
    async with transaction(room.pool) as connection:
        await connection.execute(
            "update award set state = 'ACCEPTED', handed_over_at_us = $2, accepted_at_us = $2 "
            "where award_id = $1",
            award_id,
            room.now_us(),
        )
        await want(connection, [Wanted(operation="release", subject=award_id)], room.now_us())
    await room.drain()


async def bears(room: Settling, dispute_id: str, bearer: Bearer, version: int = 0) -> None:
    """Staff say whose it is, by the version that there is without more said."""
    async with transaction(room.pool) as connection:
        seen = await connection.fetchval(
            "select version from payment_dispute where dispute_id = $1", dispute_id
        )
        await bear(
            connection, TablePayers(), dispute_id, bearer, STAFF, room.now_us(),
            version=version or seen,
        )  # fmt: skip
