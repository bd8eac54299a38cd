"""A sale's form with who may enter it: what only the desk's services know of what was typed."""

from typing import Any, Final

from msgspec import structs

from auction.desk.buyer_groups import MAX_MEMBERS
from auction.desk.pages.room import DeskPagesRoom
from auction.desk.pages.sale_fields import (
    CLOSING_OPTIONS,
    CONFIRMATION_OPTIONS,
    INCREMENT_OPTIONS,
    SECOND_OPTIONS,
    ZONE_OPTIONS,
    SaleForm,
    form_of_draft,
    read,
)
from auction.desk.sale_drafts import SaleDraft
from auction.ids import LiquidatorId
from auction.terms import SaleAudience
from foundation.http.forms import Form

MOST_GROUPS: Final = 20
AUDIENCE_OPTIONS: Final = (
    (str(SaleAudience.PUBLIC), "Everybody", "All approved resellers."),
    (str(SaleAudience.GROUP), "Groups of buyers", "Whoever is in them when it is published."),
    (str(SaleAudience.INVITE), "Whom you invite", "The resellers named below."),
)
_FAULTS_SHOWN: Final = 5


async def filled(room: DeskPagesRoom, draft: SaleDraft, version: int) -> Form[Any]:
    """The draft as it stands in the fields, with who is invited by name."""
    form = form_of_draft(draft, version)
    known = await room.guests.known(draft.invited)
    typed: dict[str, str | list[str]] = {
        "audience": str(draft.audience),
        "groups": list(draft.groups),
        "invited": "\n".join(guest.name for guest in known),
    }
    return Form({**form.values, **typed})


async def read_all(
    room: DeskPagesRoom, owner: LiquidatorId, given: SaleForm, before: SaleDraft
) -> tuple[SaleDraft, dict[str, str]]:
    """The draft that was typed, and the message for each bad field; with any it is unfinished."""
    draft, faults = read(given, before)
    if given.audience is None:
        return draft, faults
    groups = tuple(dict.fromkeys(given.groups))
    known = {group.name for group in await room.groups.list(owner)} | set(before.groups)
    if len(groups) > MOST_GROUPS:
        faults["groups"] = f"At most {MOST_GROUPS} groups."
    elif not known.issuperset(groups):
        faults["groups"] = "One of these groups is not there any more."
    meant = await room.guests.meant(given.invited, before.invited)
    if meant.faults:
        faults["invited"] = " ".join(meant.faults[:_FAULTS_SHOWN])
    elif len(meant.bidder_ids) > MAX_MEMBERS:
        faults["invited"] = f"At most {MAX_MEMBERS:,} resellers."
    return (
        structs.replace(
            draft, audience=given.audience, groups=groups, invited=tuple(meant.bidder_ids)
        ),
        faults,
    )


async def form_options(room: DeskPagesRoom, owner: LiquidatorId) -> dict[str, Any]:
    """What can be chosen in the form."""
    groups = [
        (group.name, group.name, f"{len(group.members):,} in it now")
        for group in await room.groups.list(owner)
    ]
    return {
        "zones": ZONE_OPTIONS,
        "second_options": SECOND_OPTIONS,
        "increments": INCREMENT_OPTIONS,
        "closings": CLOSING_OPTIONS,
        "confirmations": CONFIRMATION_OPTIONS,
        "audiences": AUDIENCE_OPTIONS,
        "groups": groups,
    }
