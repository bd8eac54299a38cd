"""Reads the marketplace's policy, a liquidator's commission and a country's holidays."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import asyncpg
import msgspec

from auction.ids import LiquidatorId
from foundation.database import AnyConnection
from settlement.policy import Commission, Policy

# The version in force, with the days to pay that buyers are told (payment_policy).
_SELECT: Final = """
select settlement_policy.*, (
    select days_to_pay from payment_policy where from_us <= $2 order by from_us desc limit 1
) as days_to_pay
from settlement_policy where currency = $1
"""
_POLICY: Final = f"{_SELECT} and valid_from_us <= $2 order by valid_from_us desc limit 1"
_VERSION: Final = f"{_SELECT} and version = $3"

_COMMISSION: Final = """
select rate_bps, least_minor from liquidator_commission
where liquidator_id = $1 and currency = $2 and valid_from_us <= $3
order by valid_from_us desc limit 1
"""

_HOLIDAYS: Final = "select day from bank_holiday where country = $1"


async def policy_of_version(
    connection: AnyConnection, currency: str, version: int, at_us: int
) -> Policy:
    """A version by which something was issued then; what is issued by it keeps it for ever."""
    row = await connection.fetchrow(_VERSION, currency, at_us, version)
    assert row is not None, "a version of the policy is never removed"
    return _policy(row)


async def policy_at(connection: AnyConnection, currency: str, at_us: int) -> Policy | None:
    """The policy in force then; ``None``: there is none for the currency, and a person must say."""
    row = await connection.fetchrow(_POLICY, currency, at_us)
    return None if row is None else _policy(row)


async def commission_at(
    connection: AnyConnection, liquidator_id: LiquidatorId, policy: Policy, at_us: int
) -> Commission:
    """What the house takes of this liquidator's hammer prices: its own rate, or the policy's."""
    row = await connection.fetchrow(_COMMISSION, liquidator_id, policy.currency, at_us)
    if row is None:
        return Commission(policy.commission_bps, policy.commission_least_minor)
    return Commission(row["rate_bps"], row["least_minor"])


async def holidays_of(connection: AnyConnection, country: str) -> frozenset[date]:
    """The days on which no money moves in a country."""
    rows = await connection.fetch(_HOLIDAYS, country)
    return frozenset(row["day"] for row in rows)


def _policy(row: asyncpg.Record) -> Policy:
    figures: Mapping[str, Any] = {name: row[name] for name in Policy.__struct_fields__}
    return msgspec.convert(figures, Policy)
