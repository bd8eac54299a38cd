"""Freight quotes by the terms of a lot and a rate table."""

from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from auction.catalog.freight import (
    NEEDS_A_DOCK,
    NOT_SERVED,
    OTHER_CURRENCY,
    SELLERS_PRICE_VALID_US,
    Charge,
    Destination,
    LtlBand,
    Quote,
    Rates,
    Service,
    Shipment,
    TruckloadBand,
    Zone,
    quoted,
    road_miles,
)
from auction.catalog.goods import FREIGHT_CLASSES, FreightTerms
from auction.terms import LotKind

NOW_US: Final = 1_772_409_600_000_000
HOUR_US: Final = 3_600_000_000

# Zones a degree of latitude apart: 69.1 miles, 83 by a road a fifth longer.
ZONES: Final = (
    Zone(100, 199, "Southtown", 400, -900),
    Zone(200, 299, "Midtown", 410, -900),
    Zone(300, 310, "Northtown", 500, -900),
)
RATES: Final = Rates(
    version=7,
    label="of a test",
    currency="USD",
    road_bps=12_000,
    least_miles=30,
    fuel_bps=2_000,
    ltl_minimum_minor=100_00,
    truckload_minimum_minor=500_00,
    most_ltl_pallets=10,
    most_ltl_weight_g=8_000_000,
    quote_valid_us=48 * HOUR_US,
    ltl=(LtlBand(0, 40_00, 20_00), LtlBand(80, 100_00, 50_00), LtlBand(800, 200_00, 90_00)),
    lanes={(150, 250): LtlBand(0, 77_00, 11_00)},
    class_factors=dict.fromkeys(FREIGHT_CLASSES, 10_000) | {"125": 11_000, "50": 7_500},
    truckload=(TruckloadBand(0, 4_00), TruckloadBand(500, 2_50)),
    surcharges={
        "LIFTGATE": 85_00,
        "RESIDENTIAL": 90_00,
        "LIMITED_ACCESS": 75_00,
        "APPOINTMENT": 35_00,
    },
    zones=ZONES,
)


def shipment(**changes: Any) -> Shipment:
    """Two pallets of class 125 from Southtown."""
    settings: dict[str, Any] = {
        "postal_code": "12345",
        "country": "US",
        "kind": LotKind.PALLETS,
        "pallets": 2,
        "weight_g": 600_000,
        "freight_class": "125",
        "terms": FreightTerms.BINDING,
        "fixed_minor": None,
        "currency": "USD",
    }
    return Shipment(**(settings | changes))


def to(postal_code: str = "22345", **changes: Any) -> Destination:
    return Destination(postal_code=postal_code, **changes)


def quote(there: Destination | None = None, rates: Rates = RATES, **changes: Any) -> Quote:
    """A quote that must be given; its lines make its amount."""
    given = quoted(rates, shipment(**changes), there or to(), NOW_US)
    assert isinstance(given, Quote), given
    assert given.amount_minor == sum(line.amount_minor for line in given.lines)
    return given


def lines(given: Quote) -> dict[str, int]:
    return {line.charge: line.amount_minor for line in given.lines}


# BINDING: less than a truckload


def test_two_pallets_to_the_next_zone() -> None:
    """(100 + 2 x 50) x 1.10 for class 125 = 220.00, and 20 % fuel."""
    given = quote()
    assert lines(given) == {Charge.LINE_HAUL: 220_00, Charge.FUEL: 44_00}
    assert (given.amount_minor, given.currency, given.miles) == (264_00, "USD", 83)
    assert given.service is Service.LTL
    assert given.basis == "rate table 7, Southtown to Midtown"
    assert (given.issued_at_us, given.expires_at_us) == (NOW_US, NOW_US + 48 * HOUR_US)


def test_the_band_is_that_of_the_miles() -> None:
    assert lines(quote(to("10000")))[Charge.LINE_HAUL] == 100_00  # 80 x 1.10, but the minimum
    assert lines(quote(to("31000")))[Charge.LINE_HAUL] == 418_00  # (200 + 2 x 90) x 1.10
    near = replace(RATES, road_bps=11_579)  # 80 miles to the mile: the band begins at it
    assert quote(rates=near).miles == 80
    assert lines(quote(rates=near))[Charge.LINE_HAUL] == 220_00


def test_a_lane_has_a_price_of_its_own() -> None:
    given = quote(to("25099"), postal_code="15001")
    assert lines(given)[Charge.LINE_HAUL] == 108_90  # (77 + 2 x 11) x 1.10
    assert lines(quote(to("15001"), postal_code="25099"))[Charge.LINE_HAUL] == 220_00  # back: none


def test_dense_goods_travel_for_less() -> None:
    assert lines(quote(freight_class="50"))[Charge.LINE_HAUL] == 150_00
    assert lines(quote(freight_class="100"))[Charge.LINE_HAUL] == 200_00


def test_loose_cases_travel_as_one_pallet() -> None:
    loose = quote(kind=LotKind.CASE, pallets=0)
    assert lines(loose) == lines(quote(kind=LotKind.PALLET, pallets=1))


