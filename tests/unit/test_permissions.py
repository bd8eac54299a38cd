"""The table of permissions, whole: capacity, action and ownership, written a second time."""

from itertools import product

import pytest

from accounts.identity import ROLES_OF_KIND, Identity, OrganisationKind, Role, Scope
from accounts.ids import OrganisationId, PersonId, TokenId
from accounts.permissions import (
    ACTIONS_OF_SCOPE,
    PERMISSIONS,
    Action,
    Capacity,
    Ownership,
    allowed,
    capacities,
    may,
    ownership_of,
)

RESELLER, LIQUIDATOR, CONSIGNOR, HOUSE = (
    OrganisationKind.RESELLER,
    OrganisationKind.LIQUIDATOR,
    OrganisationKind.CONSIGNOR,
    OrganisationKind.HOUSE,
)


def somebody(
    kind: OrganisationKind, *roles: Role, scopes: frozenset[Scope] | None = None
) -> Identity:
    return Identity(
        person_id=PersonId("me"),
        organisation_id=OrganisationId("mine"),
        organisation_kind=kind,
        roles=frozenset(roles),
        name="Kim",
        token_id=None if scopes is None else TokenId("token"),
        scopes=scopes,
    )


PEOPLE: dict[str, Identity | None] = {
    "guest": None,
    "no role": somebody(HOUSE),
    "bidder": somebody(RESELLER, Role.BIDDER),
    "reseller": somebody(RESELLER, Role.ADMIN),
    "liquid": somebody(LIQUIDATOR, Role.LIQUIDATOR),
    "liq adm": somebody(LIQUIDATOR, Role.ADMIN),
    "consign": somebody(CONSIGNOR, Role.ADMIN),
    "settle": somebody(HOUSE, Role.SETTLEMENT),
    "admin": somebody(HOUSE, Role.ADMIN),
}
LETTERS = {
    Ownership.SELF: "s",
    Ownership.TEAM: "t",
    Ownership.FOREIGN: "f",
    Ownership.PUBLIC: "p",
}

# What each may do to what is their own (s), their team's (t), somebody else's (f), everybody's (p).
TABLE = """
                     guest  no role bidder reseller liquid liq adm consign settle admin
SIGN_IN              p      p       p      p        p      p       p       p      p
VIEW_SALES           p      p       p      p        p      p       p       p      p
WATCH_LIVE           p      p       p      p        p      p       p       p      p
OPEN_LIVE            -      s       s      s        s      s       s       s      s
MANAGE_OWN_ACCOUNT   -      s       s      s        s      s       s       s      s
MANAGE_OWN_SESSIONS  -      s       s      s        s      s       s       s      s
MANAGE_OWN_TOKENS    -      -       s      s        s      s       s       s      s
KEEP_WATCHLIST       -      s       s      s        s      s       s       s      s
KEEP_SAVED_SEARCHES  -      s       s      s        s      s       s       s      s
KEEP_NOTICES         -      s       s      s        s      s       s       s      s
VIEW_TEAM            -      -       st     st       st     st      st      stf    stf
MANAGE_TEAM          -      -       -      st       -      st      st      -      stf
VIEW_AUDIT           -      -       -      st       -      st      st      -      stf
VIEW_APPLICATION     -      -       st     st       -      -       -       f      f
EDIT_APPLICATION     -      -       -      st       -      -       -       -      -
VIEW_DOCUMENTS       -      -       -      st       -      -       -       f      f
DECIDE_APPLICATION   -      -       -      -        -      -       -       f      f
REGISTER_FOR_SALE    -      -       st     -        -      -       -       -      -
PLACE_BID            -      -       st     -        -      -       -       -      -
VIEW_BIDS            -      -       st     st       -      -       -       -      -
SET_BUDGETS          -      -       st     st       -      -       -       -      -
ASK_SELLER           -      -       st     st       -      -       -       -      -
VIEW_DESK            -      -       -      -        st     st      -       f      f
RUN_SALE             -      -       -      -        st     -       -       -      -
HIDE_QUESTION        -      -       -      -        st     -       -       f      f
VIEW_CONSIGNED       -      -       st     st       -      -       st      -      -
PAUSE_SALE           -      -       -      -        st     -       -       -      f
VOID_BIDS            -      -       -      -        -      -       -       -      f
VIEW_ORGANISATIONS   -      -       -      -        -      -       -       stf    stf
MANAGE_ORGANISATIONS -      -       -      -        -      -       -       -      stf
RECORD_DEPOSIT       -      -       -      -        -      -       -       f      f
SET_LIMIT            -      -       -      -        -      -       -       f      f
VIEW_SETTLEMENT      -      -       -      -        -      -       -       stf    -
SETTLE               -      -       -      -        -      -       -       stf    -
REPORT_PAYMENT       p      p       p      p        p      p       p       p      p
VIEW_PURCHASES       -      -       st     st       -      -       -       f      -
PAY_PURCHASES        -      -       st     st       -      -       -       -      -
VIEW_EARNINGS        -      -       -      st       st     st      st      f      -
SET_PAYEE            -      -       -      st       -      st      st      -      -
"""


