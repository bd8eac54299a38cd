"""A lot that nobody takes after a default is in its seller's stock again, as the desk relists."""

from tests.builders import new_bid_id
from tests.desk_market import a_published_sale, desk_market
from tests.hammered import beside


async def test_a_lot_that_nobody_takes_is_a_draft_in_stock_with_its_lines_and_where_it_was(
    database_url: str,
) -> None:
    async with desk_market(database_url) as sellers:
        running, room = sellers.market, beside(sellers.market)
        sale_id = await a_published_sale(sellers)
        hart = await running.reseller("Hart")
        await hart.registers(sale_id)
        (lot,) = (await hart.get(f"/sales/{sale_id}/lots"))["items"]
        lot_id = lot["lot_id"]
        body = {"amount_minor": 900_00, "currency": "USD"}
        path = f"/sales/{sale_id}/lots/{lot_id}/bids"
        await hart.does("POST", path, body, Idempotency_Key=new_bid_id())
        await running.closes(sale_id)
        await room.settle()
        (invoice,) = await room.invoices(sale_id)
        await room.gives_up(invoice.invoice_id)
        (row,) = await room.fetch("select * from unsold_again")
        assert row["state"] == "RELISTED"
        stock = (await sellers.seller.get("/desk/lots"))["items"]
        (draft,) = [one for one in stock if one["draft_id"] == row["draft_id"]]
        assert draft["draft"]["title"] == "Lot 0"
        assert (draft["lines"], draft["origin"]["relisted"]) == (2, [sale_id, lot_id])
        assert "stock" in room.mailbox.to("harbor")[-1].text
        # Taken up again, it is there once.
        await room.fetch("update unsold_again set state = 'RELISTING' returning 1")
        await room.again("relist")
        (row,) = await room.fetch("select state, draft_id from unsold_again")
        assert (row["state"], row["draft_id"]) == ("RELISTED", draft["draft_id"])
        again = (await sellers.seller.get("/desk/lots"))["items"]
        assert len(again) == len(stock)
