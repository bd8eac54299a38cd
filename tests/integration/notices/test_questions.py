"""What is told of questions about lots: to the seller that it is asked, to the asker what came."""

from accounts.identity import OrganisationKind, Role
from accounts.ids import PersonId
from auction.catalog import questions
from auction.catalog.questions import HideReason, NewQuestion, Question
from auction.ids import ActorId, BidderId, LotId
from bidder_gateway.notices.kinds import SECOND_US, Kind, Way
from foundation.database import transaction
from tests.builders import SALE
from tests.catalogue import a_described_lot, a_sale, list_lots
from tests.notices import NoticeRoom, of_kind

SELLER = ActorId("seller")

_BOARD = """
insert into sale_board
    (sale_id, liquidator_id, currency, audience, terms, scheduled_at_us, opens_at_us)
values ($1, $2, 'USD', $3, '{}', 1, 1)
"""


async def published(room: NoticeRoom, audience: str = "PUBLIC") -> PersonId:
    """The sale, as its seller has published it; a person of the seller."""
    kind, mail = OrganisationKind.LIQUIDATOR, "dana@example.com"
    organisation_id = await room.home.organisation(kind, "Harbor")
    seller = await room.home.person(organisation_id, Role.LIQUIDATOR, mail=mail)
    sale = a_sale(SALE, liquidator_id=organisation_id)
    async with transaction(room.pool) as connection:
        lot = a_described_lot("1", SALE, title="Toys")
        await list_lots(connection, lot, sale=sale, lines=(), publish=True)
        await connection.execute(_BOARD, SALE, organisation_id, audience)
    return seller


async def asked(
    room: NoticeRoom,
    bidder_id: BidderId,
    person_id: PersonId,
    text: str = "How  many\nboxes?",
    ago_us: int = 0,
) -> Question:
    new = NewQuestion(
        sale_id=SALE, lot_id=LotId("1"), question=text, asker_id=bidder_id, asked_by=person_id
    )
    async with transaction(room.pool) as connection:
        return await questions.ask(connection, new, room.means.now_us() - ago_us)


async def answered(room: NoticeRoom, question: Question, text: str = "Twelve.") -> Question:
    async with transaction(room.pool) as connection:
        await questions.answer_question(connection, question, text, SELLER, room.means.now_us())
        found = await questions.read_question(connection, question.question_id)
    assert found is not None
    return found


async def test_the_seller_is_told_of_a_question_and_the_asker_of_the_answer(
    room: NoticeRoom,
) -> None:
    seller = await published(room)
    ann, (kim, lou) = await room.reseller("kim@example.com", "lou@example.com")
    question = await asked(room, ann, kim)
    for _ in range(2):
        await room.look("questions")
    assert [await room.kinds(who) for who in (seller, kim, lou)] == [[Kind.QUESTION_ASKED], [], []]
    (view,) = await room.listed(seller)
    assert (view.title, view.link) == ("A question about Toys", "/desk/questions")
    assert view.text.startswith("“How many boxes?”")
    question = await answered(room, question)
    for _ in range(2):
        await room.look("questions")
    assert [await room.kinds(who) for who in (kim, lou)] == [[Kind.QUESTION_ANSWERED], []]
    (view,) = of_kind(await room.listed(kim), Kind.QUESTION_ANSWERED)
    assert (view.text, view.link) == ("The seller says “Twelve.”.", "/sales/S-1/lots/1#questions")
    await answered(room, question, "Eleven.")
    await room.look("questions")
    (view, _) = of_kind(await room.listed(kim), Kind.QUESTION_ANSWERED)
    assert view.title == "Your question about Toys was answered anew"


async def test_an_answer_comes_by_mail_and_not_to_who_does_not_want_that(room: NoticeRoom) -> None:
    await published(room)
    ann, (kim,) = await room.reseller("kim@example.com")
    bert, (joe,) = await room.reseller("joe@example.com")
    await room.chooses(joe, Kind.QUESTION_ANSWERED, Way.MAIL, wanted=False)
    for bidder_id, person_id in ((ann, kim), (bert, joe)):
        await answered(room, await asked(room, bidder_id, person_id))
    await room.look("questions")
    assert [(kind, way) for kind, way, _, _ in await room.deliveries(kim)] == [
        (Kind.QUESTION_ANSWERED, Way.MAIL)
    ]
    assert await room.deliveries(joe) == []
    assert await room.kinds(joe) == [Kind.QUESTION_ANSWERED]


async def test_what_was_answered_before_anybody_looked_is_not_told_to_the_seller(
    room: NoticeRoom,
) -> None:
    seller = await published(room)
    ann, (kim,) = await room.reseller("kim@example.com")
    await answered(room, await asked(room, ann, kim))
    await room.look("questions")
    assert await room.kinds(seller) == []
    assert await room.kinds(kim) == [Kind.QUESTION_ANSWERED]


async def test_what_was_being_committed_while_others_were_looked_at_is_told_of_too(
    room: NoticeRoom,
) -> None:
    seller = await published(room)
    ann, (kim,) = await room.reseller("kim@example.com")
    await asked(room, ann, kim)
    await room.look("questions")
    await asked(room, ann, kim, "How old?", ago_us=5 * SECOND_US)
    await room.look("questions")
    assert await room.kinds(seller) == [Kind.QUESTION_ASKED, Kind.QUESTION_ASKED]


async def test_the_asker_alone_is_told_why_a_question_is_hidden(room: NoticeRoom) -> None:
    await published(room)
    ann, (kim, lou) = await room.reseller("kim@example.com", "lou@example.com")
    question = await asked(room, ann, kim, "Call 555 0100")
    async with transaction(room.pool) as connection:
        reason, at_us = HideReason.CONTACT_DETAILS, room.means.now_us()
        await questions.hide_question(connection, question, reason, SELLER, at_us)
    await room.look("questions")
    (view,) = of_kind(await room.listed(kim), Kind.QUESTION_HIDDEN)
    assert view.text == "It contains contact details. Nobody else sees it."
    assert await room.kinds(lou) == []


async def test_who_may_not_see_the_sale_any_more_is_told_nothing_of_an_answer(
    room: NoticeRoom,
) -> None:
    await published(room, audience="INVITE")
    ann, (kim,) = await room.reseller("kim@example.com")
    bert, (joe,) = await room.reseller("joe@example.com")
    async with transaction(room.pool) as connection:
        await connection.execute("insert into admitted_bidder values ($1, $2)", SALE, ann)
    for bidder_id, person_id in ((ann, kim), (bert, joe)):
        await answered(room, await asked(room, bidder_id, person_id))
    await room.look("questions")
    assert await room.kinds(kim) == [Kind.QUESTION_ANSWERED]
    assert await room.kinds(joe) == []
