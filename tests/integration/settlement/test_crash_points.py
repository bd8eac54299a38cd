"""Some lives of invoices whose process dies again and again; ``tests/long`` has hundreds."""

import pytest
import structlog

from tests.crash_points.course import Paid
from tests.crash_points.later import DisputeLostAtHome
from tests.crash_points.life import play
from tests.crash_points.many import batches, in_parallel, play_on
from tests.crash_points.world import Mortal, house, world

# Cards, banks and a buyer who never pays are among them; disputes, cancellations and claims too.
SEEDS = (3, 7, 13, 24, 25, 26)


@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_whatever_dies_and_is_lost_everything_is_paid_once_and_the_books_agree(
    database_url: str,
) -> None:
    with structlog.testing.capture_logs():
        lives = await play_on(database_url, SEEDS)
    assert not [life for life in lives if life.wrong]
    assert all(life.deaths > 3 for life in lives)
    assert len({life.way for life in lives}) > 3


@pytest.mark.timeout(20)
def test_a_run_that_has_enough_begins_no_more_lives() -> None:
    assert list(in_parallel(batches(10_000), enough=lambda: True)) == []


@pytest.mark.timeout(120)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_an_award_whose_money_went_back_with_its_goods_at_the_buyer_is_closed(
    database_url: str,
) -> None:
    with structlog.testing.capture_logs():
        async with world(database_url) as home:
            await house(home)
            turn = DisputeLostAtHome()
            life = await play(home, 1, Mortal(None), troubled=False, way=Paid.CARD, turn=turn)
    assert life.wrong == []
