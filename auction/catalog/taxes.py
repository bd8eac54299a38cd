"""Which sales tax a bidder's purchases bear: by the place, unless a certificate exempts them there.

Goods that are collected are taxed where they are, goods that are sent where they go. A resale
certificate counts in the places that it is valid in; whether it is, accounts knows. Rates are rows
(``tax_table``).
"""

from msgspec import Struct


class Place(Struct, frozen=True):
    """Whose tax it is: a country (ISO 3166-1) and its state or province."""

    country: str
    region: str


class TaxRate(Struct, frozen=True):
    """What is taxed at a place, and how much: 68,750 millionths are 6.875 %."""

    place: Place
    rate_ppm: int
    premium_taxable: bool
    freight_taxable: bool
    note: str


class BidderTax(Struct, frozen=True):
    """What a bidder's purchases bear. ``exempt``: by a certificate. ``rate`` None: none is known
    for the place, and no tax is taken."""

    place: Place
    rate: TaxRate | None
    exempt: bool

    @property
    def tax_bps(self) -> int:
        """For ``RegisterBidder``: hundredths of a per cent, rounded up, so that a limit that is
        kept by it is kept by what is invoiced, too."""
        if self.rate is None or self.exempt:
            return 0
        return -(-self.rate.rate_ppm // 100)

    def on_minor(self, hammer_minor: int, premium_minor: int, freight_minor: int) -> int:
        """The tax on these, rounded half up."""
        if self.rate is None or self.exempt:
            return 0
        base_minor = hammer_minor
        base_minor += premium_minor if self.rate.premium_taxable else 0
        base_minor += freight_minor if self.rate.freight_taxable else 0
        return (base_minor * self.rate.rate_ppm + 500_000) // 1_000_000
