"""Facts of documents: the worked example as it comes to paper, and goods at a dock."""

from hashlib import sha256
from io import BytesIO
from typing import Any

from PIL import Image

from auction.catalog.goods import Condition, ManifestLine
from foundation.papers.sizes import Paper
from settlement.papers.contents import (
    Acceptance,
    BidLine,
    ConsignorStatement,
    CreditNoteContent,
    EvidenceContent,
    InvoiceContent,
    Label,
    LabelsContent,
    LiquidatorStatement,
    Load,
    LoadedLot,
    LoadingContent,
    LotLine,
    ManifestContent,
    Moved,
    Outcome,
    PayoutAdvice,
    Photo,
    Said,
    Signed,
    SoldLot,
    TaxLine,
)
from settlement.papers.letterhead import Bank, Fact, House, Party
from tests.settlement_rules import at_us

CHICAGO = "America/Chicago"
CLOSED = at_us("2026-03-06 17:00")
DUE = at_us("2026-03-10 17:00")
DIGEST = sha256(b"a manifest").hexdigest()
SALE = "Returns of March"
DRAWN = "M40,150 C60,40 110,30 120,120 Q150,180 180,90 L230,130 C260,60 300,60 320,140 L560,110"

HOUSE = House(
    name="Softclose",
    lines=("1200 Market Street, Suite 400", "Chicago, IL 60601, US"),
    contact="settlement@softclose.example \u00b7 +1 312 555 0142",
    foot="Softclose LLC \u00b7 Tax number 12-3456789",
)
BANK = Bank(
    bank="First Bank of the Lakes",
    account_name="Softclose LLC, buyers' funds",
    routing_number="071000013",
    account_number="000123456789",
    swift="FBLKUS44",
)
BUYER = Party("Hart Resale, Inc.", ("77 Elm Street", "Dallas, TX 75201, US"))
ADDRESS = Party("Harbor Returns", ("1 Dock Road", "Dallas, TX 75201, US"))


def a_lot_line(**changes: Any) -> LotLine:
    """The lot of the worked example."""
    facts: dict[str, Any] = {
        "lot": "12",
        "title": "Truckload of small kitchen appliances, customer returns",
        "detail": "24 pallets \u00b7 2,310 units \u00b7 Used, good \u00b7 closed 6 Mar 2026, 17:00",
        "hammer_minor": 1_000_000,
        "premium_minor": 100_000,
        "freight_minor": 0,
        "tax_minor": 90_750,
        "manifest_sha256": DIGEST,
    }
    return LotLine(**(facts | changes))


def an_invoice(**changes: Any) -> InvoiceContent:
    """The worked example's, not paid."""
    facts: dict[str, Any] = {
        "paper": Paper.LETTER,
        "house": HOUSE,
        "number": "INV-000123",
        "sale": SALE,
        "seller": "Harbor Returns",
        "buyer": BUYER,
        "goods_at": "Dallas, TX, US",
        "currency": "USD",
        "zone": CHICAGO,
        "issued_at_us": CLOSED,
        "due_at_us": DUE,
        "lines": (a_lot_line(),),
        "taxes": (TaxLine(place="US-TX", rate_ppm=82_500, base_minor=1_100_000, tax_minor=90_750),),
        "as_of_us": CLOSED,
        "paid_minor": 0,
        "credited_minor": 0,
        "bank": BANK,
        "takes_card": True,
        "terms": "Wire or card within two business days. Late payers are suspended.",
    }
    return InvoiceContent(**(facts | changes))


def a_credit_note(**changes: Any) -> CreditNoteContent:
    """The worked example's claim of 12 %."""
    facts: dict[str, Any] = {
        "paper": Paper.LETTER,
        "house": HOUSE,
        "number": "CN-000007",
        "invoice": "INV-000123",
        "sale": SALE,
        "buyer": BUYER,
        "currency": "USD",
        "zone": CHICAGO,
        "issued_at_us": DUE,
        "reason": "Claim",
        "settled": "Refunded to the card that was charged. Banks take up to ten days to show it.",
        "lines": (
            a_lot_line(hammer_minor=120_000, premium_minor=12_000, tax_minor=10_890, detail=""),
        ),
        "taxes": (TaxLine(place="US-TX", rate_ppm=82_500, base_minor=132_000, tax_minor=10_890),),
    }
    return CreditNoteContent(**(facts | changes))


