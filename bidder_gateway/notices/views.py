"""A notice as its reader sees it, in the list and in the frame of a live connection."""

from msgspec import Struct

from bidder_gateway.notices.addressing import Notice
from bidder_gateway.notices.kinds import MANNERS, Kind
from bidder_gateway.notices.links import path_of
from bidder_gateway.notices.wording import words_of


class NoticeView(Struct, frozen=True, kw_only=True):
    """A notice. ``link`` is a path of this site; amounts are minor units of ``currency``.

    ``next_minimum_minor`` is as it was when the notice was made.
    """

    notice_id: str
    kind: Kind
    urgent: bool
    title: str
    text: str
    link: str
    at_us: int
    read: bool
    sale_id: str | None
    lot_id: str | None
    currency: str
    price_minor: int | None
    next_minimum_minor: int | None
    closes_at_us: int | None


def view_of(notice: Notice, *, read: bool = False) -> NoticeView:
    """What is shown of it."""
    facts = notice.facts
    words = words_of(notice.kind, facts, notice.sale_id)
    return NoticeView(
        notice_id=notice.notice_id,
        kind=notice.kind,
        urgent=MANNERS[notice.kind].urgent,
        title=words.title,
        text=words.text,
        link=path_of(
            notice.kind,
            notice.sale_id,
            notice.lot_id,
            amount_minor=facts.next_minimum_minor,
            search_id=facts.search_id,
        ),
        at_us=notice.at_us,
        read=read,
        sale_id=notice.sale_id,
        lot_id=notice.lot_id,
        currency=facts.currency,
        price_minor=facts.price_minor,
        next_minimum_minor=facts.next_minimum_minor,
        closes_at_us=facts.closes_at_us,
    )
