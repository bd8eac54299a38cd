"""Days and times that are none, from programs and in forms."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec import to_builtins

from tests.desk import a_sale_draft
from tests.desk_market import Sellers, desk_market


@pytest.fixture
async def sellers(database_url: str) -> AsyncIterator[Sellers]:
    async with desk_market(database_url) as sellers:
        yield sellers


async def test_they_are_refused_wherever_they_are_said(sellers: Sellers) -> None:
    by = sellers.seller
    draft: dict[str, Any] = to_builtins(a_sale_draft(sellers.market.clock.now_us()))
    for changes in (
        {"opens": "2026-13-45T99:99"},
        {"first_end": "0000-01-01T00:00"},
        {"time_zone": "America/Nowhere"},
    ):
        wrong = draft | {"schedule": draft["schedule"] | changes}
        told = await by.does("POST", "/desk/sales", wrong, status=422)
        assert told["code"] == "INVALID"
        told = await by.does("POST", "/desk/templates", {"name": "T", "draft": wrong}, status=422)
        assert told["code"] == "INVALID"
    sale = await by.does("POST", "/desk/sales", draft, status=201)
    template = await by.does("POST", "/desk/templates", {"name": "T", "draft": draft}, status=201)
    for path in (
        f"/desk/sales/{sale['sale_id']}/clone",
        f"/desk/templates/{template['template_id']}/sales",
    ):
        told = await by.does("POST", path, {"day": "9999-12-31"}, status=422)
        assert told["code"] == "BAD_TIME"
