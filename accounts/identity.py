"""Who is asking: what a session, a token or a ticket turns into at the door.

An identity is made anew from the tables for each request, so that a role that was taken away is
gone at once. It says who somebody is; what they may do is asked of ``accounts.permissions``.
"""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from accounts.ids import OrganisationId, PersonId, SessionId, TokenId


class OrganisationKind(StrEnum):
    """What an organisation is in the house."""

    RESELLER = "RESELLER"  # bids
    LIQUIDATOR = "LIQUIDATOR"  # runs sales
    CONSIGNOR = "CONSIGNOR"  # owns goods that a liquidator sells
    HOUSE = "HOUSE"  # runs Softclose


class Role(StrEnum):
    """What a person does for their organisation; a person may have several."""

    BIDDER = "bidder"
    LIQUIDATOR = "liquidator"
    SETTLEMENT = "settlement"
    ADMIN = "admin"


# An admin manages the team of its organisation; the house's admins manage the house too.
ROLES_OF_KIND: Mapping[OrganisationKind, frozenset[Role]] = {
    OrganisationKind.RESELLER: frozenset({Role.BIDDER, Role.ADMIN}),
    OrganisationKind.LIQUIDATOR: frozenset({Role.LIQUIDATOR, Role.ADMIN}),
    OrganisationKind.CONSIGNOR: frozenset({Role.ADMIN}),
    OrganisationKind.HOUSE: frozenset({Role.SETTLEMENT, Role.ADMIN}),
}


class Scope(StrEnum):
    """What an API token is for; it never does more than its person may."""

    READ = "read"
    BID = "bid"
    SELL = "sell"
    STAFF = "staff"


class Identity(Struct, frozen=True, kw_only=True):
    """A signed-in person, and how they were recognised: by a session, or by a token.

    ``roles`` is empty for staff who have not set up their second factor: until they have, they
    can do nothing but that. ``scopes`` is None for a session, which is not narrowed. The names are
    for the person's own pages; rivals see a paddle.
    """

    person_id: PersonId
    organisation_id: OrganisationId
    organisation_kind: OrganisationKind
    roles: frozenset[Role]
    name: str
    organisation_name: str = ""
    session_id: SessionId | None = None
    token_id: TokenId | None = None
    scopes: frozenset[Scope] | None = None

    @property
    def bidder_id(self) -> OrganisationId | None:
        """The id that the engine knows this person's organisation by as a bidder, if it is one."""
        is_reseller = self.organisation_kind is OrganisationKind.RESELLER
        return self.organisation_id if is_reseller else None

    @property
    def is_staff(self) -> bool:
        """One of the house; what they may do is a question of roles all the same."""
        return self.organisation_kind is OrganisationKind.HOUSE

    @property
    def must_enrol(self) -> bool:
        """Staff whose roles are withheld until they have set up a second factor."""
        return self.is_staff and not self.roles
