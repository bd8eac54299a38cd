"""Many runs of payments in any order: money is taken once, and the books are Stripe's."""

import pytest

from tests.integration.settlement.test_payments_in_any_order import lived

SEEDS = range(100, 160)


@pytest.mark.parametrize("seed", SEEDS)
async def test_money_is_taken_once_and_the_books_are_stripes(seed: int, database_url: str) -> None:
    await lived(seed, database_url)
