"""Who may come in: the accounts of a run, as its gateways ask the database for them."""

from auction.ids import BidderId, PersonId
from bidder_gateway.ports import Participant
from tests.simulation.simulated_log import Connection


class Logins:
    """What the database knows. A token is the bidder's id and a number; anything else is none."""

    def __init__(self) -> None:
        self.ended: set[str] = set()

    async def whose(self, token: str) -> Participant | None:
        """Whom a token names, unless its login has ended."""
        if token in self.ended:
            return None
        bidder_id = BidderId(token.partition("/")[0])
        return Participant(bidder_id, PersonId(f"of-{bidder_id}"), bidder_id, token, may_bid=True)

    async def ended_of(self, logins: set[str]) -> set[str]:
        """Those of these that have ended."""
        return logins & self.ended


class Accounts:
    """An ``Authenticator`` for one process; the way to the database may fail."""

    def __init__(self, database: Connection, logins: Logins) -> None:
        self._database, self._logins = database, logins

    async def redeem(self, ticket: str) -> Participant | None:
        """See ``Authenticator``."""
        return None

    async def bearer(self, token: str) -> Participant | None:
        """See ``Authenticator``."""
        return await self._database.ask("bearer", token, lambda: self._logins.whose(token))

    async def ended(self, logins: set[str]) -> set[str]:
        """See ``Authenticator``."""
        words = " ".join(sorted(logins))
        return await self._database.ask("ended", words, lambda: self._logins.ended_of(logins))
