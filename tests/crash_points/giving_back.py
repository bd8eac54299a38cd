"""What goes back of a lot, as somebody asks for it, and what a life comes to then."""

from settlement.chart import sales_tax
from settlement.entries import AwardMoney
from settlement.ids import TaxPlace
from settlement.invoices import Line
from settlement.rows import Held
from settlement.steps import Wanted
from tests.crash_points.books import Expected, sellers_part
from tests.crash_points.course import Course


def first_line(held: Held) -> Line:
    """The lot about which something is asked."""
    return held.invoiced.invoice.lines[0]


def tenths(line: Line, count: int) -> AwardMoney:
    """So many tenths of each part of a lot's price."""
    return AwardMoney(
        award_id=line.award_id,
        hammer_minor=line.hammer_minor * count // 10,
        premium_minor=line.premium_minor * count // 10,
        tax_minor=line.tax_minor * count // 10,
        tax_place=sales_tax(TaxPlace(line.tax.tax_place)),
    )


def refund(course: Course, line: Line, back: AwardMoney, reason: str, number: int = 1) -> Wanted:
    """The operation that gives so much back."""
    arguments = {
        "invoice_id": course.invoice_id,
        "award_id": line.award_id,
        "amount_minor": back.total_minor,
        "reason": reason,
        "hammer_minor": back.hammer_minor,
        "premium_minor": back.premium_minor,
        "tax_minor": back.tax_minor,
        "freight_minor": back.freight_minor,
    }
    return Wanted(operation="refund", subject=line.award_id, generation=number, arguments=arguments)


def goes_back(expected: Expected, line: Line, hammer_minor: int, back_minor: int) -> None:
    """``hammer_minor`` of the lot's price went back, ``back_minor`` in all."""
    expected.got_minor -= back_minor
    expected.paid_minor -= back_minor
    expected.credited_minor += back_minor
    expected.sent_minor[str(line.award_id)] = sellers_part(line.hammer_minor - hammer_minor)
