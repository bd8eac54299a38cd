"""Where a notice leads: paths of our own pages.

A link to a lot may carry an amount: the page opens its bid box with it filled in, asks whether it
is meant, and does nothing by itself. Who opens the link has to be signed in as for any page.
"""

from urllib.parse import quote, urlencode

from bidder_gateway.notices.kinds import Kind

NOTICES = "/notices"
# Where sellers answer; the page is the desk's.
ASKED = "/desk/questions"
PREFERENCES = "/notices/preferences"

# The lot's page takes it as the amount, in minor units, that it asks about.
BID_PARAMETER = "bid"

# Where the lot's page has them.
QUESTIONS = "questions"

_OF_QUESTIONS = frozenset({Kind.QUESTION_ANSWERED, Kind.QUESTION_HIDDEN})
_WITH_AMOUNT = frozenset({Kind.OUTBID, Kind.LOT_REOPENED, Kind.CLOSING_SOON})


def path_of(
    kind: Kind,
    sale_id: str | None,
    lot_id: str | None,
    *,
    amount_minor: int | None = None,
    search_id: str = "",
) -> str:
    """The page where the reader can do something about it."""
    match kind:
        case Kind.APPROVAL_DECIDED:
            return "/account/approval"
        case Kind.QUESTION_ASKED:
            return ASKED
        case Kind.SEARCH_MATCHED:
            return f"/searches/{quote(search_id, safe='')}" if search_id else NOTICES
    if sale_id is None:
        return NOTICES
    sale = f"/sales/{quote(sale_id, safe='')}"
    if lot_id is None:
        return sale
    lot = f"{sale}/lots/{quote(lot_id, safe='')}"
    if kind in _OF_QUESTIONS:
        return f"{lot}#{QUESTIONS}"
    if kind in _WITH_AMOUNT and amount_minor is not None:
        return f"{lot}?{urlencode({BID_PARAMETER: amount_minor})}"
    return lot
