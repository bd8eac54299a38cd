"""The marketplace's policy as rows: what a new installation has, and how figures change."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from auction.ids import LiquidatorId
from foundation.database import connect
from settlement.policy import Commission
from settlement.policy_table import commission_at, holidays_of, policy_at
from tests.settlement_rules import MEMORIAL_DAY, policy

ACME = LiquidatorId("acme")

_ADD = """
insert into settlement_policy
select (jsonb_populate_record(p, $1::text::jsonb)).* from settlement_policy p where version = 1
"""


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    opened = await connect(database_url, name="test")
    yield opened
    await opened.close()


async def test_a_new_installation_has_the_figures_of_the_rules(
    connection: asyncpg.Connection,
) -> None:
    assert await policy_at(connection, "USD", 1) == policy()
    assert MEMORIAL_DAY in await holidays_of(connection, "US")
    assert not await holidays_of(connection, "XX")


async def test_a_currency_without_a_row_has_no_policy(connection: asyncpg.Connection) -> None:
    assert await policy_at(connection, "EUR", 1) is None


async def test_a_version_holds_from_its_time_on(connection: asyncpg.Connection) -> None:
    await connection.execute(
        _ADD, '{"version": 2, "valid_from_us": 1000, "card_cap_minor": 500000, "claim_days": 5}'
    )
    await connection.execute("insert into payment_policy values (1000, 3)")
    assert await policy_at(connection, "USD", 999) == policy()
    changed = policy(
        version=2, valid_from_us=1_000, card_cap_minor=5_000_00, claim_days=5, days_to_pay=3
    )
    assert await policy_at(connection, "USD", 1_000) == changed


async def test_a_liquidator_may_have_a_commission_of_its_own(
    connection: asyncpg.Connection,
) -> None:
    await connection.execute(
        "insert into liquidator_commission values ('acme', 'USD', 1000, 500, 2500, 0, 'staff')"
    )
    assert await commission_at(connection, ACME, policy(), 999) == Commission(1_000, 0)
    assert await commission_at(connection, ACME, policy(), 1_000) == Commission(500, 25_00)
    assert await commission_at(connection, LiquidatorId("b"), policy(), 1_000) == Commission(1_000)


@pytest.mark.parametrize(
    "sql",
    [
        "update settlement_policy set claim_days = 9",
        "delete from settlement_policy",
        "truncate settlement_policy",
        "truncate liquidator_commission",
    ],
)
async def test_a_figure_is_never_changed_where_it_stands(
    connection: asyncpg.Connection, sql: str
) -> None:
    with pytest.raises(asyncpg.RaiseError, match="is never changed"):
        await connection.execute(sql)
