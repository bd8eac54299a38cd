"""Whom a seller means by what it typed: approved resellers, by name or by a person's mail address.

What a liquidator may know of them is said in ``accounts.resellers``.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from accounts.directory import organisations
from accounts.identity import OrganisationKind
from accounts.ids import OrganisationId
from accounts.resellers import ResellerEntry, resellers, resellers_called, search_resellers
from auction.ids import BidderId
from foundation.database import Pool


class Guest(Struct, frozen=True, kw_only=True):
    """A reseller that may be invited. Empty fields: it is not approved any more, or not said."""

    bidder_id: BidderId
    name: str
    city: str = ""
    region: str = ""


class Meant(Struct, frozen=True):
    """Who was meant, and for each line that names nobody why it does not."""

    bidder_ids: tuple[BidderId, ...]
    faults: tuple[str, ...]


class Guests:
    """Looks them up."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def search(self, letters: str) -> Sequence[Guest]:
        """Approved resellers of whose names a word begins so, at most twenty."""
        return [_guest(entry) for entry in await search_resellers(self._pool, letters)]

    async def known(self, bidder_ids: Iterable[BidderId]) -> Sequence[Guest]:
        """Who these are, by name; who is no approved reseller any more keeps name or id."""
        wanted = [OrganisationId(one) for one in bidder_ids]
        approved = await resellers(self._pool, wanted)
        others = await organisations(self._pool, [one for one in wanted if one not in approved])
        names = {
            one: entry.name
            for one, entry in others.items()
            if entry.kind is OrganisationKind.RESELLER
        }
        guests = [
            _guest(approved[one])
            if one in approved
            else Guest(bidder_id=BidderId(one), name=names.get(one, one))
            for one in wanted
        ]
        return sorted(guests, key=lambda guest: (guest.name.lower(), guest.bidder_id))

    async def meant(self, text: str, before: Sequence[BidderId]) -> Meant:
        """Whom lines of names and mail addresses mean; ``before``: who is in already.

        A name of several means those who are in already; else it has to be said by mail.
        """
        lines = list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
        in_already: dict[str, list[BidderId]] = {}
        for guest in await self.known(before):
            in_already.setdefault(guest.name.lower(), []).append(guest.bidder_id)
        called = await resellers_called(self._pool, lines)
        found: list[BidderId] = []
        faults: list[str] = []
        for line in lines:
            ids, fault = _of_line(line, in_already, called)
            found += ids
            faults += [fault] if fault else []
        return Meant(tuple(dict.fromkeys(found)), tuple(faults))


def _of_line(
    line: str,
    in_already: Mapping[str, Sequence[BidderId]],
    called: Mapping[str, Sequence[ResellerEntry]],
) -> tuple[Sequence[BidderId], str]:
    if line.lower() in in_already:
        return in_already[line.lower()], ""
    entries = called.get(line.lower(), ())
    if not entries:
        return (), f"No approved reseller is called “{line[:60]}”, or has a person of that address."
    if len(entries) > 1:
        return (), f"Several resellers are called “{line[:60]}”: name one of their people by mail."
    return [BidderId(entries[0].organisation_id)], ""


def _guest(entry: ResellerEntry) -> Guest:
    return Guest(
        bidder_id=BidderId(entry.organisation_id),
        name=entry.name,
        city=entry.city,
        region=entry.region,
    )
