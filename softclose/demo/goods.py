"""What is sold in the demonstration: ten pallets and a truckload of made-up liquidation goods."""

from dataclasses import dataclass
from typing import Final

from auction.catalog.goods import Condition, FreightTerms
from auction.terms import LotKind


@dataclass(frozen=True)
class Warehouse:
    """Where goods are: a company that does not exist, in a town that does."""

    company: str
    street: str
    city: str
    region: str
    postal_code: str


JOLIET: Final = Warehouse("Prairie Gate Logistics", "2150 Example Rd", "Joliet", "IL", "60436")
GROVEPORT: Final = Warehouse("Rickenfield Storage", "600 Sample Ave", "Groveport", "OH", "43125")
FONTANA: Final = Warehouse("Palmyard Distribution", "9800 Specimen St", "Fontana", "CA", "92337")
MEMPHIS: Final = Warehouse("Bluffline Freight", "4410 Model Dr", "Memphis", "TN", "38118")


@dataclass(frozen=True, kw_only=True)
class Goods:
    """What is in a lot. ``worth`` is what its goods usually bring, as a fraction of the MSRP.

    ``pallets`` of 40 by 48 inches, each ``height_mm`` high. ``load``: how they are packed, for
    the pictures.
    """

    title: str
    category: str
    source: str
    condition: Condition
    units: int
    msrp_minor: int
    opening_minor: int
    worth: float
    reserve_minor: int | None = None
    kind: LotKind = LotKind.PALLET
    pallets: int = 1
    height_mm: int = 1_830
    load: str = "cartons"
    warehouse: Warehouse = JOLIET
    freight_class: str = "125"
    freight_terms: FreightTerms = FreightTerms.BINDING
    freight_fixed_minor: int | None = None
    restrictions: tuple[str, ...] = ()
    description: str