def a_manifest_line(line: int = 1, **changes: Any) -> ManifestLine:
    """So many toasters."""
    facts: dict[str, Any] = {
        "line": line,
        "description": "Toaster, 4 slices, stainless steel, with bagel and defrost function",
        "brand": "Breadwell",
        "model": "BW-T400",
        "category": "Kitchen",
        "subcategory": "Toasters",
        "condition": Condition.USED_GOOD,
        "item_number": f"B0{line:08}",
        "gtin": "00012345678905",
        "lpn": f"LPNHK{line:07}",
        "serial": f"SN-{line:06}",
        "quantity": 1 + line % 3,
        "unit_msrp_minor": 79_99,
        "pallet": f"P{1 + line % 24:02}",
        "weight_g": 2_300,
    }
    return ManifestLine(**(facts | changes))


def a_manifest(count: int = 60, **changes: Any) -> ManifestContent:
    """The winner's."""
    facts: dict[str, Any] = {
        "paper": Paper.LETTER,
        "house": HOUSE,
        "sale": SALE,
        "lot": "12",
        "title": "Truckload of small kitchen appliances, customer returns",
        "buyer": BUYER,
        "pickup": ADDRESS,
        "invoice": "INV-000123",
        "currency": "USD",
        "zone": CHICAGO,
        "funded_at_us": DUE,
        "condition": "Used, good",
        "pallets": 24,
        "sha256": DIGEST,
        "lines": tuple(a_manifest_line(number) for number in range(1, count + 1)),
    }
    return ManifestContent(**(facts | changes))


def a_loading(*, signed: bool = True, **changes: Any) -> LoadingContent:
    """A truck that fetches a lot and a part of another."""
    lots = (
        LoadedLot(
            lot="12",
            title="Truckload of small kitchen appliances, customer returns",
            pallets=tuple(f"SC7K2M9QXT4A-{number:02}" for number in range(1, 7)),
            of_pallets=6,
            units=578,
            weight_g=1_900_000,
            freight_class="125",
            condition="Used, good",
            manifest_sha256=DIGEST,
        ),
        LoadedLot(
            lot="14A",
            title="Vacuum cleaners",
            pallets=("SCQP2M0QX77A-01", "SCQP2M0QX77A-03"),
            of_pallets=4,
            units=96,
            weight_g=None,
            freight_class="150",
            condition="Salvage",
            manifest_sha256=sha256(b"another").hexdigest(),
        ),
    )
    facts: dict[str, Any] = {
        "paper": Paper.LETTER,
        "house": HOUSE,
        "number": "BOL-000031",
        "shipper": ADDRESS,
        "consignee": BUYER,
        "zone": CHICAGO,
        "door": "Door 3",
        "slot_at_us": at_us("2026-03-12 09:00"),
        "slot_ends_at_us": at_us("2026-03-12 10:00"),
        "carrier": "Lone Star Freight",
        "driver": "Maria Gonz\u00e1lez",
        "trailer": "TX 48-1177",
        "seal": "SL-993201",
        "lots": lots,
        "note": "Pallet 3 of lot 14A: film torn at one corner, goods dry.",
        "released_by": "J. Peters",
        "signed": Signed("Maria Gonz\u00e1lez", at_us("2026-03-12 09:40"), DRAWN)
        if signed
        else None,
        "made_at_us": at_us("2026-03-12 09:40"),
    }
    return LoadingContent(**(facts | changes))


def some_labels(**changes: Any) -> LabelsContent:
    """Labels of two pallets, of which the house has numbers for everybody."""
    facts: dict[str, Any] = {
        "house": HOUSE,
        "sale": SALE,
        "lot": "12",
        "title": "Truckload of small kitchen appliances, customer returns",
        "seller": "Harbor Returns",
        "place": "Dallas, TX, US",
        "facts": (
            Fact("Weight, share", "698 lb (317 kg)"),
            Fact("Units in lot", "578"),
            Fact("Class", "125"),
        ),
        "labels": (
            Label(pallet_id="SC7K2M9QXT4A-01", number=1, of=2, sscc="006141411234567890"),
            Label(pallet_id="SC7K2M9QXT4A-02", number=2, of=2),
        ),
        "made_at_us": DUE,
    }
    return LabelsContent(**(facts | changes))


def a_sold_lot(**changes: Any) -> SoldLot:
    """The worked example's, after its claim."""
    facts: dict[str, Any] = {
        "lot": "12",
        "title": "Truckload of small kitchen appliances, customer returns",
        "outcome": Outcome.RELEASED,
        "hammer_minor": 1_000_000,
        "credited_minor": 120_000,
        "commission_minor": 44_000,
    }
    return SoldLot(**(facts | changes))


PASSED = SoldLot(lot="13", title="Blenders", outcome=Outcome.PASSED, note="reserve not met")
DEFAULTED = SoldLot(
    lot="15", title="Air fryers", outcome=Outcome.DEFAULTED, note="offered to the runner-up"
)
WAITING = SoldLot(
    lot="16",
    title="Kettles",
    outcome=Outcome.SOLD,
    hammer_minor=123_750,
    commission_minor=6_188,
)


