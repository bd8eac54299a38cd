"""What the parties agree on before the first bid: the terms of a sale, and its lots as listed."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from auction.ids import ABidderId, ALotId, LotId
from auction.increments import LIQUIDATION, IncrementTable
from auction.money import EXPONENTS, BasisPoints, Minor, PositiveMinor

# 2**53 microseconds reach the year 2255; JavaScript holds them exactly.
Instant = Annotated[int, Meta(ge=0, le=2**53)]  # microseconds since the epoch, UTC
Duration = Annotated[int, Meta(ge=0, le=366 * 86_400_000_000)]  # microseconds
# What every store and every encoder can hold: neither NUL (PostgreSQL's text has none) nor half
# of a surrogate pair (UTF-8 has none).
STORABLE = r"\A[^\x00\ud800-\udfff]*\Z"
Text = Annotated[str, Meta(max_length=200, pattern=STORABLE)]
Restriction = Annotated[str, Meta(min_length=1, max_length=64, pattern=STORABLE)]
Digest = Annotated[bytes, Meta(min_length=32, max_length=32)]


class LotKind(StrEnum):
    """What is sold as one."""

    CASE = "CASE"
    PALLET = "PALLET"
    PALLETS = "PALLETS"
    TRUCKLOAD = "TRUCKLOAD"


class SaleAudience(StrEnum):
    """Who may see a sale, and bid in it. GROUP and INVITE differ in how its seller chose whom to
    admit, and not in what follows."""

    PUBLIC = "PUBLIC"  # everybody sees it, every approved reseller may register
    GROUP = "GROUP"  # the members of groups that the seller keeps
    INVITE = "INVITE"  # who was invited to this sale


class SaleFormat(StrEnum):
    """How the winner is found. The log has room for other formats than the one built."""

    ENGLISH = "ENGLISH"


class PriceRule(StrEnum):
    """What the leader would pay now, given the best rival."""

    INCREMENT_OVER = "INCREMENT_OVER"  # one increment over the rival, at most the own maximum
    MATCH_RIVAL = "MATCH_RIVAL"  # the rival's maximum
    AT_MAXIMUM = "AT_MAXIMUM"  # the own maximum: open outcry without proxy


class ExtensionMode(StrEnum):
    """How a late bid moves the end."""

    RESET = "RESET"  # to now + extension, if that is later
    ADD = "ADD"  # by the extension


class ClosingMode(StrEnum):
    """Which lots an extension moves."""

    INDEPENDENT = "INDEPENDENT"  # the lot that was bid on
    GROUP = "GROUP"  # every open lot of its group, to the same end if that is later
    CASCADE = "CASCADE"  # that lot and all later ones, by the same time


class VoidRule(StrEnum):
    """What becomes of the other bids when a bidder's are voided."""

    RESTORE = "RESTORE"  # the lot stands as if that bidder had not bid
    NO_REVIVE = "NO_REVIVE"  # the lot reopens at the opening bid (UCC 2-328(3))


class Confirmation(StrEnum):
    """Whether the seller is asked after the hammer to confirm each lot, before money is taken."""

    NOT_ASKED = "NOT_ASKED"  # what is sold is sold
    ELSE_SOLD = "ELSE_SOLD"  # a seller that does not answer in time has confirmed
    ELSE_CANCELLED = "ELSE_CANCELLED"  # sold subject to confirmation: without one it is cancelled


class SoftClose(Struct, frozen=True, forbid_unknown_fields=True):
    """A bid in the last ``window_us`` before the end moves it by, or to, ``extension_us``."""

    window_us: Duration
    extension_us: Duration
    mode: ExtensionMode = ExtensionMode.RESET


class PremiumTier(Struct, frozen=True, forbid_unknown_fields=True):
    """The rate for the part of the hammer price above ``from_minor``."""

    from_minor: Minor
    rate_bps: BasisPoints


class Premium(Struct, frozen=True, forbid_unknown_fields=True):
    """The buyer's premium: marginal tiers, and a minimum for each lot."""

    tiers: Annotated[tuple[PremiumTier, ...], Meta(max_length=20)] = ()
    minimum_minor: Minor = 0
    taxable: bool = True


