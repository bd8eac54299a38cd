"""Who may do what: one table of capacity x action x ownership. What is absent is refused.

A capacity is a role in an organisation of some kind; ownership is how the object of an action
stands to the person who acts. A route names its action with `Access`; whoever has the object in
hand asks `allowed` with its ownership, and answers a foreign object exactly as a missing one.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType

from msgspec import Struct

from accounts.identity import Identity, OrganisationKind, Role, Scope
from accounts.ids import OrganisationId, PersonId


class Action(StrEnum):
    """What can be done; `MEANINGS` says to what."""

    SIGN_IN = "SIGN_IN"
    VIEW_SALES = "VIEW_SALES"
    WATCH_LIVE = "WATCH_LIVE"

    OPEN_LIVE = "OPEN_LIVE"
    MANAGE_OWN_ACCOUNT = "MANAGE_OWN_ACCOUNT"
    MANAGE_OWN_SESSIONS = "MANAGE_OWN_SESSIONS"
    MANAGE_OWN_TOKENS = "MANAGE_OWN_TOKENS"
    KEEP_WATCHLIST = "KEEP_WATCHLIST"
    KEEP_SAVED_SEARCHES = "KEEP_SAVED_SEARCHES"
    KEEP_NOTICES = "KEEP_NOTICES"

    VIEW_TEAM = "VIEW_TEAM"
    MANAGE_TEAM = "MANAGE_TEAM"
    VIEW_AUDIT = "VIEW_AUDIT"

    VIEW_APPLICATION = "VIEW_APPLICATION"
    EDIT_APPLICATION = "EDIT_APPLICATION"
    VIEW_DOCUMENTS = "VIEW_DOCUMENTS"
    DECIDE_APPLICATION = "DECIDE_APPLICATION"

    REGISTER_FOR_SALE = "REGISTER_FOR_SALE"
    PLACE_BID = "PLACE_BID"
    VIEW_BIDS = "VIEW_BIDS"
    SET_BUDGETS = "SET_BUDGETS"
    ASK_SELLER = "ASK_SELLER"

    VIEW_DESK = "VIEW_DESK"
    RUN_SALE = "RUN_SALE"
    HIDE_QUESTION = "HIDE_QUESTION"
    VIEW_CONSIGNED = "VIEW_CONSIGNED"
    PAUSE_SALE = "PAUSE_SALE"
    VOID_BIDS = "VOID_BIDS"

    VIEW_ORGANISATIONS = "VIEW_ORGANISATIONS"
    MANAGE_ORGANISATIONS = "MANAGE_ORGANISATIONS"
    RECORD_DEPOSIT = "RECORD_DEPOSIT"
    SET_LIMIT = "SET_LIMIT"

    VIEW_SETTLEMENT = "VIEW_SETTLEMENT"
    SETTLE = "SETTLE"
    VIEW_PURCHASES = "VIEW_PURCHASES"
    PAY_PURCHASES = "PAY_PURCHASES"
    VIEW_EARNINGS = "VIEW_EARNINGS"
    SET_PAYEE = "SET_PAYEE"
    REPORT_PAYMENT = "REPORT_PAYMENT"


MEANINGS: Mapping[Action, str] = MappingProxyType(
    {
        Action.SIGN_IN: "The ways in: signing in and up, joining a team, a new password.",
        Action.VIEW_SALES: "The public calendar, lots, manifests, photos, histories.",
        Action.WATCH_LIVE: "The live feed's public events.",
        Action.OPEN_LIVE: "A ticket for a live connection under one's own name.",
        Action.MANAGE_OWN_ACCOUNT: "One's own profile, password, mail, second factor.",
        Action.MANAGE_OWN_SESSIONS: "One's own sessions.",
        Action.MANAGE_OWN_TOKENS: "One's own API tokens.",
        Action.KEEP_WATCHLIST: "One's own watched lots.",
        Action.KEEP_SAVED_SEARCHES: "One's own searches.",
        Action.KEEP_NOTICES: "One's own notices, and by which way they come.",
        Action.VIEW_TEAM: "An organisation's people.",
        Action.MANAGE_TEAM: "Their invitations, roles, ceilings, tokens, leaving.",
        Action.VIEW_AUDIT: "An organisation's audit log.",
        Action.VIEW_APPLICATION: "A reseller's approval: state, reasons, limit.",
        Action.EDIT_APPLICATION: "Its profile and certificates, and submitting them.",
        Action.VIEW_DOCUMENTS: "The documents of an application.",
        Action.DECIDE_APPLICATION: "Approve, ask for more, decline, suspend, limit.",
        Action.REGISTER_FOR_SALE: "A reseller's registrations.",
        Action.PLACE_BID: "A reseller's bids.",
        Action.VIEW_BIDS: "A reseller's bids, maxima and won lots.",
        Action.SET_BUDGETS: "A reseller's budgets in a sale.",
        Action.ASK_SELLER: "A reseller's questions about lots, asked in public.",
        Action.VIEW_DESK: "A liquidator's sales as their seller sees them.",
        Action.RUN_SALE: "A liquidator's sales: schedule, add lots, withdraw, answer if-bids.",
        Action.HIDE_QUESTION: "A question about a liquidator's lot, and its answer.",
        Action.VIEW_CONSIGNED: "A consignor's own goods: lots, results, what was agreed.",
        Action.PAUSE_SALE: "A sale, in an emergency.",
        Action.VOID_BIDS: "A bidder's bids on a lot.",
        Action.VIEW_ORGANISATIONS: "The list of all, with their standing.",
        Action.MANAGE_ORGANISATIONS: "New liquidators, consignors, staff.",
        Action.RECORD_DEPOSIT: "A reseller's deposit for a sale.",
        Action.SET_LIMIT: "A reseller's limit in a sale.",
        Action.VIEW_SETTLEMENT: "The books: every award, invoice, entry, balance and statement.",
        Action.SETTLE: "What needs a person: claims, tries, bank files, adjustments, months.",
        Action.VIEW_PURCHASES: "What a reseller has won: invoices, payments, papers, pickups.",
        Action.PAY_PURCHASES: "Paying and fetching it: cards, pickup slots, claims, offers.",
        Action.VIEW_EARNINGS: "A seller's or a consignor's statements and payouts.",
        Action.SET_PAYEE: "Where its payouts go.",
        Action.REPORT_PAYMENT: "The payment provider's events, which it signs.",
    }
)


class Ownership(StrEnum):
    """How an object stands to the person who acts."""

    SELF = "SELF"  # it is theirs personally
    TEAM = "TEAM"  # it is their organisation's, or a colleague's
    FOREIGN = "FOREIGN"  # it is another organisation's
    PUBLIC = "PUBLIC"  # it is nobody's: everybody sees the same


class Capacity(StrEnum):
    """As what somebody acts. A person has all that their roles give, and the first two."""

    GUEST = "GUEST"  # anybody, signed in or not
    MEMBER = "MEMBER"  # anybody who is signed in
    TEAM_ADMIN = "TEAM_ADMIN"  # an admin of any organisation
    BIDDER = "BIDDER"
    RESELLER_ADMIN = "RESELLER_ADMIN"
    LIQUIDATOR = "LIQUIDATOR"
    LIQUIDATOR_ADMIN = "LIQUIDATOR_ADMIN"
    CONSIGNOR = "CONSIGNOR"
    SETTLEMENT = "SETTLEMENT"
    HOUSE_ADMIN = "HOUSE_ADMIN"


_SELF = frozenset({Ownership.SELF})
_TEAM = frozenset({Ownership.SELF, Ownership.TEAM})
_FOREIGN = frozenset({Ownership.FOREIGN})
_ANY = frozenset({Ownership.SELF, Ownership.TEAM, Ownership.FOREIGN})
_PUBLIC = frozenset({Ownership.PUBLIC})

Row = Mapping[Capacity, frozenset[Ownership]]

PERMISSIONS: Mapping[Action, Row] = MappingProxyType(
    {
        Action.SIGN_IN: {Capacity.GUEST: _PUBLIC},
        Action.VIEW_SALES: {Capacity.GUEST: _PUBLIC},
        Action.WATCH_LIVE: {Capacity.GUEST: _PUBLIC},
        # A person's own.
        Action.OPEN_LIVE: {Capacity.MEMBER: _SELF},
        Action.MANAGE_OWN_ACCOUNT: {Capacity.MEMBER: _SELF},
        Action.MANAGE_OWN_SESSIONS: {Capacity.MEMBER: _SELF},
        Action.MANAGE_OWN_TOKENS: {
            Capacity.BIDDER: _SELF,
            Capacity.LIQUIDATOR: _SELF,
            Capacity.TEAM_ADMIN: _SELF,
            Capacity.SETTLEMENT: _SELF,
        },
        Action.KEEP_WATCHLIST: {Capacity.MEMBER: _SELF},
        Action.KEEP_SAVED_SEARCHES: {Capacity.MEMBER: _SELF},
        Action.KEEP_NOTICES: {Capacity.MEMBER: _SELF},
        # A team's.
        Action.VIEW_TEAM: {
            Capacity.BIDDER: _TEAM,
            Capacity.LIQUIDATOR: _TEAM,
            Capacity.TEAM_ADMIN: _TEAM,
            Capacity.SETTLEMENT: _ANY,
            Capacity.HOUSE_ADMIN: _ANY,
        },
        Action.MANAGE_TEAM: {Capacity.TEAM_ADMIN: _TEAM, Capacity.HOUSE_ADMIN: _ANY},
        Action.VIEW_AUDIT: {Capacity.TEAM_ADMIN: _TEAM, Capacity.HOUSE_ADMIN: _ANY},
        # A reseller's approval. Staff decide about others, never about themselves.
        Action.VIEW_APPLICATION: {
            Capacity.BIDDER: _TEAM,
            Capacity.RESELLER_ADMIN: _TEAM,
            Capacity.SETTLEMENT: _FOREIGN,
            Capacity.HOUSE_ADMIN: _FOREIGN,
        },
        Action.EDIT_APPLICATION: {Capacity.RESELLER_ADMIN: _TEAM},
        Action.VIEW_DOCUMENTS: {
            Capacity.RESELLER_ADMIN: _TEAM,
            Capacity.SETTLEMENT: _FOREIGN,
            Capacity.HOUSE_ADMIN: _FOREIGN,
        },
        Action.DECIDE_APPLICATION: {
            Capacity.SETTLEMENT: _FOREIGN,
            Capacity.HOUSE_ADMIN: _FOREIGN,
        },
        # A reseller's bidding. No staff: nobody but its owner sees a maximum.
        Action.REGISTER_FOR_SALE: {Capacity.BIDDER: _TEAM},
        Action.PLACE_BID: {Capacity.BIDDER: _TEAM},
        Action.VIEW_BIDS: {Capacity.BIDDER: _TEAM, Capacity.RESELLER_ADMIN: _TEAM},
        Action.SET_BUDGETS: {Capacity.BIDDER: _TEAM, Capacity.RESELLER_ADMIN: _TEAM},
        Action.ASK_SELLER: {Capacity.BIDDER: _TEAM, Capacity.RESELLER_ADMIN: _TEAM},
        # A liquidator's sales.
        Action.VIEW_DESK: {
            Capacity.LIQUIDATOR: _TEAM,
            Capacity.LIQUIDATOR_ADMIN: _TEAM,
            Capacity.SETTLEMENT: _FOREIGN,
            Capacity.HOUSE_ADMIN: _FOREIGN,
        },
        Action.RUN_SALE: {Capacity.LIQUIDATOR: _TEAM},
        Action.HIDE_QUESTION: {
            Capacity.LIQUIDATOR: _TEAM,
            Capacity.SETTLEMENT: _FOREIGN,
            Capacity.HOUSE_ADMIN: _FOREIGN,
        },
        # A reseller that consigns sees its goods too, and does not bid on them.
        Action.VIEW_CONSIGNED: {
            Capacity.CONSIGNOR: _TEAM,
            Capacity.BIDDER: _TEAM,
            Capacity.RESELLER_ADMIN: _TEAM,
        },
        Action.PAUSE_SALE: {Capacity.LIQUIDATOR: _TEAM, Capacity.HOUSE_ADMIN: _FOREIGN},
        Action.VOID_BIDS: {Capacity.HOUSE_ADMIN: _FOREIGN},
        # The house's.
        Action.VIEW_ORGANISATIONS: {Capacity.SETTLEMENT: _ANY, Capacity.HOUSE_ADMIN: _ANY},
        Action.MANAGE_ORGANISATIONS: {Capacity.HOUSE_ADMIN: _ANY},
        Action.RECORD_DEPOSIT: {Capacity.SETTLEMENT: _FOREIGN, Capacity.HOUSE_ADMIN: _FOREIGN},
        Action.SET_LIMIT: {Capacity.SETTLEMENT: _FOREIGN, Capacity.HOUSE_ADMIN: _FOREIGN},
        # After the hammer. Whose the books are is for staff; the others see their own of them.
        Action.VIEW_SETTLEMENT: {Capacity.SETTLEMENT: _ANY},
        Action.SETTLE: {Capacity.SETTLEMENT: _ANY},
        Action.VIEW_PURCHASES: {
            Capacity.BIDDER: _TEAM,
            Capacity.RESELLER_ADMIN: _TEAM,
            Capacity.SETTLEMENT: _FOREIGN,
        },
        Action.PAY_PURCHASES: {Capacity.BIDDER: _TEAM, Capacity.RESELLER_ADMIN: _TEAM},
        Action.VIEW_EARNINGS: {
            Capacity.LIQUIDATOR: _TEAM,
            Capacity.LIQUIDATOR_ADMIN: _TEAM,
            Capacity.CONSIGNOR: _TEAM,
            Capacity.RESELLER_ADMIN: _TEAM,
            Capacity.SETTLEMENT: _FOREIGN,
        },
        # Who sends them is known by the signature alone.
        Action.REPORT_PAYMENT: {Capacity.GUEST: _PUBLIC},
        # Only who manages the team, and never by a token.
        Action.SET_PAYEE: {
            Capacity.LIQUIDATOR_ADMIN: _TEAM,
            Capacity.CONSIGNOR: _TEAM,
            Capacity.RESELLER_ADMIN: _TEAM,
        },
    }
)

# What a token of a scope reaches, besides what guests may do. What no scope names is for people:
# a stolen token can neither make another one nor change a password.
ACTIONS_OF_SCOPE: Mapping[Scope, frozenset[Action]] = MappingProxyType(
    {
        Scope.READ: frozenset(
            {
                Action.OPEN_LIVE,
                Action.VIEW_TEAM,
                Action.VIEW_APPLICATION,
                Action.VIEW_BIDS,
                Action.VIEW_CONSIGNED,
                Action.VIEW_PURCHASES,
                Action.VIEW_EARNINGS,
            }
        ),
        Scope.BID: frozenset(
            {
                Action.OPEN_LIVE,
                Action.KEEP_WATCHLIST,
                Action.KEEP_SAVED_SEARCHES,
                Action.REGISTER_FOR_SALE,
                Action.PLACE_BID,
                Action.VIEW_BIDS,
                Action.SET_BUDGETS,
                Action.ASK_SELLER,
                Action.VIEW_PURCHASES,
                Action.PAY_PURCHASES,
            }
        ),
        Scope.SELL: frozenset(
            {
                Action.OPEN_LIVE,
                Action.VIEW_DESK,
                Action.RUN_SALE,
                Action.HIDE_QUESTION,
                Action.PAUSE_SALE,
                Action.VIEW_EARNINGS,
            }
        ),
        Scope.STAFF: frozenset(
            {
                Action.OPEN_LIVE,
                Action.VIEW_DESK,
                Action.HIDE_QUESTION,
                Action.VIEW_ORGANISATIONS,
                Action.VIEW_APPLICATION,
                Action.VIEW_AUDIT,
                Action.RECORD_DEPOSIT,
                Action.SET_LIMIT,
                Action.VIEW_SETTLEMENT,
                Action.SETTLE,
                Action.VIEW_PURCHASES,
                Action.VIEW_EARNINGS,
            }
        ),
    }
)

_CAPACITIES_OF_ROLE: Mapping[tuple[OrganisationKind, Role], frozenset[Capacity]] = {
    (OrganisationKind.RESELLER, Role.BIDDER): frozenset({Capacity.BIDDER}),
    (OrganisationKind.RESELLER, Role.ADMIN): frozenset(
        {Capacity.TEAM_ADMIN, Capacity.RESELLER_ADMIN}
    ),
    (OrganisationKind.LIQUIDATOR, Role.LIQUIDATOR): frozenset({Capacity.LIQUIDATOR}),
    (OrganisationKind.LIQUIDATOR, Role.ADMIN): frozenset(
        {Capacity.TEAM_ADMIN, Capacity.LIQUIDATOR_ADMIN}
    ),
    (OrganisationKind.CONSIGNOR, Role.ADMIN): frozenset({Capacity.TEAM_ADMIN, Capacity.CONSIGNOR}),
    (OrganisationKind.HOUSE, Role.SETTLEMENT): frozenset({Capacity.SETTLEMENT}),
    (OrganisationKind.HOUSE, Role.ADMIN): frozenset({Capacity.TEAM_ADMIN, Capacity.HOUSE_ADMIN}),
}


class Access(Struct, frozen=True):
    """What a route of the HTTP kit names as its ``access``: the action that it is.

    The door asks `may`: whether the person could do this to any object at all. Which object, and
    so whether this one, only the handler knows.
    """

    action: Action


def allowed(identity: Identity | None, action: Action, ownership: Ownership) -> bool:
    """Whether this may be done to an object that stands so to the person; ``None``: a guest."""
    return ownership in _ownerships(identity, action)


def may(identity: Identity | None, action: Action) -> bool:
    """Whether this may be done to any object at all."""
    return bool(_ownerships(identity, action))


def ownership_of(
    identity: Identity | None,
    organisation_id: OrganisationId | str,
    person_id: PersonId | str | None = None,
) -> Ownership:
    """How an object of this organisation stands to the person.

    ``person_id`` is given for what belongs to one person, such as a session. What belongs to an
    organisation as a whole is never SELF, also for its only person.
    """
    if identity is None or identity.organisation_id != organisation_id:
        return Ownership.FOREIGN
    return Ownership.SELF if identity.person_id == person_id else Ownership.TEAM


def capacities(identity: Identity | None) -> frozenset[Capacity]:
    """All that somebody can act as."""
    if identity is None:
        return frozenset({Capacity.GUEST})
    kind = identity.organisation_kind
    given = (_CAPACITIES_OF_ROLE.get((kind, role), frozenset()) for role in identity.roles)
    return frozenset({Capacity.GUEST, Capacity.MEMBER}).union(*given)


def _ownerships(identity: Identity | None, action: Action) -> frozenset[Ownership]:
    row = PERMISSIONS[action]
    held: Iterable[Capacity] = capacities(identity)
    if identity is not None and not _in_scope(identity, action):
        held = (Capacity.GUEST,)
    return frozenset().union(*(row.get(capacity, frozenset()) for capacity in held))


def _in_scope(identity: Identity, action: Action) -> bool:
    if identity.scopes is None:
        return True
    return any(action in ACTIONS_OF_SCOPE[scope] for scope in identity.scopes)