# The television lot's reserve is beyond what anybody would pay for salvage, and nobody in the
# room deals in artificial trees in their wrong season: two lots that pass, for two reasons.
GOODS: Final = (
    Goods(
        title="Kitchen appliances",
        category="kitchen",
        source="customer returns",
        condition=Condition.USED_GOOD,
        units=48,
        msrp_minor=4_870_00,
        opening_minor=100_00,
        worth=0.21,
        description="Toasters, mixers, coffee makers and air fryers that customers sent back to a "
        "department store. Each piece was plugged in and switched on; most are in their own "
        "carton, some cartons were opened and taped again. Manuals and small parts may be missing.",
    ),
    Goods(
        title="Cordless power tools",
        category="tools",
        source="customer returns",
        condition=Condition.USED_GOOD,
        units=36,
        msrp_minor=6_240_00,
        opening_minor=250_00,
        worth=0.27,
        reserve_minor=1_000_00,
        height_mm=1_320,
        freight_class="92.5",
        warehouse=GROVEPORT,
        description="Drills, saws and drivers of one 20-volt system, returned to a hardware chain. "
        "Tested for motion and charge. Bare tools come without a battery; the kits have theirs.",
    ),
    Goods(
        title="Bedding and bath",
        category="home",
        source="shelf pulls",
        condition=Condition.LIKE_NEW,
        units=210,
        msrp_minor=5_130_00,
        opening_minor=100_00,
        worth=0.22,
        freight_class="175",
        freight_terms=FreightTerms.FIXED,
        freight_fixed_minor=189_00,
        load="bales",
        description="Sheets, comforters, pillows and towels, taken off the shelf at the end of a "
        "season. Never used; packages show handling, and some carry price stickers.",
    ),
    Goods(
        title="Laptops and tablets",
        category="electronics",
        source="customer returns",
        condition=Condition.UNINSPECTED,
        units=40,
        msrp_minor=18_400_00,
        opening_minor=1_000_00,
        worth=0.25,
        reserve_minor=3_200_00,
        height_mm=1_020,
        freight_class="100",
        warehouse=FONTANA,
        restrictions=("no marketplaces",),
        description="Returned to an online shop within thirty days and not looked at since. Expect "
        "working ones, locked ones, cracked ones, and chargers for about two in three. Drives are "
        "to be wiped by the buyer before anything is sold on. Not for sale on marketplaces.",
    ),
    Goods(
        title="Toys and games",
        category="toys",
        source="overstock",
        condition=Condition.NEW,
        units=320,
        msrp_minor=6_480_00,
        opening_minor=150_00,
        worth=0.28,
        freight_terms=FreightTerms.FREE,
        warehouse=MEMPHIS,
        description="Factory-fresh cartons that arrived after the holidays. Sealed cases, mixed "
        "on the pallet; the packing list is by article. Freight within the country is ours.",
    ),
    Goods(
        title="Strollers, car seats",
        category="baby",
        source="shelf pulls",
        condition=Condition.LIKE_NEW,
        units=52,
        msrp_minor=5_960_00,
        opening_minor=150_00,
        worth=0.25,
        freight_class="150",
        warehouse=GROVEPORT,
        restrictions=("delabel",),
        description="Display and end-of-line pieces, complete, with their papers. Car seats were "
        "never in a vehicle and are within their dates. The retailer's labels come off before "
        "anything is sold on.",
    ),
    Goods(
        title="Televisions, cracked",
        category="electronics",
        source="customer returns",
        condition=Condition.SALVAGE,
        units=20,
        msrp_minor=7_350_00,
        opening_minor=300_00,
        worth=0.09,
        reserve_minor=2_500_00,
        freight_class="150",
        load="panels",
        warehouse=FONTANA,
        description="Broken panels, for boards, stands and remotes. Nothing here is promised to "
        "show a picture; cartons are as they came back. Salvage: no claims for condition.",
    ),
    Goods(
        title="Apparel, mixed sizes",
        category="apparel",
        source="overstock",
        condition=Condition.NEW,
        units=540,
        msrp_minor=14_200_00,
        opening_minor=200_00,
        worth=0.12,
        height_mm=1_420,
        freight_class="100",
        load="bin",
        warehouse=MEMPHIS,
        restrictions=("export only",),
        description="Current basics for women, men and children in a bin of the pallet's size, "
        "bagged piece by piece, with tags. Even sizes, more medium and large. For export only.",
    ),
    Goods(
        title="Vacuums and floor care",
        category="home",
        source="customer returns",
        condition=Condition.USED_FAIR,
        units=32,
        msrp_minor=7_700_00,
        opening_minor=200_00,
        worth=0.16,
        reserve_minor=750_00,
        description="Uprights, sticks, robots and carpet washers after a trial at home. Emptied "
        "and wiped, run for a minute. Wear on heads and brushes; batteries hold some charge.",
    ),
    Goods(
        title="Artificial trees, 7 ft",
        category="seasonal",
        source="customer returns",
        condition=Condition.USED_FAIR,
        units=22,
        msrp_minor=4_180_00,
        opening_minor=600_00,
        worth=0.10,
        freight_class="200",
        freight_terms=FreightTerms.BUYER_ARRANGED,
        load="longs",
        description="Back in January in cartons that were closed with hope. Poles and stands are "
        "there; lights were not tried. You send the truck: no freight from us.",
    ),
    Goods(
        title="Furniture and DIY",
        category="furniture",
        source="customer returns",
        condition=Condition.UNINSPECTED,
        units=1_150,
        msrp_minor=96_500_00,
        opening_minor=5_000_00,
        worth=0.16,
        reserve_minor=9_500_00,
        kind=LotKind.TRUCKLOAD,
        pallets=24,
        height_mm=2_030,
        freight_class="150",
        load="truck",
        description="A trailer of 53 feet from a home-improvement chain: chairs, tables, shelves, "
        "lamps, faucets and hand tools, as they came back. Not inspected. The manifest is by "
        "pallet; the trailer is live-loaded at a dock and leaves sealed.",
    ),
)
