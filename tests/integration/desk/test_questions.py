"""Questions about a lot: asked by resellers, answered in public, hidden, and nobody named."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from accounts.identity import Scope
from auction.catalog import questions
from auction.terms import SaleAudience
from tests.builders import HOUR_US
from tests.desk_market import Sellers, a_published_sale, desk_market
from tests.market import Caller, Reseller

DAY_US = 24 * HOUR_US


@pytest.fixture
async def sellers(database_url: str) -> AsyncIterator[Sellers]:
    async with desk_market(database_url) as running:
        yield running


def path_of(sale_id: str, lot: str = "1") -> str:
    return f"/sales/{sale_id}/lots/{lot}/questions"


async def ask(who: Caller, sale_id: str, text: str, lot: str = "1", status: int = 201) -> Any:
    return await who.does("POST", path_of(sale_id, lot), {"question": text}, status=status)


async def of_lot(who: Caller, sale_id: str, lot: str = "1") -> list[Any]:
    items: list[Any] = (await who.get(path_of(sale_id, lot)))["items"]
    return items


async def answer(
    who: Caller, question: Any, text: str, status: int = 200, version: int | None = None
) -> Any:
    tag = f'"{version or question.get("version", 1)}"'
    path = f"/desk/questions/{question['question_id']}/answer"
    return await who.does("PUT", path, {"answer": text}, status=status, If_Match=tag)


async def hide(who: Caller, question: Any, reason: str = "SPAM", status: int = 200) -> Any:
    path = f"/desk/questions/{question['question_id']}/hiding"
    tag = f'"{question.get("version", 1)}"'
    return await who.does("PUT", path, {"reason": reason}, status=status, If_Match=tag)


async def test_a_question_is_answered_in_public_and_nobody_learns_who_asked(
    sellers: Sellers,
) -> None:
    sale_id = await a_published_sale(sellers)
    kestrel, wren = [await sellers.market.reseller(name) for name in ("Kestrel", "Wren")]
    asked = await ask(kestrel, sale_id, "  Is the <b>wrap</b>\r\nintact?\n")
    assert (asked["question"], asked["yours"]) == ("Is the <b>wrap</b>\nintact?", True)
    (listed,) = (await sellers.seller.get("/desk/questions"))["items"]
    assert (listed["question"], listed["state"]) == (asked["question"], "OPEN")
    answered = await answer(sellers.seller, listed, "Yes, it is.")
    assert answered["state"] == "ANSWERED"
    assert (await sellers.seller.get("/desk/questions"))["items"] == []
    for who, yours in ((kestrel, True), (wren, False), (sellers.market.guest, False)):
        (seen,) = await of_lot(who, sale_id)
        assert (seen["answer"], seen["yours"]) == ("Yes, it is.", yours)
        assert seen["answered_at_us"] >= seen["asked_at_us"]
    for who in (wren, sellers.market.guest, sellers.seller, sellers.staff):
        for path in (path_of(sale_id), f"/desk/questions/{asked['question_id']}"):
            _, told = await who.send("GET", path)
            for name in (kestrel.organisation_id, kestrel.person_id, "Kestrel", "asked_by"):
                assert str(name).encode() not in told, (path, name)


async def test_a_corrected_answer_keeps_what_was_said_before(sellers: Sellers) -> None:
    sale_id = await a_published_sale(sellers)
    question = await ask(await sellers.market.reseller("Kestrel"), sale_id, "How many?")
    first = await answer(sellers.seller, question, "Twelve.")
    same = await answer(sellers.seller, first, "Twelve.")
    assert same["version"] == first["version"], "the same answer again is no correction"
    await answer(sellers.seller, first, "Eleven.")
    (seen,) = await of_lot(sellers.market.guest, sale_id)
    assert seen["answer"] == "Eleven."
    assert [one["answer"] for one in seen["earlier"]] == ["Twelve."]
    stale = await answer(sellers.seller, first, "Ten.", status=412)
    assert stale["code"] == "CHANGED_MEANWHILE"
    unseen = await sellers.seller.does(
        "PUT", f"/desk/questions/{question['question_id']}/answer", {"answer": "Ten."}, status=428
    )
    assert unseen["code"] == "PRECONDITION_REQUIRED"


async def test_an_answer_is_corrected_only_so_often(
    sellers: Sellers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions, "MAX_ANSWERS", 2)
    sale_id = await a_published_sale(sellers)
    question = await ask(await sellers.market.reseller("Kestrel"), sale_id, "How many?")
    for number in (1, 2):
        question = await answer(sellers.seller, question, f"Answer {number}.")
    refused = await answer(sellers.seller, question, "Answer 3.", status=409)
    assert refused["code"] == "TOO_MANY"


async def test_what_is_hidden_is_seen_by_its_asker_alone_with_the_reason(sellers: Sellers) -> None:
    sale_id = await a_published_sale(sellers)
    kestrel, wren = [await sellers.market.reseller(name) for name in ("Kestrel", "Wren")]
    question = await ask(kestrel, sale_id, "Call me: 555 0100")
    hidden = await hide(sellers.seller, question, "CONTACT_DETAILS")
    assert hidden["state"] == "HIDDEN"
    for who in (wren, sellers.market.guest):
        assert await of_lot(who, sale_id) == []
    (own,) = await of_lot(kestrel, sale_id)
    assert own["hidden"] == "CONTACT_DETAILS"
    refused = await answer(sellers.seller, hidden, "No.", status=409)
    assert refused["code"] == "NOT_NOW"
    path = f"/desk/questions/{question['question_id']}/hiding"
    shown = await sellers.seller.does("DELETE", path, If_Match=f'"{hidden["version"]}"')
    assert shown["state"] == "OPEN"
    assert len(await of_lot(wren, sale_id)) == 1


async def test_staff_hide_and_do_not_answer(sellers: Sellers) -> None:
    sale_id = await a_published_sale(sellers)
    question = await ask(await sellers.market.reseller("Kestrel"), sale_id, "Cheap pills!")
    (seen,) = (await sellers.staff.get(f"/desk/questions?liquidator_id={_id(sellers.seller)}"))[
        "items"
    ]
    assert seen["question"] == "Cheap pills!"
    refused = await answer(sellers.staff, question, "No.", status=403)
    assert refused["code"] == "FORBIDDEN"
    hidden = await hide(sellers.staff, seen)
    assert hidden["hidden_reason"] == "SPAM"


async def test_another_sellers_questions_are_like_missing_ones(sellers: Sellers) -> None:
    sale_id = await a_published_sale(sellers)
    question = await ask(await sellers.market.reseller("Kestrel"), sale_id, "How many?")
    missing = question | {"question_id": "question-none"}
    assert (await sellers.rival.get("/desk/questions"))["items"] == []
    for method, end, body in (
        ("GET", "", None),
        ("PUT", "/answer", {"answer": "None."}),
        ("PUT", "/hiding", {"reason": "SPAM"}),
        ("DELETE", "/hiding", None),
    ):
        found = [
            await sellers.rival.send(
                method, f"/desk/questions/{one['question_id']}{end}", body, If_Match='"1"'
            )
            for one in (question, missing)
        ]
        assert found[0] == found[1]
        assert found[0][0] == 404
    assert (await of_lot(sellers.market.guest, sale_id))[0]["answer"] is None


async def test_who_may_ask(sellers: Sellers) -> None:
    sale_id = await a_published_sale(sellers)
    market = sellers.market
    newcomer = await market.reseller("Newcomer", approved=False)
    kestrel = await market.reseller("Kestrel")
    assert (await ask(newcomer, sale_id, "How many?", status=409))["code"] == "NOT_APPROVED"
    assert (await ask(market.guest, sale_id, "How many?", status=401))["code"]
    for who in (sellers.seller, sellers.staff, await market.token(kestrel, Scope.READ)):
        assert (await ask(who, sale_id, "How many?", status=403))["code"] == "FORBIDDEN"
    await ask(await market.token(kestrel, Scope.BID), sale_id, "How many?")
    assert (await ask(kestrel, sale_id, "How many?", "9", status=404))["code"] == "NOT_FOUND"
    for text in ("", " \n\t ", "a\x00b", "x" * 501):
        assert (await ask(kestrel, sale_id, text, status=422))["code"]
    assert [one["question"] for one in await of_lot(kestrel, sale_id)] == ["How many?"]


async def test_the_same_question_again_is_asked_once(sellers: Sellers) -> None:
    sale_id = await a_published_sale(sellers)
    kestrel, wren = [await sellers.market.reseller(name) for name in ("Kestrel", "Wren")]
    asked = await asyncio.gather(*(ask(kestrel, sale_id, "How many?") for _ in range(4)))
    assert len({one["question_id"] for one in asked}) == 1
    await ask(wren, sale_id, "How many?")
    assert len(await of_lot(kestrel, sale_id)) == 2


async def test_a_reseller_asks_only_so_much_in_a_day(sellers: Sellers) -> None:
    sale_id = await a_published_sale(sellers, 2)
    kestrel = await sellers.market.reseller("Kestrel")
    texts = [f"Question {number}?" for number in range(questions.MAX_OF_LOT_A_DAY + 2)]
    sent = [kestrel.send("POST", path_of(sale_id), {"question": text}) for text in texts]
    statuses = sorted(status for status, _ in await asyncio.gather(*sent))
    assert statuses == [201] * questions.MAX_OF_LOT_A_DAY + [409, 409]
    refused = await ask(kestrel, sale_id, "One more?", status=409)
    assert refused["code"] == "TOO_MANY_QUESTIONS"
    await ask(kestrel, sale_id, "And this one?", "2")
    await ask(await sellers.market.reseller("Wren"), sale_id, "And I?")


async def test_all_lots_and_all_askers_have_bounds_too(
    sellers: Sellers, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale_id = await a_published_sale(sellers, 3)
    kestrel, wren = [await sellers.market.reseller(name) for name in ("Kestrel", "Wren")]
    monkeypatch.setattr(questions, "MAX_A_DAY", 2)
    for lot in ("1", "2"):
        await ask(kestrel, sale_id, "How many?", lot)
    await ask(kestrel, sale_id, "How many?", "3", status=409)
    monkeypatch.setattr(questions, "MAX_OF_LOT", 1)
    await ask(wren, sale_id, "How old?", "1", status=409)


async def test_nothing_is_asked_once_the_lot_has_ended_and_answers_still_come(
    sellers: Sellers,
) -> None:
    sale_id = await a_published_sale(sellers)
    kestrel = await sellers.market.reseller("Kestrel")
    question = await ask(kestrel, sale_id, "When may we collect?")
    sellers.market.clock.shift_us += DAY_US * 30
    refused = await ask(kestrel, sale_id, "And now?", status=409)
    assert refused["code"] == "QUESTIONS_CLOSED"
    await sellers.market.passes(0, sale_id)
    assert (await ask(kestrel, sale_id, "And now?", status=409))["code"] == "QUESTIONS_CLOSED"
    await answer(sellers.seller, question, "From Monday on.")
    (seen,) = await of_lot(kestrel, sale_id)
    assert seen["answer"] == "From Monday on."


async def test_lists_are_paged_and_filtered(sellers: Sellers) -> None:
    sale_id = await a_published_sale(sellers, 2)
    kestrel = await sellers.market.reseller("Kestrel")
    texts = [f"Question {number}?" for number in range(5)]
    for text in texts:
        await ask(kestrel, sale_id, text)
    await ask(kestrel, sale_id, "Of another lot?", "2")
    public, desk = (
        await pages(kestrel, path_of(sale_id)),
        await pages(sellers.seller, f"/desk/questions?lot_id=1&sale_id={sale_id}"),
    )
    assert public == texts[::-1]
    assert desk == texts
    assert (await sellers.seller.get("/desk/questions?state=HIDDEN"))["items"] == []
    await kestrel.get(f"{path_of(sale_id)}?cursor=nonsense", status=422)


async def pages(who: Caller, path: str) -> list[str]:
    """The questions of all pages of two."""
    found: list[str] = []
    start = f"{path}{'&' if '?' in path else '?'}limit=2"
    page = await who.get(start)
    while True:
        found += [one["question"] for one in page["items"]]
        if page["next_cursor"] is None:
            return found
        page = await who.get(f"{start}&cursor={page['next_cursor']}")


async def test_what_is_asked_in_a_hidden_sale_is_for_who_is_in_it(sellers: Sellers) -> None:
    hart, outsider = [await sellers.market.reseller(name) for name in ("Hart", "Outsider")]
    sale_id = await a_published_sale(
        sellers, audience=SaleAudience.INVITE, invited=(hart.organisation_id,)
    )
    await sellers.market.caught_up()
    await ask(hart, sale_id, "Only us?")
    assert len(await of_lot(hart, sale_id)) == 1
    for who in (outsider, sellers.market.guest, sellers.rival):
        for method, body in (("GET", None), ("POST", {"question": "May I?"})):
            found = await who.send(method, path_of(sale_id), body)
            assert found == await who.send(method, path_of("sale-none"), body)


async def test_nothing_new_is_no_body(sellers: Sellers) -> None:
    sale_id = await a_published_sale(sellers)
    kestrel = await sellers.market.reseller("Kestrel")
    question = await ask(kestrel, sale_id, "How many?")
    url = f"{sellers.market.origin}/api/v1{path_of(sale_id)}"
    async with sellers.market.http.get(url) as first:
        tag = first.headers["ETag"]
    async with sellers.market.http.get(url, headers={"If-None-Match": tag}) as again:
        assert (again.status, await again.read()) == (304, b"")
    await answer(sellers.seller, question, "Twelve.")
    async with sellers.market.http.get(url, headers={"If-None-Match": tag}) as changed:
        assert changed.status == 200


def _id(who: Reseller) -> str:
    return str(who.organisation_id)
