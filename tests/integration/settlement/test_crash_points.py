"""Some lives of invoices whose process dies again and again; ``tests/long`` has hundreds."""

import pytest
import structlog

from tests.crash_points.many import play_on

# Cards, banks and a buyer who never pays are among them.
SEEDS = (7, 9, 10, 19, 23)


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
