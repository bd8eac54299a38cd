"""Sessions, tokens, tickets and their revocation."""

import asyncio

import pytest

from accounts import own_account, revocations, sessions, tickets, tokens
from accounts.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from accounts.identity import OrganisationKind, Role, Scope
from accounts.ids import PersonId, SessionId, TokenId
from accounts.refusals import Refusal, Refused
from accounts.secret import Secret
from accounts.tokens import Bearers
from foundation.database import transaction
from tests.accounts import VISITOR, House, session_id_of

RESELLER, HOUSE = OrganisationKind.RESELLER, OrganisationKind.HOUSE


async def token_of(
    home: House, person_id: PersonId, *scopes: Scope, expires_us: int = DAY_US
) -> tokens.MadeToken:
    async with transaction(home.room.pool) as connection:
        return await tokens.make_token(
            connection,
            person_id,
            "a program",
            frozenset(scopes),
            expires_at_us=home.clock() + expires_us,
            now_us=home.clock(),
        )


async def works(home: House, secret: Secret) -> bool:
    return await sessions.identify(home.room.pool, secret, home.clock()) is not None


async def test_a_session_says_who_somebody_is_and_as_what(home: House) -> None:
    organisation_id = await home.organisation(RESELLER)
    person_id = await home.person(organisation_id, Role.BIDDER)
    _, identity = await home.session(person_id)
    assert identity.person_id == person_id
    assert (identity.organisation_id, identity.bidder_id) == (organisation_id, organisation_id)
    assert identity.roles == {Role.BIDDER}
    assert identity.name == "Kim Hart"
    assert (identity.token_id, identity.scopes) == (None, None)


async def test_a_cookie_that_is_nobodys_is_nobody(home: House) -> None:
    for cookie in ("", "x", "\ud800", "x" * 10_000):
        assert await sessions.identify(home.room.pool, cookie, home.clock()) is None


async def test_a_session_ends_after_twelve_hours_without_use(home: House) -> None:
    secret, _ = await home.session(await home.member(RESELLER))
    home.clock.now_us += 12 * HOUR_US - SECOND_US
    assert await works(home, secret)  # and that was use
    home.clock.now_us += 12 * HOUR_US - SECOND_US
    assert await works(home, secret)
    home.clock.now_us += 12 * HOUR_US
    assert not await works(home, secret)