def test_what_it_takes_to_unload_costs_extra_and_bears_no_fuel() -> None:
    hard = to(liftgate=True, residential=True, limited_access=True, appointment=True)
    extra = {
        Charge.LIFTGATE: 85_00,
        Charge.RESIDENTIAL: 90_00,
        Charge.LIMITED_ACCESS: 75_00,
        Charge.APPOINTMENT: 35_00,
    }
    assert lines(quote(hard)) == {Charge.LINE_HAUL: 220_00, Charge.FUEL: 44_00, **extra}
    assert lines(quote(to(liftgate=True)))[Charge.LIFTGATE] == 85_00
    assert Charge.RESIDENTIAL not in lines(quote(to(liftgate=True)))


def test_a_table_without_fuel_has_no_line_for_it() -> None:
    assert list(lines(quote(rates=replace(RATES, fuel_bps=0)))) == [Charge.LINE_HAUL]


# BINDING: truckloads


def test_a_truckload_is_paid_by_the_mile() -> None:
    """829 miles at 2.50; beyond what others share, a truck of its own."""
    whole = quote(to("31000"), kind=LotKind.TRUCKLOAD, pallets=24)
    assert (whole.service, whole.miles) == (Service.TRUCKLOAD, 829)
    assert lines(whole) == {Charge.LINE_HAUL: 829 * 2_50, Charge.FUEL: 829 * 50}
    assert quote(to("31000"), pallets=11).service is Service.TRUCKLOAD
    assert quote(to("31000"), pallets=10).service is Service.LTL
    assert quote(weight_g=8_000_001).service is Service.TRUCKLOAD
    assert quote(weight_g=8_000_000).service is Service.LTL


def test_a_short_way_costs_the_least_that_a_truck_costs() -> None:
    assert lines(quote(kind=LotKind.TRUCKLOAD))[Charge.LINE_HAUL] == 500_00


def test_a_truckload_needs_a_dock() -> None:
    for there in (to(liftgate=True), to(residential=True)):
        truck = shipment(kind=LotKind.TRUCKLOAD)
        assert quoted(RATES, truck, there, NOW_US) is NEEDS_A_DOCK
    by_appointment = quote(to(appointment=True), kind=LotKind.TRUCKLOAD)
    assert lines(by_appointment)[Charge.APPOINTMENT] == 35_00


# Where there is no quote


@pytest.mark.parametrize(
    ("there", "changes"),
    [
        (to("99501"), {}),
        (to("31100"), {}),
        (to("09999"), {}),
        (to(), {"postal_code": "96701"}),
        (to(country="CA"), {}),
        (to(), {"country": "MX"}),
    ],
)
def test_places_outside_the_table_are_not_served(
    there: Destination, changes: dict[str, Any]
) -> None:
    assert quoted(RATES, shipment(**changes), there, NOW_US) is NOT_SERVED


def test_rates_are_of_one_currency() -> None:
    assert quoted(RATES, shipment(currency="CAD"), to(), NOW_US) is OTHER_CURRENCY


# The seller's prices


@pytest.mark.parametrize("there", [to(), to("99501"), to(country="CA"), to(liftgate=True)])
def test_fixed_and_free_are_the_same_wherever_it_goes(there: Destination) -> None:
    fixed = quote(there, terms=FreightTerms.FIXED, fixed_minor=250_00, currency="EUR")
    assert lines(fixed) == {Charge.SELLERS_PRICE: 250_00}
    assert (fixed.currency, fixed.service, fixed.miles) == ("EUR", Service.SELLER, None)
    assert fixed.expires_at_us == NOW_US + SELLERS_PRICE_VALID_US
    assert quote(there, terms=FreightTerms.FREE).amount_minor == 0


def test_a_buyers_own_truck_costs_nothing_here() -> None:
    own = quote(to("99501"), terms=FreightTerms.BUYER_ARRANGED)
    assert (own.amount_minor, own.lines, own.service) == (0, (), Service.BUYER)


# The table


def test_miles_are_those_of_the_great_circle() -> None:
    """New York to Los Angeles is 2,446 miles as the crow flies between these points."""
    new_york, los_angeles = Zone(1, 1, "", 407, -740), Zone(2, 2, "", 340, -1182)
    assert abs(road_miles(new_york, los_angeles, 10_000, 0) - 2_446) <= 3
    assert road_miles(new_york, los_angeles, 11_800, 0) == road_miles(
        los_angeles, new_york, 11_800, 0
    )
    assert road_miles(new_york, new_york, 11_800, 25) == 25


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"class_factors": {"50": 1}}, "nothing for 55, 60"),
        ({"surcharges": {}}, "nothing for LIFTGATE"),
        ({"ltl": ()}, "does not begin at 0 miles"),
        ({"truckload": (TruckloadBand(10, 1),)}, "does not begin at 0 miles"),
    ],
)
def test_a_table_says_what_it_lacks(changes: dict[str, Any], says: str) -> None:
    assert RATES.fault() is None
    assert says in str(replace(RATES, **changes).fault())


@given(
    pallets=st.integers(0, 30),
    more=st.integers(1, 10),
    there=st.sampled_from(["10000", "22345", "31000"]),
    liftgate=st.booleans(),
)
def test_more_pallets_never_cost_less_as_long_as_they_share_a_truck(
    pallets: int, more: int, there: str, liftgate: bool
) -> None:
    fewer, many = (
        quoted(RATES, shipment(pallets=n), to(there, liftgate=liftgate), NOW_US)
        for n in (pallets, pallets + more)
    )
    if isinstance(fewer, Quote) and isinstance(many, Quote) and fewer.service is many.service:
        assert fewer.amount_minor <= many.amount_minor
