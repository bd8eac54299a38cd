"""Questions and messages on pages: forms and their refusals, who sees what, nobody named."""

import json
import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import pytest

from accounts.identity import OrganisationKind, Role
from auction.ids import SaleId
from auction.terms import SaleAudience
from bidder_gateway.sight import STAFF, Onlooker
from tests.accounts_site import Answer, Client
from tests.seller_site import AtDesk, at_desk, until_found
from tests.site import Site, open_site
from tests.visiting import visitor


@pytest.fixture
async def site(database_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    async with open_site(database_url, tmp_path) as running:
        yield running


async def a_sale(site: Site, desk: AtDesk, by: Onlooker = STAFF, **changes: object) -> SaleId:
    """A published sale of one lot, that opens tomorrow, once somebody finds it."""
    sale_id = await desk.sale(await desk.lot(), **changes)
    await desk.publish(sale_id)
    await until_found(site, sale_id, by)
    return sale_id


async def ask(client: Client, sale_id: str, text: str) -> Answer:
    return await client.post(f"/sales/{sale_id}/lots/1/questions", {"question": text})


async def the_question(client: Client, sale_id: str) -> str:
    answered = await client.get(f"/api/v1/sales/{sale_id}/lots/1/questions")
    question_id: str = json.loads(answered.body)["items"][0]["question_id"]
    return question_id


def words(answer: Answer) -> str:
    """What a person reads of a page."""
    plain = re.sub(r"<script.*?</script>", "", answer.text, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", plain)).split())


async def test_a_question_goes_to_the_desk_and_its_answer_comes_back(site: Site) -> None:
    desk = await at_desk(site)
    sale_id = await a_sale(site, desk)
    lot = f"/sales/{sale_id}/lots/1"
    kestrel, wren = await site.reseller("Kestrel Resale"), await site.reseller("Wren Goods")
    async with (
        visitor(site, kestrel.person_id) as kim,
        visitor(site, wren.person_id) as eve,
        visitor(site, desk.person_id) as dana,
        visitor(site, None) as guest,
    ):
        assert "Nobody has asked about this lot yet." in words(await kim.get(lot))
        asked = await ask(kim, sale_id, "Is the <i>wrap</i> intact?\r\nAll of it?")
        assert (asked.status, asked.location) == (303, f"{lot}#questions")
        assert "1 question of resellers waits for your answer" in words(await dana.get("/desk"))
        listed = await dana.get("/desk/questions")
        assert "Is the &lt;i&gt;wrap&lt;/i&gt; intact?\nAll of it?" in listed.text
        question = f"/desk/questions/{await the_question(guest, sale_id)}"
        fields = {"what": "answer", "version": "1", "answer": "Yes, <b>all</b>."}
        answered = await dana.post(question, fields)
        assert (answered.status, answered.location) == (303, "/desk/questions")
        assert "No question waits" in words(await dana.get("/desk/questions"))
        for client, yours in ((kim, True), (eve, False), (guest, False)):
            page = await client.get(lot)
            assert "Yes, &lt;b&gt;all&lt;/b&gt;." in page.text
            assert ("You asked" in words(page)) is yours
        for client in (eve, guest, dana):
            for path in (lot, f"{lot}/questions", question, "/desk/questions"):
                text = (await client.get(path)).text
                for name in ("Kestrel", kestrel.organisation_id, kestrel.person_id):
                    assert str(name) not in text, (path, name)
        stale = await dana.post(question, fields | {"answer": "No."})
        assert stale.status == 412
        assert "changed this meanwhile" in words(stale)
        await dana.post(question, fields | {"version": "2", "answer": "Most of it."})
        read = words(await guest.get(lot))
        assert "Corrected" in read
        assert read.index("Most of it.") < read.index("Yes, <b>all</b>.")


async def test_what_cannot_be_asked_is_said_at_the_field_and_stays_typed(site: Site) -> None:
    desk = await at_desk(site)
    sale_id = await a_sale(site, desk)
    kestrel = await site.reseller("Kestrel Resale")
    newcomer = await site.reseller("New Goods", approved=False)
    async with (
        visitor(site, kestrel.person_id) as kim,
        visitor(site, newcomer.person_id) as new,
        visitor(site, None) as guest,
        visitor(site, desk.person_id) as dana,
    ):
        for text, said in (("", "Fill this in."), ("x" * 501, "at most 500 characters")):
            refused = await ask(kim, sale_id, text)
            assert refused.status == 422
            assert said in words(refused)
        assert "x" * 501 in refused.text
        refused = await ask(new, sale_id, "How many?")
        assert refused.status == 409
        assert "has not been approved" in words(refused)
        lot = f"/sales/{sale_id}/lots/1"
        assert "Sign in to ask the seller." in words(await guest.get(lot))
        assert (await ask(guest, sale_id, "How many?")).location.startswith("/sign-in")
        assert "Ask in public" not in (await dana.get(lot)).text
        assert "Answer at your desk" in words(await dana.get(lot))
        assert (await ask(dana, sale_id, "How many?")).status == 403
        assert (await ask(kim, "sale-none", "How many?")).status == 404
        broken = await kim.get(f"{lot}/questions?cursor=nonsense")
        assert broken.status == 200


async def test_a_question_is_hidden_and_shown_again_by_the_seller_or_staff(site: Site) -> None:
    desk = await at_desk(site)
    rival = await at_desk(site, "Prairie Liquidation", "ann@prairie.example")
    sale_id = await a_sale(site, desk)
    lot = f"/sales/{sale_id}/lots/1"
    kestrel = await site.reseller("Kestrel Resale")
    staff = await site.people.member(OrganisationKind.HOUSE, Role.ADMIN, mail="s@example.com")
    async with (
        visitor(site, kestrel.person_id) as kim,
        visitor(site, desk.person_id) as dana,
        visitor(site, rival.person_id) as ann,
        visitor(site, staff) as admin,
        visitor(site, None) as guest,
    ):
        await ask(kim, sale_id, "Call me on 555 0100")
        path = f"/desk/questions/{await the_question(guest, sale_id)}"
        hide = {"what": "hide", "version": "1", "reason": "CONTACT_DETAILS"}
        for method in ("GET", "POST"):
            other = await ann.send(method, path, hide, {"Origin": ann.origin})
            assert other.status == 404
        assert (await kim.post(path, hide)).status == 403
        assert f'href="{path}"' in (await admin.get(lot)).text
        assert f'href="{path}"' not in (await kim.get(lot)).text
        assert "Hide the question" in (await admin.get(path)).text
        assert "Answer in public" not in (await admin.get(path)).text
        answered = await admin.post(path, {"what": "answer", "version": "1", "answer": "No."})
        assert answered.status == 404
        assert (await admin.post(path, hide)).location == path
        assert "555 0100" not in (await guest.get(lot)).text
        own = words(await kim.get(lot))
        assert "It contains contact details, so it is hidden." in own
        show = {"what": "show", "version": "2"}
        assert (await dana.post(path, show)).status == 303
        assert "555 0100" in (await guest.get(lot)).text


async def test_messages_are_on_the_sale_and_on_its_lots(site: Site) -> None:
    desk = await at_desk(site)
    sale_id = await a_sale(site, desk)
    async with visitor(site, desk.person_id) as dana, visitor(site, None) as guest:
        empty = await guest.get(f"/sales/{sale_id}/messages")
        assert "Nothing was said yet" in words(empty)
        for number in range(1, 6):
            said = {"what": "say", "text": f"Word {number} <b>"}
            assert (await dana.post(f"/desk/sales/{sale_id}/live", said)).status == 303
        for path in (f"/sales/{sale_id}", f"/sales/{sale_id}/lots/1"):
            page = words(await guest.get(path))
            assert "The seller says Word 5 <b>" in page
            assert "Word 2" not in page
            assert "All 5 messages" in page
        page = words(await guest.get(f"/sales/{sale_id}/messages"))
        assert page.index("Word 5") < page.index("Word 1")


async def test_a_hidden_sales_questions_and_messages_are_as_of_none(site: Site) -> None:
    desk = await at_desk(site)
    hart = await site.reseller("Hart Goods")
    sale_id = await a_sale(
        site,
        desk,
        Onlooker(hart.organisation_id),
        audience=SaleAudience.INVITE,
        invited=(hart.organisation_id,),
    )
    async with visitor(site, hart.person_id) as inside, visitor(site, None) as guest:
        assert (await ask(inside, sale_id, "Only us?")).status == 303
        for path in ("/sales/{}/messages", "/sales/{}/lots/1/questions"):
            assert (await inside.get(path.format(sale_id))).status == 200
            hidden = await guest.get(path.format(sale_id))
            missing = await guest.get(path.format("sale-aaaaaaaaaaaaaaaa"))
            assert hidden.status == missing.status == 404
            assert words(hidden) == words(missing)
