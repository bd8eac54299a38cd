"""Who is connected to the live gateway: let in by accounts, and sent away by them."""

from accounts import applications, own_account, team, tickets
from accounts.approval_states import ApprovalState
from accounts.audit import OPERATOR
from accounts.identity import Identity, OrganisationKind, Role, Scope
from auction.ids import BidderId, PersonId
from foundation.database import transaction
from softclose.participants import Participants
from tests.accounts import HART, VISITOR, House, session_id_of

RESELLER, LIQUIDATOR = OrganisationKind.RESELLER, OrganisationKind.LIQUIDATOR


async def approve(home: House, identity: Identity) -> None:
    async with transaction(home.room.pool) as connection:
        await applications.admit(
            connection,
            identity.organisation_id,
            HART,
            limit_minor=None,
            actor=OPERATOR,
            now_us=home.clock(),
        )


async def suspend(home: House, identity: Identity) -> None:
    found = await applications.application_of(home.room.pool, identity.organisation_id)
    assert found is not None
    await applications.decide(
        home.room,
        identity.organisation_id,
        ApprovalState.SUSPENDED,
        reasons="Unpaid.",
        limit_minor=None,
        seen_at_us=found.changed_at_us,
        actor=OPERATOR,
    )


async def ticket_of(home: House, identity: Identity) -> str:
    return (await tickets.issue(home.room.pool, identity, home.clock())).ticket


async def test_an_approved_bidder_bids_and_others_of_the_team_follow(home: House) -> None:
    doors = Participants(home.room)
    kim = await home.signed_in(RESELLER, Role.BIDDER, mail="kim@example.com")
    unapproved = await doors.redeem(await ticket_of(home, kim))
    assert unapproved is not None
    assert (unapproved.bidder_id, unapproved.may_bid) == (BidderId(kim.organisation_id), False)
    await approve(home, kim)
    bidder = await doors.redeem(await ticket_of(home, kim))
    assert bidder is not None
    assert (bidder.may_bid, bidder.login) == (True, session_id_of(kim))
    assert bidder.person_id == PersonId(kim.person_id)
    boss = await home.person(kim.organisation_id, Role.ADMIN, mail="boss@example.com")
    _, identity = await home.session(boss)
    admin = await doors.redeem(await ticket_of(home, identity))
    assert admin is not None
    assert (admin.bidder_id, admin.may_bid) == (BidderId(kim.organisation_id), False)


async def test_a_liquidator_watches_as_nobodys_bidder(home: House) -> None:
    identity = await home.signed_in(LIQUIDATOR, mail="liz@example.com")
    watcher = await Participants(home.room).redeem(await ticket_of(home, identity))
    assert watcher is not None
    assert (watcher.bidder_id, watcher.may_bid) == (None, False)


async def test_a_token_bids_within_its_scopes(home: House) -> None:
    doors = Participants(home.room)
    kim = await home.signed_in(RESELLER, mail="kim@example.com")
    await approve(home, kim)
    for scope, may_bid in ((Scope.BID, True), (Scope.READ, False)):
        made = await own_account.make_own_token(
            home.room, kim, "x", frozenset({scope}), 30, VISITOR.actor
        )
        bearer = await doors.bearer(made.secret)
        assert bearer is not None
        assert (bearer.may_bid, bearer.login) == (may_bid, made.token_id)
        assert bearer.bidder_id == BidderId(kim.organisation_id)
    assert await doors.bearer("sc_never") is None
    assert await doors.redeem("never") is None


async def test_logins_end_with_their_sessions_tokens_and_roles(home: House) -> None:
    doors = Participants(home.room)
    kim = await home.signed_in(RESELLER, mail="kim@example.com")
    ann_id = await home.person(kim.organisation_id, Role.BIDDER, mail="ann@example.com")
    _, ann = await home.session(ann_id)
    made = await own_account.make_own_token(
        home.room, ann, "x", frozenset({Scope.BID}), 30, VISITOR.actor
    )
    logins: set[str] = {session_id_of(kim), session_id_of(ann), made.token_id}
    assert await doors.ended(logins) == set()
    await team.change_roles(
        home.room, kim.organisation_id, ann_id, frozenset({Role.ADMIN}), None, VISITOR.actor
    )
    assert await doors.ended(logins) == {session_id_of(ann), made.token_id}
    assert await doors.ended(set()) == set()


async def test_a_bidder_of_a_suspended_reseller_is_sent_away_and_watches_on(home: House) -> None:
    doors = Participants(home.room)
    kim = await home.signed_in(RESELLER, mail="kim@example.com")
    await approve(home, kim)
    home.clock.advance(1)
    assert await doors.redeem(await ticket_of(home, kim)) is not None
    login = session_id_of(kim)
    assert await doors.ended({login}) == set()
    await suspend(home, kim)
    assert await doors.ended({login}) == {login}
    again = await doors.redeem(await ticket_of(home, kim))
    assert again is not None
    assert again.may_bid is False
    assert await doors.ended({login}) == set()


async def test_who_has_gone_is_forgotten(home: House) -> None:
    doors = Participants(home.room)
    kim = await home.signed_in(RESELLER, mail="kim@example.com")
    await approve(home, kim)
    await doors.redeem(await ticket_of(home, kim))
    await doors.ended({"session-another"})
    assert len(doors._bidding) == 1  # may still be shaking hands
    home.clock.advance(61)
    await doors.ended({"session-another"})
    assert doors._bidding == {}
