"""Where money goes: checked, announced, frozen for a time, and confirmed by a second person."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
import structlog

from accounts.ids import OrganisationId
from foundation.database import acquire
from foundation.mail import MailNotSent
from settlement.payouts.payee_rows import BankDetails
from settlement.payouts.words import PayoutRefusal, PayoutRefused, Way
from settlement.stripe_simulator.faults import Trouble
from tests.payouts import (
    BANK,
    CHIEF,
    CLERK,
    DRIVER,
    NORTH,
    OTHER_BANK,
    OWNER,
    TARGET,
    PayoutHouse,
    payout_house,
)
from tests.settlement_rules import BUYER


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[PayoutHouse]:
    async with payout_house(database_url) as house:
        yield house


async def refused(doing: object) -> PayoutRefused:
    with pytest.raises(PayoutRefused) as said:
        await doing  # type: ignore[misc]
    return said.value


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"routing": "121000249"}, "routing"),
        ({"routing": ""}, "routing"),
        ({"account": "12"}, "account"),
        ({"account": "=1+1"}, "account"),
        ({"country": "DE", "routing": "DEUTDEFF", "account": "DE8937040044053201300X"}, "account"),
        ({"country": "DE", "routing": "BNPAFRPP", "account": "DE89370400440532013000"}, "routing"),
        ({"country": "DE", "routing": "121000248", "account": "12345678"}, "account"),
    ],
)
async def test_an_account_to_which_no_money_can_be_sent_is_refused_with_its_field(
    house: PayoutHouse, changes: dict[str, str], field: str
) -> None:
    facts = {"holder": "North", "routing": BANK.routing, "account": BANK.account} | changes
    said = await refused(house.payees.set_bank(OWNER, NORTH, BankDetails(**facts)))  # type: ignore[arg-type]
    assert (said.refusal, said.field) == (PayoutRefusal.BAD_ACCOUNT, field)
    assert (await house.payees.read(NORTH)).bank is None


async def test_a_change_is_announced_and_the_number_is_told_to_nobody(house: PayoutHouse) -> None:
    with structlog.testing.capture_logs() as logs:
        shown = await house.payees.set_bank(OWNER, NORTH, BANK)
        await house.drain()
    assert shown.bank is not None
    assert (shown.way, shown.bank.last4, shown.changed_at_us) == (Way.BANK, "6789", house.clock())
    (mail,) = house.mailbox.mails
    assert (mail.to, "changed" in mail.subject) == ("owner@example.com", True)
    audit = await house.fetch("select details, object_id from audit_event")
    everything = f"{logs}{mail}{shown}{BANK}{audit}"
    assert BANK.account not in everything


async def test_what_staff_enter_counts_when_another_of_them_confirms_it(
    house: PayoutHouse,
) -> None:
    await house.payees.set_bank(OWNER, NORTH, BANK)
    shown = await house.payees.set_bank(CLERK, NORTH, OTHER_BANK, by_staff=True)
    assert shown.bank is not None and shown.waiting is not None
    assert (shown.bank.last4, shown.waiting.last4) == ("6789", "6677")
    number = shown.waiting.bank_account_id
    deciding = house.payees.decide_bank(CLERK, NORTH, number, agrees=True)
    assert (await refused(deciding)).refusal is PayoutRefusal.SAME_PERSON
    deciding = house.payees.decide_bank(CHIEF, NORTH, number + 1, agrees=True)
    assert (await refused(deciding)).refusal is PayoutRefusal.NOT_WAITING
    house.clock.now_us += 1
    shown = await house.payees.decide_bank(CHIEF, NORTH, number, agrees=True)
    assert shown.bank is not None and shown.waiting is None
    assert (shown.bank.last4, shown.changed_at_us) == ("6677", house.clock())
    await house.drain()
    assert len(house.mailbox.mails) == 3


async def test_the_database_refuses_an_account_that_one_of_staff_confirms_alone(
    house: PayoutHouse,
) -> None:
    await house.payees.set_bank(CLERK, NORTH, OTHER_BANK, by_staff=True)
    with pytest.raises(asyncpg.CheckViolationError, match="two_people"):
        await house.pool.execute(
            "update payee_bank_account set state = 'ACTIVE', decided_by = set_by"
        )


async def test_staff_may_say_no_and_nothing_changes(house: PayoutHouse) -> None:
    await house.payees.set_bank(OWNER, NORTH, BANK)
    shown = await house.payees.set_bank(CLERK, NORTH, OTHER_BANK, by_staff=True)
    assert shown.waiting is not None
    number, before = shown.waiting.bank_account_id, shown.changed_at_us
    shown = await house.payees.decide_bank(CHIEF, NORTH, number, agrees=False)
    assert shown.bank is not None and shown.waiting is None
    assert (shown.bank.last4, shown.changed_at_us) == ("6789", before)


async def test_whoever_looked_at_an_older_version_changes_nothing(house: PayoutHouse) -> None:
    shown = await house.payees.set_bank(OWNER, NORTH, BANK)
    old = shown.version - 1
    said = await refused(house.payees.set_bank(OWNER, NORTH, OTHER_BANK, version=old))
    assert said.refusal is PayoutRefusal.CHANGED_MEANWHILE
    said = await refused(house.payees.choose(OWNER, NORTH, Way.CONNECT, shown.version))
    assert said.refusal is PayoutRefusal.NOT_CONNECTED


async def test_nobody_and_buyers_are_no_payees(house: PayoutHouse) -> None:
    for payee_id in ("nobody", "", BUYER, "' or true --"):
        assert (await refused(house.payees.read(payee_id))).refusal is PayoutRefusal.NOT_FOUND
    assert await house.payees.of_organisation(OrganisationId(NORTH)) == [NORTH]
    await house.consigns("12")
    await house.pool.execute("update consignor set organisation_id = 'target-stores'")
    assert await house.payees.of_organisation(OrganisationId("target-stores")) == [TARGET]
    assert (await house.payees.read(TARGET)).name == "Target Stores"


async def test_an_account_at_stripe_is_made_once_and_onboarded_there(house: PayoutHouse) -> None:
    control = house.house.running.control
    await control.fault(Trouble.LOST_ANSWER, "POST /v1/accounts")
    for _ in range(2):
        await house.payees.connect(OWNER, NORTH, email="pay@example.com")
        await house.drain()
    await house.passes(seconds=2)
    accounts = await house.stripe.v1.accounts.list_async({"limit": 10})
    assert len(accounts.data) == 1
    shown = await house.payees.read(NORTH)
    assert shown.connected is not None and shown.connected.account_id == accounts.data[0].id
    assert (shown.way, shown.connected.takes_transfers) == (Way.CONNECT, False)
    assert shown.connected.due
    link = await house.onboarding.link(
        NORTH, return_url="https://softclose.example/back", refresh_url="https://x.example/again"
    )
    assert link.url.startswith("http")
    await control.onboard(shown.connected.account_id)
    read = await house.onboarding.refresh(NORTH)
    assert read.takes_transfers
    shown = await house.payees.read(NORTH)
    assert shown.connected is not None
    assert (shown.connected.takes_transfers, list(shown.connected.due)) == (True, [])
    linking = house.onboarding.link(TARGET, return_url="https://x.example", refresh_url="")
    assert (await refused(linking)).refusal is PayoutRefusal.NOT_CONNECTED


async def test_money_that_waits_is_sent_once_stripe_says_that_the_account_is_ready(
    house: PayoutHouse,
) -> None:
    award_id = await house.paid()
    await house.acceptances.accept(BUYER, DRIVER, award_id)
    await house.payees.connect(OWNER, NORTH, email="pay@example.com")
    await house.drain()
    await house.passes(days=3)
    assert await house.transferred() == []
    shown = await house.payees.read(NORTH)
    assert shown.connected is not None and shown.connected.account_id is not None
    await house.house.running.control.onboard(shown.connected.account_id)
    await house.onboarding.refresh(NORTH)
    await house.drain()
    assert [minor for _, minor, _ in await house.transferred()] == [900_000]


async def test_a_mail_server_that_is_away_is_asked_again(house: PayoutHouse) -> None:
    sending, tries = house.mailbox.send, []

    async def away(mail: object) -> None:
        tries.append(mail)
        raise MailNotSent("the server is away")

    house.mailbox.send = away  # type: ignore[method-assign]
    await house.payees.set_bank(OWNER, NORTH, BANK)
    await house.drain()
    house.mailbox.send = sending  # type: ignore[method-assign]
    await house.passes(seconds=2)
    assert (len(tries), len(house.mailbox.mails)) == (1, 1)


async def test_a_seller_who_changes_from_bank_to_stripe_is_frozen_anew(house: PayoutHouse) -> None:
    await house.connected()
    await house.payees.set_bank(OWNER, NORTH, BANK)
    await house.passes(days=5)
    award_id = await house.paid()
    await house.acceptances.accept(BUYER, DRIVER, award_id)
    await house.drain()
    shown = await house.payees.read(NORTH)
    assert shown.way is Way.BANK
    assert await house.transferred() == []
    await house.payees.choose(OWNER, NORTH, Way.CONNECT, shown.version)
    await house.passes(days=1)
    assert await house.transferred() == []
    await house.passes(days=1)
    assert len(await house.transferred()) == 1


async def test_account_numbers_are_read_by_the_payouts_role_alone(house: PayoutHouse) -> None:
    await house.payees.set_bank(OWNER, NORTH, BANK)
    async with acquire(house.pool) as connection:
        for role, reads in (("softclose_payouts", True), ("softclose_ledger", False)):
            await connection.execute(f"set role {role}")
            try:
                for table in ("payee_account_number", "payout_file"):
                    if reads:
                        await connection.fetch(f"select * from {table}")  # noqa: S608
                        with pytest.raises(asyncpg.InsufficientPrivilegeError):
                            await connection.execute(f"delete from {table}")  # noqa: S608
                    else:
                        with pytest.raises(asyncpg.InsufficientPrivilegeError):
                            await connection.fetch(f"select * from {table}")  # noqa: S608
            finally:
                await connection.execute("reset role")


async def test_an_account_at_stripe_does_not_take_the_place_of_a_bank_account_by_itself(
    house: PayoutHouse,
) -> None:
    await house.has_bank()
    before = await house.payees.read(NORTH)
    await house.payees.connect(OWNER, NORTH, email="pay@example.com")
    await house.drain()
    shown = await house.payees.read(NORTH)
    assert shown.connected is not None and shown.connected.account_id is not None
    assert (shown.way, shown.changed_at_us) == (Way.BANK, before.changed_at_us)
    # Chosen again, the same way is no change and freezes nothing.
    again = await house.payees.choose(OWNER, NORTH, Way.BANK, shown.version)
    assert (again.version, again.changed_at_us) == (shown.version, shown.changed_at_us)


async def test_nobody_is_paid_by_a_bank_account_that_there_is_not(house: PayoutHouse) -> None:
    await house.connected()
    shown = await house.payees.read(NORTH)
    choosing = house.payees.choose(OWNER, NORTH, Way.BANK, shown.version)
    assert (await refused(choosing)).refusal is PayoutRefusal.NOT_NOW


async def test_what_staff_entered_is_not_confirmed_over_what_the_payee_says_after_it(
    house: PayoutHouse,
) -> None:
    entered = await house.payees.set_bank(CLERK, NORTH, OTHER_BANK, by_staff=True)
    assert entered.waiting is not None
    shown = await house.payees.set_bank(OWNER, NORTH, BANK)
    assert (shown.waiting, shown.bank is not None) == (None, True)
    stale = house.payees.decide_bank(CHIEF, NORTH, entered.waiting.bank_account_id, agrees=True)
    assert (await refused(stale)).refusal is PayoutRefusal.NOT_WAITING