FIVE_MINUTES_US = 300_000_000


class Terms(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The terms of a sale. ``version`` is what a bidder accepts; a change needs a new one."""

    version: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    currency: str = "USD"
    sale_format: SaleFormat = SaleFormat.ENGLISH
    increments: IncrementTable = LIQUIDATION
    price_rule: PriceRule = PriceRule.INCREMENT_OVER
    # Off only to replay recorded auctions whose bids were taken below our minimum.
    enforce_minimum: bool = True
    soft_close: SoftClose | None = SoftClose(FIVE_MINUTES_US, FIVE_MINUTES_US)
    closing: ClosingMode = ClosingMode.INDEPENDENT
    void_rule: VoidRule = VoidRule.RESTORE
    # How long the top bidder stays bound while the liquidator considers a bid that did not
    # meet the reserve; None: such a lot passes at its end.
    if_bid_us: Duration | None = None
    premium: Premium = Premium()
    freight_taxable: bool = True
    deposit_minor: Minor = 0  # what a bidder must have deposited to register
    deposit_factor: Annotated[int, Meta(ge=1, le=1_000)] = 10  # limit = deposit x factor
    certificate_required: bool = False  # a resale certificate
    confirmation: Confirmation = Confirmation.NOT_ASKED


class LotListing(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A lot as it is scheduled. Open in [opens_at, closes_at)."""

    lot_id: ALotId
    kind: LotKind = LotKind.PALLET
    title: Text = ""
    opening_minor: PositiveMinor
    reserve_minor: PositiveMinor | None = None  # secret; None: sold without reserve
    opens_at_us: Instant
    closes_at_us: Instant
    latest_end_us: Instant | None = None  # extensions stop here
    group: Text = ""  # the lots that close together under GROUP
    restrictions: Annotated[tuple[Restriction, ...], Meta(max_length=20)] = ()
    consignor_id: ABidderId | None = None
    manifest_sha256: Digest | None = None


def terms_fault(terms: Terms) -> str | None:
    """What makes these terms unusable, as one sentence; ``None`` when nothing does."""
    if terms.currency not in EXPONENTS:
        return f"terms.currency: {terms.currency!r} is not a currency that sales are held in"
    if terms.increments.exponent not in (None, EXPONENTS[terms.currency]):
        return f"terms.increments: the preset is not made for {terms.currency}"
    soft_close = terms.soft_close
    if soft_close is not None and 0 in (soft_close.window_us, soft_close.extension_us):
        return "terms.soft_close: window and extension must be longer than nothing"
    bounds = [tier.from_minor for tier in terms.premium.tiers]
    if bounds and (bounds[0] != 0 or bounds != sorted(set(bounds))):
        return "terms.premium.tiers: must start at 0 and rise"
    return terms.increments.fault()


def times_fault(lot_id: LotId, opens_at_us: int, closes_at_us: int, now_us: int) -> str | None:
    """What makes these times unfit for a lot; ``None`` when nothing does."""
    if closes_at_us <= opens_at_us:
        return f"lot {lot_id}: closes_at must be after opens_at"
    if closes_at_us <= now_us:
        return f"lot {lot_id}: closes_at is already past"
    return None


def listing_fault(listing: LotListing, terms: Terms, now_us: int) -> str | None:
    """What makes this lot unfit for a sale under these terms; ``None`` when nothing does."""
    name = f"lot {listing.lot_id}"
    table = terms.increments
    fault = times_fault(listing.lot_id, listing.opens_at_us, listing.closes_at_us, now_us)
    if fault is not None:
        return fault
    if listing.latest_end_us is not None and listing.latest_end_us < listing.closes_at_us:
        return f"{name}: latest_end must not be before closes_at"
    if listing.opening_minor < table.least_opening_minor:
        return f"{name}: the opening bid is below the least that the increments allow"
    if listing.opening_minor % table.unit_minor or (listing.reserve_minor or 0) % table.unit_minor:
        return (
            f"{name}: opening bid and reserve must be multiples of {table.unit_minor} minor units"
        )
    return None
