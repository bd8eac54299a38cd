"""Five hundred awards whose process dies at each of its awaits, in all kinds of trouble."""

import pytest

from tests.crash_points.life import EVERY
from tests.crash_points.many import batches, in_parallel

AWARDS = 510


@pytest.mark.timeout(2_400)
def test_whatever_dies_and_is_lost_everything_is_paid_once_and_the_books_agree() -> None:
    outcomes = list(in_parallel(batches(AWARDS)))
    wrong = [line for outcome in outcomes for line in outcome.wrong]
    assert not wrong, "\n".join(wrong)
    assert sum(outcome.awards for outcome in outcomes) >= AWARDS
    # Each await of a stretch between two deaths was the last one of some life.
    assert sum(outcome.deaths for outcome in outcomes) >= 2 * EVERY