async def test_a_session_ends_after_fourteen_days_however_much_it_is_used(home: House) -> None:
    secret, _ = await home.session(await home.member(RESELLER))
    for _ in range(14 * 24 // 8 - 1):
        home.clock.now_us += 8 * HOUR_US
        assert await works(home, secret)
    home.clock.now_us += 8 * HOUR_US - 1
    assert await works(home, secret)
    home.clock.now_us += 1
    assert not await works(home, secret)


async def test_bids_over_a_live_connection_keep_a_session_in_use(home: House) -> None:
    secret, identity = await home.session(await home.member(RESELLER))
    for _ in range(3):
        home.clock.now_us += 11 * HOUR_US
        await sessions.seen(home.room.pool, [session_id_of(identity)], home.clock())
    assert await works(home, secret)


async def test_use_does_not_bring_an_ended_session_back(home: House) -> None:
    secret, identity = await home.session(await home.member(RESELLER))
    home.clock.now_us += 13 * HOUR_US
    await sessions.seen(home.room.pool, [session_id_of(identity)], home.clock())
    assert not await works(home, secret)


async def test_last_use_is_kept_to_the_minute(home: House) -> None:
    person_id = await home.member(RESELLER)
    secret, _ = await home.session(person_id)
    began_us = home.clock()
    home.clock.now_us += MINUTE_US
    await works(home, secret)
    (listed,) = await sessions.sessions_of(home.room.pool, person_id, home.clock())
    assert listed.last_seen_at_us == began_us
    home.clock.now_us += 1
    await works(home, secret)
    (listed,) = await sessions.sessions_of(home.room.pool, person_id, home.clock())
    assert listed.last_seen_at_us == home.clock()


async def test_a_rotated_session_has_another_secret_and_the_same_name(home: House) -> None:
    secret, identity = await home.session(await home.member(RESELLER))
    async with transaction(home.room.pool) as connection:
        rotated = await sessions.rotate(connection, session_id_of(identity))
    assert not await works(home, secret)
    again = await sessions.identify(home.room.pool, rotated, home.clock())
    assert again == identity


async def test_beyond_twenty_sessions_the_oldest_gives_way(home: House) -> None:
    person_id = await home.member(RESELLER)
    secrets = []
    for _ in range(21):
        home.clock.advance(120)
        secrets.append((await home.session(person_id))[0])
    assert [await works(home, secret) for secret in secrets] == [False] + [True] * 20


async def test_staff_without_a_second_factor_have_no_roles(home: House) -> None:
    person_id = await home.member(HOUSE)
    _, identity = await home.session(person_id, second_factor=False)
    assert (identity.roles, identity.must_enrol) == (frozenset(), True)
    _, identity = await home.session(person_id, second_factor=True)
    assert identity.roles == {Role.ADMIN, Role.SETTLEMENT}


async def test_whoever_left_has_no_session_token_or_ticket(home: House) -> None:
    organisation_id = await home.organisation(RESELLER)
    await home.person(organisation_id, Role.ADMIN, mail="boss@example.com")
    person_id = await home.person(organisation_id, Role.BIDDER)
    secret, identity = await home.session(person_id)
    token = await token_of(home, person_id, Scope.BID)
    ticket = await tickets.issue(home.room.pool, identity, home.clock())
    async with transaction(home.room.pool) as connection:
        await connection.execute("update person set left_at_us = 1 where person_id = $1", person_id)
    assert not await works(home, secret)
    assert await tokens.identify_bearer(home.room.pool, token.secret, home.clock()) is None
    assert await tickets.redeem(home.room.pool, ticket.ticket, home.clock()) is None


async def test_a_token_is_its_person_within_its_scopes(home: House) -> None:
    person_id = await home.member(RESELLER)
    made = await token_of(home, person_id, Scope.READ, Scope.BID)
    identity = await tokens.identify_bearer(home.room.pool, made.secret, home.clock())
    assert identity is not None
    assert (identity.person_id, identity.token_id) == (person_id, made.token_id)
    assert identity.scopes == frozenset({Scope.READ, Scope.BID})
    assert identity.session_id is None
    assert made.secret.startswith("sc_")


async def test_a_token_that_is_nobodys_or_expired_is_nobody(home: House) -> None:
    made = await token_of(home, await home.member(RESELLER), Scope.READ)
    for bearer in ("", "sc_", "sc_x", made.secret[3:], made.secret + "x", "sc_" + "x" * 10_000):
        assert await tokens.identify_bearer(home.room.pool, bearer, home.clock()) is None
    home.clock.now_us += DAY_US
    assert await tokens.identify_bearer(home.room.pool, made.secret, home.clock()) is None


async def test_a_remembered_token_is_asked_for_again_after_two_seconds(home: House) -> None:
    person_id = await home.member(RESELLER)
    made = await token_of(home, person_id, Scope.READ)
    bearers = Bearers(home.room.pool, home.clock)
    assert await bearers.identify(made.secret)
    async with transaction(home.room.pool) as connection:
        assert await tokens.revoke(connection, person_id, made.token_id)
    home.clock.advance(1.9)
    assert await bearers.identify(made.secret)
    home.clock.advance(0.1)
    assert await bearers.identify(made.secret) is None


async def test_the_memory_for_tokens_is_bounded(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "CACHED_TOKENS", 2)
    person_id = await home.member(RESELLER)
    bearers = Bearers(home.room.pool, home.clock)
    for _ in range(4):
        made = await token_of(home, person_id, Scope.READ)
        assert await bearers.identify(made.secret)
        assert await bearers.identify(made.secret[:-1]) is None
    assert len(bearers._known) == 2


async def test_a_tokens_last_use_is_shown(home: House) -> None:
    person_id = await home.member(RESELLER)
    made = await token_of(home, person_id, Scope.READ)
    (listed,) = await tokens.tokens_of(home.room.pool, person_id)
    assert (listed.token_id, listed.last_used_at_us) == (made.token_id, None)
    await tokens.identify_bearer(home.room.pool, made.secret, home.clock())
    (listed,) = await tokens.tokens_of(home.room.pool, person_id)
    assert listed.last_used_at_us == home.clock()


async def test_a_ticket_works_once(home: House) -> None:
    _, identity = await home.session(await home.member(RESELLER))
    ticket = await tickets.issue(home.room.pool, identity, home.clock())
    assert await tickets.redeem(home.room.pool, ticket.ticket, home.clock()) == identity
    assert await tickets.redeem(home.room.pool, ticket.ticket, home.clock()) is None


async def test_of_many_connections_with_one_ticket_one_is_let_in(home: House) -> None:
    _, identity = await home.session(await home.member(RESELLER))
    ticket = await tickets.issue(home.room.pool, identity, home.clock())
    tries = (tickets.redeem(home.room.pool, ticket.ticket, home.clock()) for _ in range(8))
    assert sorted(one is None for one in await asyncio.gather(*tries)) == [False] + [True] * 7


async def test_a_ticket_lasts_thirty_seconds(home: House) -> None:
    _, identity = await home.session(await home.member(RESELLER))
    early = await tickets.issue(home.room.pool, identity, home.clock())
    late = await tickets.issue(home.room.pool, identity, home.clock())
    home.clock.advance(29.999)
    assert await tickets.redeem(home.room.pool, early.ticket, home.clock()) == identity
    home.clock.advance(0.001)
    assert await tickets.redeem(home.room.pool, late.ticket, home.clock()) is None


async def test_a_ticket_of_a_token_is_within_its_scopes(home: House) -> None:
    made = await token_of(home, await home.member(RESELLER), Scope.BID)
    identity = await tokens.identify_bearer(home.room.pool, made.secret, home.clock())
    assert identity is not None
    ticket = await tickets.issue(home.room.pool, identity, home.clock())
    assert await tickets.redeem(home.room.pool, ticket.ticket, home.clock()) == identity


async def test_a_ticket_dies_with_its_session(home: House) -> None:
    _, identity = await home.session(await home.member(RESELLER))
    ticket = await tickets.issue(home.room.pool, identity, home.clock())
    async with transaction(home.room.pool) as connection:
        assert await sessions.end(connection, identity.person_id, session_id_of(identity))
    assert await tickets.redeem(home.room.pool, ticket.ticket, home.clock()) is None


async def test_what_is_over_is_among_the_revoked(home: House) -> None:
    person_id = await home.member(RESELLER)
    (_, live), (_, ended) = await home.session(person_id), await home.session(person_id)
    kept, gone = [await token_of(home, person_id, Scope.BID) for _ in range(2)]
    async with transaction(home.room.pool) as connection:
        await sessions.end(connection, person_id, session_id_of(ended))
        await tokens.revoke(connection, person_id, gone.token_id)
    revoked = await revocations.revoked_among(
        home.room.pool,
        [session_id_of(live), session_id_of(ended), SessionId("never")],
        [kept.token_id, gone.token_id, TokenId("never")],
        home.clock(),
    )
    assert revoked.session_ids == {session_id_of(ended), "never"}
    assert revoked.token_ids == {gone.token_id, "never"}


async def test_what_has_expired_is_among_the_revoked(home: House) -> None:
    person_id = await home.member(RESELLER)
    _, identity = await home.session(person_id)
    made = await token_of(home, person_id, Scope.BID, expires_us=HOUR_US)
    home.clock.now_us += 12 * HOUR_US
    revoked = await revocations.revoked_among(
        home.room.pool, [session_id_of(identity)], [made.token_id], home.clock()
    )
    assert (len(revoked.session_ids), len(revoked.token_ids)) == (1, 1)


async def test_nobody_ends_somebody_elses_session_or_token(home: House) -> None:
    kim = await home.signed_in(RESELLER, mail="kim@example.com")
    ann = await home.signed_in(RESELLER, mail="ann@example.com")
    made = await token_of(home, kim.person_id, Scope.READ)
    with pytest.raises(Refused) as caught:
        await own_account.end_session(home.room, ann, session_id_of(kim), VISITOR.actor)
    assert caught.value.refusal is Refusal.NOT_FOUND
    with pytest.raises(Refused) as caught:
        await own_account.revoke_own_token(home.room, ann, made.token_id, VISITOR.actor)
    assert caught.value.refusal is Refusal.NOT_FOUND
    assert await tokens.identify_bearer(home.room.pool, made.secret, home.clock())


async def test_tokens_have_a_name_scopes_and_an_expiry(home: House) -> None:
    kim = await home.signed_in(RESELLER, mail="kim@example.com")

    async def refusal(name: str, scopes: set[Scope], days: int) -> Refusal:
        with pytest.raises(Refused) as caught:
            await own_account.make_own_token(
                home.room, kim, name, frozenset(scopes), days, VISITOR.actor
            )
        return caught.value.refusal

    assert await refusal("", {Scope.READ}, 30) is Refusal.BAD_TEXT
    assert await refusal("x", set(), 30) is Refusal.NO_SCOPE
    for days in (0, -1, 367, 10**12):
        assert await refusal("x", {Scope.READ}, days) is Refusal.EXPIRY_OUT_OF_RANGE


async def test_tokens_are_bounded(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_account, "MAX_TOKENS", 2)
    kim = await home.signed_in(RESELLER, mail="kim@example.com")

    async def make() -> str:
        try:
            await own_account.make_own_token(
                home.room, kim, "x", frozenset({Scope.READ}), 30, VISITOR.actor
            )
        except Refused as refused:
            return refused.refusal
        return "made"

    made = await asyncio.gather(*(make() for _ in range(4)))
    assert sorted(made) == [Refusal.TOO_MANY, Refusal.TOO_MANY, "made", "made"]
