"""Who is connected to the live gateway, as accounts know them: its `Authenticator`."""

from typing import Final

from msgspec import Struct

from accounts import directory, revocations, tickets
from accounts.clock import SECOND_US
from accounts.identity import Identity
from accounts.ids import OrganisationId, SessionId, TokenId
from accounts.permissions import Action, Ownership, allowed
from accounts.room import Room
from accounts.tokens import Bearers
from auction.ids import BidderId, PersonId
from bidder_gateway.ports import Participant
from bidder_gateway.sight import onlooker_of

# From the answer to a hello until the connection is among those that are asked about.
_SETTLING_US: Final = 60 * SECOND_US


class _Bidding(Struct, frozen=True):
    """Somebody who was let in as a bidder."""

    organisation_id: OrganisationId
    since_us: int


class Participants:
    """`bidder_gateway.ports.Authenticator` over the tables of accounts.

    A login is the id of a session or of a token. It ends with that; and for who came in as a
    bidder also when their reseller is no longer approved: then they connect again, and watch.
    """

    def __init__(self, room: Room) -> None:
        self._room = room
        self._bearers = Bearers(room.pool, room.clock)
        self._bidding: dict[str, _Bidding] = {}

    async def redeem(self, ticket: str) -> Participant | None:
        """See ``Authenticator``."""
        identity = await tickets.redeem(self._room.pool, ticket, self._room.clock())
        return None if identity is None else await self._participant(identity)

    async def bearer(self, token: str) -> Participant | None:
        """See ``Authenticator``."""
        identity = await self._bearers.identify(token)
        if identity is None or not allowed(identity, Action.OPEN_LIVE, Ownership.SELF):
            return None
        return await self._participant(identity)

    async def ended(self, logins: set[str]) -> set[str]:
        """See ``Authenticator``."""
        now_us = self._room.clock()
        # Which of the two a login is, its table knows: in the other one it is not found either.
        session_ids = {SessionId(login) for login in logins if login.startswith("session-")}
        token_ids = {TokenId(login) for login in logins - session_ids}
        revoked = await revocations.revoked_among(self._room.pool, session_ids, token_ids, now_us)
        unapproved = await self._unapproved(logins)
        for login, bidding in list(self._bidding.items()):
            settled = bidding.since_us < now_us - _SETTLING_US
            if login in unapproved or (login not in logins and settled):
                del self._bidding[login]
        return {*revoked.session_ids, *revoked.token_ids, *unapproved}

    async def _participant(self, identity: Identity) -> Participant:
        login = identity.session_id or identity.token_id
        assert login is not None, "somebody came in by one of them"
        may_bid = allowed(identity, Action.PLACE_BID, Ownership.TEAM)
        if may_bid:
            standing = await directory.standing_of(self._room.pool, identity.organisation_id)
            may_bid = standing is not None and standing.may_bid
        if may_bid:
            self._bidding[login] = _Bidding(identity.organisation_id, self._room.clock())
        sees_bids = allowed(identity, Action.VIEW_BIDS, Ownership.TEAM)
        return Participant(
            bidder_id=BidderId(identity.organisation_id) if sees_bids else None,
            person_id=PersonId(identity.person_id),
            name=identity.name,
            login=login,
            may_bid=may_bid,
            sees_as=onlooker_of(identity),
        )

    async def _unapproved(self, logins: set[str]) -> set[str]:
        bidding = {login: one for login, one in self._bidding.items() if login in logins}
        wanted = {one.organisation_id for one in bidding.values()}
        if not wanted:
            return set()
        approved = await directory.approved_among(self._room.pool, wanted)
        return {login for login, one in bidding.items() if one.organisation_id not in approved}