def rows() -> dict[Action, dict[str, str]]:
    lines = [line.split() for line in TABLE.strip().splitlines()[1:]]
    return {Action(line[0]): dict(zip(PEOPLE, line[1:], strict=True)) for line in lines}


def test_the_written_table_names_every_action() -> None:
    assert set(rows()) == set(Action) == set(PERMISSIONS)


@pytest.mark.parametrize("action", Action)
def test_each_cell_of_the_table(action: Action) -> None:
    for who, ownership in product(PEOPLE, Ownership):
        expected = LETTERS[ownership] in rows()[action][who]
        assert allowed(PEOPLE[who], action, ownership) is expected, (who, ownership)


@pytest.mark.parametrize("action", Action)
def test_the_door_lets_in_whoever_may_do_it_to_anything(action: Action) -> None:
    for who in PEOPLE:
        assert may(PEOPLE[who], action) is (rows()[action][who] != "-"), who


def test_every_capacity_is_somebodys() -> None:
    held = [capacities(somebody(kind, role)) for kind in ROLES_OF_KIND for role in Role]
    assert frozenset().union(*held) == set(Capacity)


def test_a_role_that_a_kind_does_not_have_gives_nothing() -> None:
    for kind, role in product(OrganisationKind, Role):
        beyond = capacities(somebody(kind, role)) - capacities(somebody(kind))
        assert bool(beyond) is (role in ROLES_OF_KIND[kind])


# What a token of one scope can do, in the name of somebody with every role of their kind.
SCOPES = {
    Scope.READ: "OPEN_LIVE VIEW_TEAM VIEW_APPLICATION VIEW_BIDS VIEW_CONSIGNED VIEW_PURCHASES "
    "VIEW_EARNINGS",
    Scope.BID: "OPEN_LIVE KEEP_WATCHLIST KEEP_SAVED_SEARCHES REGISTER_FOR_SALE PLACE_BID "
    "VIEW_BIDS SET_BUDGETS ASK_SELLER VIEW_PURCHASES PAY_PURCHASES",
    Scope.SELL: "OPEN_LIVE VIEW_DESK RUN_SALE HIDE_QUESTION PAUSE_SALE VIEW_EARNINGS",
    Scope.STAFF: "OPEN_LIVE VIEW_DESK HIDE_QUESTION VIEW_ORGANISATIONS VIEW_APPLICATION VIEW_AUDIT "
    "RECORD_DEPOSIT SET_LIMIT VIEW_SETTLEMENT SETTLE VIEW_PURCHASES VIEW_EARNINGS",
}


@pytest.mark.parametrize(("kind", "scope"), list(product(OrganisationKind, Scope)))
def test_a_token_does_what_its_scope_and_its_person_may(
    kind: OrganisationKind, scope: Scope
) -> None:
    person = somebody(kind, *ROLES_OF_KIND[kind])
    token = somebody(kind, *ROLES_OF_KIND[kind], scopes=frozenset({scope}))
    for action, ownership in product(Action, Ownership):
        in_scope = action.value in SCOPES[scope].split()
        expected = allowed(person if in_scope else None, action, ownership)
        assert allowed(token, action, ownership) is expected, (action, ownership)


def test_no_scope_reaches_what_would_let_somebody_in() -> None:
    reached = frozenset().union(*ACTIONS_OF_SCOPE.values())
    assert not reached & {
        Action.MANAGE_OWN_ACCOUNT,
        Action.MANAGE_OWN_SESSIONS,
        Action.MANAGE_OWN_TOKENS,
        Action.MANAGE_TEAM,
        Action.MANAGE_ORGANISATIONS,
        Action.DECIDE_APPLICATION,
        Action.SET_PAYEE,
    }


def test_ownership_is_told_by_person_and_organisation() -> None:
    me = somebody(RESELLER, Role.BIDDER)
    assert ownership_of(me, "mine", "me") is Ownership.SELF
    assert ownership_of(me, "mine", "colleague") is Ownership.TEAM
    assert ownership_of(me, "mine") is Ownership.TEAM
    assert ownership_of(me, "theirs", "me") is Ownership.FOREIGN
    assert ownership_of(None, "mine", "me") is Ownership.FOREIGN


def test_a_bidder_id_is_the_resellers_organisation() -> None:
    assert somebody(RESELLER, Role.ADMIN).bidder_id == "mine"
    assert [somebody(kind).bidder_id for kind in (LIQUIDATOR, CONSIGNOR, HOUSE)] == [None] * 3


def test_staff_without_roles_must_enrol() -> None:
    assert somebody(HOUSE).must_enrol
    assert not somebody(HOUSE, Role.SETTLEMENT).must_enrol
    assert not somebody(RESELLER).must_enrol
