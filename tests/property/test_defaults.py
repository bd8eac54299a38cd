"""However runners-up and the seller answer: one is asked at a time, and it ends."""

from hypothesis import given
from hypothesis import strategies as st

from auction.ids import BidderId, LotId
from auction.sale import Lot, Standing
from auction.terms import PriceRule, Terms
from settlement.defaults import AskSeller, AwardTo, MakeOffer, Offer, Relist, Wait, next_step
from settlement.policy import RunnerUpPrice
from tests.settlement_rules import policy


@st.composite
def lots(draw: st.DrawFn) -> Lot:
    opening = draw(st.integers(1, 50)) * 100_00
    maxima = draw(st.lists(st.integers(0, 60), min_size=1, max_size=6))
    return Lot(
        lot_id=LotId("1"),
        kind="PALLET",
        title="",
        group="",
        restrictions=frozenset(),
        consignor_id=None,
        opening_minor=opening,
        reserve_minor=draw(st.none() | st.integers(1, 100).map(lambda n: n * 100_00)),
        opens_at_us=0,
        scheduled_closes_at_us=1,
        closes_at_us=1,
        latest_end_us=None,
        standings={
            BidderId(f"b{order}"): Standing(opening + above * 100_00, 0, order)
            for order, above in enumerate(maxima)
        },
    )


@given(lots(), st.sampled_from(PriceRule), st.sampled_from(RunnerUpPrice), st.data())
def test_one_runner_up_is_asked_at_a_time_until_one_takes_it_or_it_is_relisted(
    lot: Lot, rule: PriceRule, price: RunnerUpPrice, data: st.DataObject
) -> None:
    terms, figures = Terms(price_rule=rule), policy(runner_up_price=price)
    defaulter = max(lot.standings, key=lambda b: (lot.standings[b].maximum_minor, b))
    offers: list[Offer] = []
    consents: dict[BidderId, bool] = {}
    now_us = 1_000
    for _ in range(4 * len(lot.standings) + 1):
        step = next_step(
            lot,
            terms,
            figures,
            now_us=now_us,
            without=[defaulter],
            offers=offers,
            consents=consents,
        )
        match step:
            case AskSeller(found):
                consents[found.bidder_id] = data.draw(st.booleans())
            case MakeOffer(offer):
                assert not any(earlier.is_open(now_us) for earlier in offers)
                assert consents[offer.bidder_id] and offer.bidder_id != defaulter
                assert offer.price_minor <= lot.standings[offer.bidder_id].maximum_minor
                assert offer.bidder_id not in {earlier.bidder_id for earlier in offers}
                assert all(offer.price_minor <= earlier.price_minor for earlier in offers)
                offers.append(offer)
            case Wait(until_us):
                answer = data.draw(st.none() | st.booleans())
                now_us = until_us if answer is None else until_us - 1
                if answer is not None:
                    said = offers[-1].answered(accepted=answer, now_us=now_us)
                    assert said is not None
                    offers[-1] = said
            case AwardTo(bidder_id):
                assert offers[-1].accepted and offers[-1].bidder_id == bidder_id
                return
            case Relist():
                return
    raise AssertionError("it never ends")
