"""Who may look at what of settlement, and act: the same for the API and for the pages.

Staff of settlement see and do everything. A reseller sees its own awards and invoices, a seller and
a consignor their own statements; whatever is another's is answered byte for byte like what does not
exist.
"""

import re
from typing import Final

from aiohttp import web

from accounts.http.guard import can, require, signed_in
from accounts.ids import OrganisationId
from accounts.permissions import Access, Action
from foundation.http.problems import NOT_FOUND
from settlement.ids import AwardId, InvoiceId

STAFF: Final = Access(Action.VIEW_SETTLEMENT)
ACT: Final = Access(Action.SETTLE)
PURCHASES: Final = Access(Action.VIEW_PURCHASES)
PAY: Final = Access(Action.PAY_PURCHASES)
EARNINGS: Final = Access(Action.VIEW_EARNINGS)
PAYEE: Final = Access(Action.SET_PAYEE)

# Ids of awards and invoices join others by tildes.
_JOINED: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:~\-]{0,199}")


def joined_of(request: web.Request, name: str) -> str:
    """A part of the path that names something. Raises NOT_FOUND for what can be no id."""
    word = request.match_info[name]
    if not _JOINED.fullmatch(word):
        raise NOT_FOUND()
    return word


def award_of(request: web.Request) -> AwardId:
    """The award that the path names."""
    return AwardId(joined_of(request, "award_id"))


def invoice_of(request: web.Request) -> InvoiceId:
    """The invoice that the path names."""
    return InvoiceId(joined_of(request, "invoice_id"))


def number_of(request: web.Request, name: str) -> int:
    """A number in the path. Raises NOT_FOUND for what can be none."""
    word = request.match_info[name]
    if not re.fullmatch(r"[1-9][0-9]{0,17}", word, re.ASCII):
        raise NOT_FOUND()
    return int(word)


def visible_purchase(request: web.Request, buyer_id: str | None) -> None:
    """Raise NOT_FOUND unless who asks may see what this buyer has won."""
    if buyer_id is None:
        raise NOT_FOUND()
    require(request, Action.VIEW_PURCHASES, OrganisationId(buyer_id))


def payable(request: web.Request, buyer_id: str | None) -> None:
    """Raise NOT_FOUND unless who asks may act for this buyer."""
    if buyer_id is None:
        raise NOT_FOUND()
    require(request, Action.PAY_PURCHASES, OrganisationId(buyer_id))


def may_pay(request: web.Request, buyer_id: str) -> bool:
    """Whether who looks may act for this buyer."""
    return can(request, Action.PAY_PURCHASES, OrganisationId(buyer_id))


def own_organisation(request: web.Request) -> str:
    """Whose things a page of one's own shows."""
    return signed_in(request).organisation_id
