"""What it costs to bring a lot to the buyer: the port for quotes, and a rate table's arithmetic.

A quote is made before bidding, by the terms of the lot: BINDING is computed (here from a rate
table; behind the port from a carrier), FIXED and FREE are the seller's, under BUYER_ARRANGED there
is nothing to pay us. A quote lasts until it expires; a bid names it, and its amount counts towards
the bidder's limit and budgets.
"""

from collections.abc import Mapping
from enum import StrEnum
from math import asin, cos, radians, sin, sqrt
from typing import Annotated, Final, Protocol, TypeVar

from msgspec import Meta, Struct

from auction.catalog.goods import FREIGHT_CLASSES, FreightTerms
from auction.money import Minor, share_minor
from auction.terms import LotKind

BandT = TypeVar("BandT", "LtlBand", "TruckloadBand")

EARTH_RADIUS_MILES: Final = 3_958.8  # the mean, IUGG

PostalCode = Annotated[str, Meta(pattern=r"\A[0-9]{5}\Z")]
Country = Annotated[str, Meta(pattern=r"\A[A-Z]{2}\Z")]
# The seller's own prices hold as long as the lot is for sale: this long, to be asked again.
SELLERS_PRICE_VALID_US: Final = 7 * 86_400_000_000


class Shipment(Struct, frozen=True, kw_only=True):
    """A lot as a carrier sees it. ``pallets`` 0: loose cases, carried as one pallet."""

    postal_code: str
    country: str
    kind: LotKind
    pallets: int
    weight_g: int
    freight_class: str
    terms: FreightTerms
    fixed_minor: int | None
    currency: str