def a_statement(**changes: Any) -> LiquidatorStatement:
    """The worked example's sale, with lots that had other ends."""
    facts: dict[str, Any] = {
        "paper": Paper.LETTER,
        "house": HOUSE,
        "number": "ST-000004",
        "liquidator": ADDRESS,
        "sale": SALE,
        "currency": "USD",
        "zone": CHICAGO,
        "as_of_us": DUE,
        "lots": (a_sold_lot(), PASSED, DEFAULTED, WAITING),
        "moved": (
            Moved(at_us=DUE, words="Sent to you", reference="tr_1Abc", amount_minor=-836_000),
        ),
    }
    return LiquidatorStatement(**(facts | changes))


def a_consignors_statement(**changes: Any) -> ConsignorStatement:
    """Two loads: hammer 10,000.00, 12 %, 4 pallets at 18.00 come to 8,728.00."""
    sold = SoldLot(
        lot="12",
        title="Kitchen appliances, 4 pallets",
        outcome=Outcome.RELEASED,
        hammer_minor=1_000_000,
        commission_minor=120_000,
        others_minor=7_200,
    )
    facts: dict[str, Any] = {
        "paper": Paper.LETTER,
        "house": HOUSE,
        "number": "CS-000002",
        "consignor": Party("Target Stores, reverse logistics", ("1000 Nicollet Mall",)),
        "liquidator": "Harbor Returns",
        "month": "March 2026",
        "currency": "USD",
        "zone": CHICAGO,
        "as_of_us": DUE,
        "loads": (
            Load(load="LD-7781", purchase_order="4471", rma="12", lots=(sold, PASSED)),
            Load(load="", purchase_order="", rma="", lots=(DEFAULTED, WAITING)),
        ),
        "moved": (
            Moved(at_us=DUE, words="Paid to you", reference="bank file 3", amount_minor=-872_800),
        ),
    }
    return ConsignorStatement(**(facts | changes))


def an_advice(**changes: Any) -> PayoutAdvice:
    """The worked example's transfer."""
    facts: dict[str, Any] = {
        "paper": Paper.LETTER,
        "house": HOUSE,
        "number": "PA-000009",
        "payee": ADDRESS,
        "currency": "USD",
        "zone": CHICAGO,
        "paid_at_us": DUE,
        "way": "Transfer to your account at Stripe",
        "references": ("tr_1Abc",),
        "lots": (a_sold_lot(),),
        "moved": (),
        "amount_minor": 836_000,
    }
    return PayoutAdvice(**(facts | changes))


def a_jpeg(width: int = 800, height: int = 600, colour: str = "#7a8b99") -> bytes:
    """A photo."""
    made = BytesIO()
    Image.new("RGB", (width, height), colour).save(made, "JPEG")
    return made.getvalue()


def some_evidence(**changes: Any) -> EvidenceContent:
    """All that there is of the worked example's award."""
    facts: dict[str, Any] = {
        "paper": Paper.LETTER,
        "house": HOUSE,
        "number": "EV-000001",
        "currency": "USD",
        "zone": CHICAGO,
        "as_of_us": DUE,
        "buyer": BUYER,
        "facts": (
            Fact("Sale, lot", f"{SALE}, lot 12"),
            Fact("Sold", "Fri 6 Mar 2026, 17:00 CST"),
            Fact("Paid", "$11,907.50"),
        ),
        "acceptances": (
            Acceptance(
                version=2,
                sha256=DIGEST,
                person="Robin Hart",
                at_us=CLOSED - 86_400_000_000,
                address="203.0.113.7",
            ),
        ),
        "accepted_words": (
            Fact("A bid is binding", "It cannot be taken back."),
            Fact("Terms of the seller", "All goods are sold as they stand. " * 12),
        ),
        "bids": tuple(
            BidLine(
                at_us=CLOSED - (10 - number) * 60_000_000,
                paddle=107,
                price_minor=900_000 + number * 20_000,
                leads=number % 2 == 1,
                position=48_200 + number,
            )
            for number in range(1, 6)
        ),
        "invoice": an_invoice(paid_minor=1_190_750, as_of_us=DUE),
        "loading": (a_loading(),),
        "delivery": (Fact("Signed by", "Robin Hart"),),
        "happened": (
            Said(at_us=CLOSED, actor="softclose", words="Awarded for $10,000.00"),
            Said(at_us=DUE, actor="softclose", words="Paid: pi_3Abc"),
        ),
        "messages": (Said(at_us=DUE, actor="Hart Resale, Inc.", words="The goods are fine."),),
        "photos": (Photo(title="At the dock, 1 of 1", at_us=DUE, data=a_jpeg()),),
        "manifest_sha256": DIGEST,
    }
    return EvidenceContent(**(facts | changes))
