"""Freight from tables in PostgreSQL: the version of the rates in force, kept for a minute.

An operator adds a version with the time from which it holds; every process takes it up by itself.
"""

from typing import Final

import structlog

from auction.catalog.freight import (
    Destination,
    LtlBand,
    NoQuote,
    Quote,
    Rates,
    Shipment,
    TruckloadBand,
    Zone,
    quoted,
)
from foundation.database import AnyConnection, Pool, acquire
from foundation.errors import OperatorError

# How long a version is used without a look whether there is another. Zones and rates are some
# hundred rows; a page of lots asks for as many quotes as it has lots.
LOOK_AGAIN_US: Final = 60_000_000

_POLICY = """
select version, label, currency, road_bps, least_miles, fuel_bps, ltl_minimum_minor,
    truckload_minimum_minor, most_ltl_pallets, most_ltl_weight_g, quote_valid_us
from freight_policy where valid_from_us <= $1 order by valid_from_us desc limit 1
"""
_LTL = """
select from_miles, per_shipment_minor, per_pallet_minor from freight_ltl_band
where version = $1 order by from_miles
"""
_LANES = """
select origin_zip3, destination_zip3, per_shipment_minor, per_pallet_minor from freight_lane
where version = $1
"""
_CLASSES = "select freight_class, factor_bps from freight_class_factor where version = $1"
_TRUCKLOAD = """
select from_miles, per_mile_minor from freight_truckload_band where version = $1
order by from_miles
"""
_SURCHARGES = "select surcharge, amount_minor from freight_surcharge where version = $1"
_ZONES = """
select first_zip3, last_zip3, name, latitude_tenths, longitude_tenths from freight_zone
order by first_zip3
"""


_logger = structlog.get_logger(__name__)


class BadRates(OperatorError):
    """The freight rates in force cannot be used; the message says what they lack."""


class FreightTable:
    """See ``freight.FreightQuotes``."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._rates: Rates | None = None
        self._read_at_us = 0

    async def quote(
        self, shipment: Shipment, destination: Destination, now_us: int
    ) -> Quote | NoQuote:
        """By the rates in force at ``now_us``."""
        rates = self._rates
        if rates is None or not 0 <= now_us - self._read_at_us < LOOK_AGAIN_US:
            rates = self._rates = await self._look(now_us)
            self._read_at_us = now_us
        return quoted(rates, shipment, destination, now_us)

    async def _look(self, now_us: int) -> Rates:
        """The version in force; a faulty one is named in the log, and the one before it stays."""
        async with acquire(self._pool) as connection:
            rates = await read_rates(connection, now_us)
        fault = rates.fault()
        if fault is None:
            return rates
        if self._rates is None:
            raise BadRates(fault)
        _logger.error("freight_rates_are_faulty", fault=fault, used=self._rates.version)
        return self._rates


async def read_rates(connection: AnyConnection, now_us: int) -> Rates:
    """The version of the table that is in force at this time."""
    policy = await connection.fetchrow(_POLICY, now_us)
    assert policy is not None, "the first version holds from the beginning of time"
    version = policy["version"]
    lanes = await connection.fetch(_LANES, version)
    return Rates(
        **dict(policy),
        ltl=tuple(LtlBand(*row) for row in await connection.fetch(_LTL, version)),
        lanes={(row[0], row[1]): LtlBand(0, row[2], row[3]) for row in lanes},
        class_factors={row[0]: row[1] for row in await connection.fetch(_CLASSES, version)},
        truckload=tuple(TruckloadBand(*r) for r in await connection.fetch(_TRUCKLOAD, version)),
        surcharges={row[0]: row[1] for row in await connection.fetch(_SURCHARGES, version)},
        zones=tuple(Zone(*row) for row in await connection.fetch(_ZONES)),
    )