class Destination(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the goods go, and what it takes to unload them there."""

    postal_code: PostalCode
    country: Country = "US"
    liftgate: bool = False  # no dock: the truck brings its own lift
    residential: bool = False
    limited_access: bool = False  # a school, a site, a storage yard, behind a gate
    appointment: bool = False


class Charge(StrEnum):
    """What a line of a quote is for."""

    LINE_HAUL = "LINE_HAUL"
    FUEL = "FUEL"
    LIFTGATE = "LIFTGATE"
    RESIDENTIAL = "RESIDENTIAL"
    LIMITED_ACCESS = "LIMITED_ACCESS"
    APPOINTMENT = "APPOINTMENT"
    SELLERS_PRICE = "SELLERS_PRICE"


SURCHARGES: Final = (
    Charge.LIFTGATE,
    Charge.RESIDENTIAL,
    Charge.LIMITED_ACCESS,
    Charge.APPOINTMENT,
)


class Service(StrEnum):
    """How the goods travel."""

    LTL = "LTL"  # less than a truckload, with other goods
    TRUCKLOAD = "TRUCKLOAD"
    SELLER = "SELLER"  # as the seller chooses, at the seller's price
    BUYER = "BUYER"  # the buyer sends a truck


class QuoteLine(Struct, frozen=True, gc=False):
    """A part of what a quote comes to."""

    charge: Charge
    amount_minor: Minor


class Quote(Struct, frozen=True, kw_only=True):
    """What freight comes to, until ``expires_at_us``. ``amount_minor`` is the sum of the lines.

    ``basis``: what it was computed from, for who has to explain it. ``miles``: by road, if they
    mattered.
    """

    amount_minor: Minor
    currency: str
    terms: FreightTerms
    service: Service
    lines: tuple[QuoteLine, ...]
    miles: int | None
    basis: str
    issued_at_us: int
    expires_at_us: int


class NoQuoteReason(StrEnum):
    """Why there is no quote."""

    NOT_SERVED = "NOT_SERVED"
    NEEDS_A_DOCK = "NEEDS_A_DOCK"
    OTHER_CURRENCY = "OTHER_CURRENCY"


class NoQuote(Struct, frozen=True):
    """There is no price for this, with the sentence that a person reads."""

    reason: NoQuoteReason
    message: str


NOT_SERVED: Final = NoQuote(
    NoQuoteReason.NOT_SERVED, "no carrier of ours goes there; you may collect the goods"
)
NEEDS_A_DOCK: Final = NoQuote(
    NoQuoteReason.NEEDS_A_DOCK, "a truckload is unloaded at a dock: it goes to no home or liftgate"
)
OTHER_CURRENCY: Final = NoQuote(
    NoQuoteReason.OTHER_CURRENCY, "there are no freight rates in the currency of this sale"
)


class FreightQuotes(Protocol):
    """Who knows what freight costs.

    The same question at the same time gets the same answer. What cannot be answered in a few
    seconds raises ``TimeoutError`` or ``OSError``; the caller shows that there is no price yet.
    """

    async def quote(
        self, shipment: Shipment, destination: Destination, now_us: int
    ) -> Quote | NoQuote:
        """What it costs to bring this there."""
        ...


# --- A rate table --------------------------------------------------------------------------------


class Zone(Struct, frozen=True, gc=False):
    """ZIP codes from ``first_zip3`` to ``last_zip3``, and a point that stands for them."""

    first_zip3: int
    last_zip3: int
    name: str
    latitude_tenths: int
    longitude_tenths: int


class LtlBand(Struct, frozen=True, gc=False):
    """From so many miles on, at class 100."""

    from_miles: int
    per_shipment_minor: int
    per_pallet_minor: int


class TruckloadBand(Struct, frozen=True, gc=False):
    """From so many miles on, for every mile."""

    from_miles: int
    per_mile_minor: int


class Rates(Struct, frozen=True, kw_only=True):
    """A version of the table; bands are sorted. To be used if it has no ``fault``."""

    version: int
    label: str
    currency: str
    road_bps: int
    least_miles: int
    fuel_bps: int
    ltl_minimum_minor: int
    truckload_minimum_minor: int
    most_ltl_pallets: int
    most_ltl_weight_g: int
    quote_valid_us: int
    ltl: tuple[LtlBand, ...]
    lanes: Mapping[tuple[int, int], LtlBand]  # by origin and destination
    class_factors: Mapping[str, int]
    truckload: tuple[TruckloadBand, ...]
    surcharges: Mapping[str, int]
    zones: tuple[Zone, ...]

    def fault(self) -> str | None:
        """What the version lacks, as one sentence; ``None``: nothing."""
        missing = [name for name in FREIGHT_CLASSES if name not in self.class_factors]
        missing += [charge for charge in SURCHARGES if charge not in self.surcharges]
        if missing:
            return f"rate table {self.version} has nothing for {', '.join(missing)}"
        if any(not bands or bands[0].from_miles != 0 for bands in (self.ltl, self.truckload)):
            return f"rate table {self.version} does not begin at 0 miles"
        return None

    def zone(self, zip3: int) -> Zone | None:
        """The zone of a place; ``None``: it is not served."""
        return next((z for z in self.zones if z.first_zip3 <= zip3 <= z.last_zip3), None)


def quoted(
    rates: Rates, shipment: Shipment, destination: Destination, now_us: int
) -> Quote | NoQuote:
    """A quote by the lot's terms and these rates."""
    match shipment.terms:
        case FreightTerms.FREE:
            return _sellers(shipment, 0, now_us)
        case FreightTerms.FIXED:
            assert shipment.fixed_minor is not None, "a fixed freight has a price"
            return _sellers(shipment, shipment.fixed_minor, now_us)
        case FreightTerms.BUYER_ARRANGED:
            return _quote(shipment, Service.BUYER, (), None, "the buyer's own carrier", now_us)
        case FreightTerms.BINDING:
            return _binding(rates, shipment, destination, now_us)


def _sellers(shipment: Shipment, amount_minor: int, now_us: int) -> Quote:
    line = QuoteLine(Charge.SELLERS_PRICE, amount_minor)
    return _quote(shipment, Service.SELLER, (line,), None, "the seller's price", now_us)


def _quote(
    shipment: Shipment,
    service: Service,
    lines: tuple[QuoteLine, ...],
    miles: int | None,
    basis: str,
    now_us: int,
    valid_us: int = SELLERS_PRICE_VALID_US,
) -> Quote:
    return Quote(
        amount_minor=sum(line.amount_minor for line in lines),
        currency=shipment.currency,
        terms=shipment.terms,
        service=service,
        lines=lines,
        miles=miles,
        basis=basis,
        issued_at_us=now_us,
        expires_at_us=now_us + valid_us,
    )


def _binding(
    rates: Rates, shipment: Shipment, destination: Destination, now_us: int
) -> Quote | NoQuote:
    if shipment.currency != rates.currency:
        return OTHER_CURRENCY
    if (shipment.country, destination.country) != ("US", "US"):
        return NOT_SERVED
    origin_zip3, destination_zip3 = int(shipment.postal_code[:3]), int(destination.postal_code[:3])
    origin, goal = rates.zone(origin_zip3), rates.zone(destination_zip3)
    if origin is None or goal is None:
        return NOT_SERVED
    miles = road_miles(origin, goal, rates.road_bps, rates.least_miles)
    service = _service(rates, shipment)
    if service is Service.TRUCKLOAD:
        if destination.liftgate or destination.residential:
            return NEEDS_A_DOCK
        per_mile_minor = _last(rates.truckload, miles).per_mile_minor
        haul_minor = max(miles * per_mile_minor, rates.truckload_minimum_minor)
    else:
        lane = rates.lanes.get((origin_zip3, destination_zip3)) or _last(rates.ltl, miles)
        pallets_minor = max(1, shipment.pallets) * lane.per_pallet_minor
        at_class_100_minor = lane.per_shipment_minor + pallets_minor
        factor_bps = rates.class_factors[shipment.freight_class]
        haul_minor = max(share_minor(at_class_100_minor, factor_bps), rates.ltl_minimum_minor)
    lines = [QuoteLine(Charge.LINE_HAUL, haul_minor)]
    if rates.fuel_bps:
        lines.append(QuoteLine(Charge.FUEL, share_minor(haul_minor, rates.fuel_bps)))
    wanted = (
        destination.liftgate,
        destination.residential,
        destination.limited_access,
        destination.appointment,
    )
    lines += [
        QuoteLine(c, rates.surcharges[c]) for c, w in zip(SURCHARGES, wanted, strict=True) if w
    ]
    basis = f"rate table {rates.version}, {origin.name} to {goal.name}"
    return _quote(shipment, service, tuple(lines), miles, basis, now_us, rates.quote_valid_us)


def _service(rates: Rates, shipment: Shipment) -> Service:
    beyond = (
        shipment.pallets > rates.most_ltl_pallets or shipment.weight_g > rates.most_ltl_weight_g
    )
    return Service.TRUCKLOAD if beyond or shipment.kind is LotKind.TRUCKLOAD else Service.LTL


def _last(bands: tuple[BandT, ...], miles: int) -> BandT:
    return [band for band in bands if band.from_miles <= miles][-1]


def road_miles(origin: Zone, goal: Zone, road_bps: int, least_miles: int) -> int:
    """Whole miles by road: the great circle between the zones' points, and a share for the road."""
    lat1, lat2 = radians(origin.latitude_tenths / 10), radians(goal.latitude_tenths / 10)
    half_lat = (lat2 - lat1) / 2
    half_lon = radians((goal.longitude_tenths - origin.longitude_tenths) / 10) / 2
    haversine = sin(half_lat) ** 2 + cos(lat1) * cos(lat2) * sin(half_lon) ** 2
    straight = round(2 * EARTH_RADIUS_MILES * asin(sqrt(haversine)))
    return max(share_minor(straight, road_bps), least_miles)
