"""Who there is to be told: the teams of bidders, and who watches which lots."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from accounts.directory import PersonEntry, people_of
from accounts.ids import OrganisationId, PersonId
from auction.ids import BidderId, SaleId
from bidder_gateway.notices.addressing import Audience, Key
from bidder_gateway.notices.rules import Draft
from foundation.database import AnyConnection, Pool

# A team changes seldom; a bidding war asks for the same two teams many times a second. Whoever
# left in between is found out when a mail or a push is about to go.
REMEMBERED_S: Final = 10.0
REMEMBERED_TEAMS: Final = 10_000

Team = Sequence[PersonEntry]

_WATCHING = """
select sale_id, lot_id, person_id, watched from watched_lot
join unnest($1::text[], $2::text[]) as wanted (sale_id, lot_id) using (sale_id, lot_id)
"""

# Of sales that are not for everybody.
_ADMITTED = """
select sale_id, array(
    select bidder_id from admitted_bidder where admitted_bidder.sale_id = sale_board.sale_id
) as bidders
from sale_board where audience <> 'PUBLIC' and sale_id = any ($1)
"""


class Teams:
    """The people of resellers, from a pool of its own: a follower's step holds a connection of
    another one while it asks here, so that no two steps can wait for each other."""

    def __init__(self, pool: Pool, now_s: Callable[[], float] = time.monotonic) -> None:
        self._pool, self._now_s = pool, now_s
        self._known: dict[BidderId, tuple[float, Team]] = {}

    async def of(self, bidder_ids: Iterable[BidderId]) -> Mapping[BidderId, Team]:
        """The people of each."""
        now_s, wanted = self._now_s(), set(bidder_ids)
        known = {b: self._known[b] for b in wanted if b in self._known}
        teams = {b: team for b, (until_s, team) in known.items() if until_s > now_s}
        asked = sorted(wanted - teams.keys())
        if asked:
            found: dict[BidderId, list[PersonEntry]] = {bidder_id: [] for bidder_id in asked}
            for entry in await people_of(self._pool, *map(OrganisationId, asked)):
                found[BidderId(entry.organisation_id)].append(entry)
            if len(self._known) > REMEMBERED_TEAMS:
                self._known.clear()
            self._known.update({b: (now_s + REMEMBERED_S, team) for b, team in found.items()})
            teams.update(found)
        return teams


async def audience_of(connection: AnyConnection, teams: Teams, drafts: Sequence[Draft]) -> Audience:
    """Everybody whom these drafts may be for."""
    bidders = {to.bidder_id for draft in drafts for to in draft.to}
    lots = {
        (draft.sale_id, draft.lot_id)
        for draft in drafts
        if draft.watched and draft.sale_id is not None and draft.lot_id is not None
    }
    watching, not_watching = await _watching(connection, lots)
    watching = await _still_in_sight(connection, teams, watching)
    return Audience(await teams.of(bidders), watching, not_watching)


async def _watching(
    connection: AnyConnection, lots: Iterable[Key]
) -> tuple[Mapping[Key, frozenset[PersonId]], Mapping[Key, frozenset[PersonId]]]:
    ordered = sorted(lots)
    if not ordered:
        return {}, {}
    sale_ids, lot_ids = zip(*ordered, strict=True)
    said: dict[bool, dict[Key, set[PersonId]]] = {True: {}, False: {}}
    for sale_id, lot_id, person_id, watched in await connection.fetch(_WATCHING, sale_ids, lot_ids):
        said[watched].setdefault((sale_id, lot_id), set()).add(person_id)
    return _frozen(said[True]), _frozen(said[False])


async def _still_in_sight(
    connection: AnyConnection, teams: Teams, watching: Mapping[Key, frozenset[PersonId]]
) -> Mapping[Key, frozenset[PersonId]]:
    """Without those who watch a lot of a sale that they may not see any more.

    Who has a bid there is told what becomes of it all the same: it stands.
    """
    rows = await connection.fetch(_ADMITTED, sorted({sale_id for sale_id, _ in watching}))
    if not rows:
        return watching
    admitted = {SaleId(row["sale_id"]): set(map(BidderId, row["bidders"])) for row in rows}
    known = await teams.of({bidder_id for bidders in admitted.values() for bidder_id in bidders})
    kept = dict(watching)
    for key, people in watching.items():
        if key[0] in admitted:
            inside = {one.person_id for bidder_id in admitted[key[0]] for one in known[bidder_id]}
            kept[key] = people & inside
    return kept


def _frozen(people: Mapping[Key, set[PersonId]]) -> Mapping[Key, frozenset[PersonId]]:
    return {key: frozenset(found) for key, found in people.items()}
