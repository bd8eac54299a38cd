"""/desk/sales/{sale_id}/repeats: a sale that comes again, its days shown before they are made."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web
from msgspec import Meta, Struct

from auction.catalog.words import count_words
from auction.desk.access import RUN, VIEW, may_run, seller_of
from auction.desk.api_common import REFUSALS
from auction.desk.pages.room import SALES, DeskPagesRoom, owner_of_sale, sale_path, show, status_of
from auction.desk.pages.times import in_zone
from auction.desk.recurrence import MOST, Recurrence, Rhythm, days_after
from auction.desk.refusals import Refusal, Refused
from auction.desk.relisting import on_day
from auction.desk.sale_drafts import DraftedSale
from auction.desk.schedule import NoSuchTime, times_of
from foundation.http.forms import Form, blank, check, form_of
from foundation.http.pages import FlashKind, see_other
from foundation.http.problems import INVALID
from foundation.http.reading import Input
from foundation.http.routes import Route

RHYTHM_OPTIONS: Final = (
    (str(Rhythm.WEEKLY), "Weekly"),
    (str(Rhythm.MONTHLY), "Monthly, on the same weekday"),
)


class Asked(Input):
    """How a sale comes again; days as in 2027-07-01, those to skip one a line."""

    rhythm: Rhythm = Rhythm.WEEKLY
    every: Annotated[int, Meta(ge=1, le=12)] = 1
    until: date | None = None
    skip: Annotated[str, Meta(max_length=2_000)] = ""


class Again(Struct, frozen=True):
    """A day on which it comes again, by the clock of its place; ``fault``: why it cannot then."""

    day: date
    opens: str
    first_end: str
    fault: str


class RepeatPages:
    """Handlers."""

    def __init__(self, room: DeskPagesRoom) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        path, told = f"{SALES}/{{sale_id}}/repeats", REFUSALS.told
        return [
            Route("GET", path, told(self.show), "A sale that comes again", VIEW),
            Route("POST", path, told(self.make), "Make the sales of a series", RUN),
            Route("POST", f"{path}/stop", told(self.stop), "Stop repeating", RUN),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET .../repeats; with a query its days are shown, and nothing is made."""
        owner, sale_id = await owner_of_sale(self._room, request)
        sale = await self._room.sales.read(owner, sale_id)
        if not request.query:
            return await self._page(request, sale, blank(rhythm=str(Rhythm.WEEKLY), every="1"))
        form = check({name: request.query.getall(name) for name in set(request.query)}, Asked)  # type: ignore[misc]
        recurrence, form = _recurrence(form)
        days = [] if recurrence is None else _days(sale, recurrence)
        if recurrence is not None and not days:
            form = form.refused("until", "No sale comes before that day.")
        status = 200 if days else 422
        return await self._page(request, sale, form, status, days=days)

    async def make(self, request: web.Request) -> web.StreamResponse:
        """POST .../repeats: a draft for each day."""
        form = await form_of(request, Asked)
        owner, sale_id = await owner_of_sale(self._room, request)
        seller = seller_of(request, owner)
        sale = await self._room.sales.read(owner, sale_id)
        recurrence, form = _recurrence(form)
        if recurrence is None:
            return await self._page(request, sale, form, 422)
        try:
            made = await self._room.sales.repeat(seller, sale_id, recurrence, MOST)
        except Refused as refused:
            form = form.refused("until", refused.message)
            return await self._page(request, sale, form, status_of(refused))
        said = f"{count_words(len(made), 'draft')} made. Put lots in, and publish each in its time."
        return see_other(sale_path(sale_id, "repeats"), said)

    async def stop(self, request: web.Request) -> web.StreamResponse:
        """POST .../repeats/stop."""
        owner, sale_id = await owner_of_sale(self._room, request)
        seller = seller_of(request, owner)
        try:
            given_up = await self._room.sales.stop_repeating(seller, sale_id)
        except Refused as refused:
            if refused.refusal is Refusal.NOT_FOUND:
                raise
            return see_other(sale_path(sale_id, "repeats"), refused.message, FlashKind.WARNING)
        said = f"It comes no more: {count_words(given_up, 'draft')} given up."
        return see_other(sale_path(sale_id), said)

    async def _page(
        self,
        request: web.Request,
        sale: DraftedSale,
        form: Form[Any],
        status: int = 200,
        *,
        days: Sequence[Again] = (),
    ) -> web.Response:
        owner, series_id = sale.liquidator_id, sale.series_id
        return show(
            request,
            "repeats.html",
            status=status,
            sale=sale,
            runs=may_run(request, owner),
            form=form,
            days=days,
            rhythms=RHYTHM_OPTIONS,
            weekday=_weekday(sale),
            series=[] if series_id is None else await self._room.sales.of_series(owner, series_id),
            most=MOST,
        )


def _recurrence(form: Form[Asked]) -> tuple[Recurrence | None, Form[Asked]]:
    if form.valid is None:
        return None, form
    given, skip = form.valid, []
    if given.until is None:
        form = form.refused("until", "Say until which day it comes again.")
    for line in given.skip.replace(",", "\n").splitlines():
        try:
            skip += [date.fromisoformat(line.strip())] if line.strip() else []
        except ValueError:
            form = form.refused("skip", f"“{line.strip()[:20]}” is no day as in 2027-07-01.")
    if len(skip) > MOST:
        form = form.refused("skip", f"At most {MOST} days.")
    if form.errors:
        return None, form
    found = Recurrence(rhythm=given.rhythm, every=given.every, until=given.until, skip=tuple(skip))
    return found, form


def _days(sale: DraftedSale, recurrence: Recurrence) -> list[Again]:
    schedule = sale.draft.schedule
    if schedule is None:
        raise INVALID("The sale has no times yet.")
    first, zone = date.fromisoformat(schedule.opens[:10]), ZoneInfo(schedule.time_zone)
    days: list[Again] = []
    for day in days_after(recurrence, first):
        there = on_day(sale.draft, day).schedule
        assert there is not None, "it has one"
        try:
            times = times_of(there, 1)[0]
        except NoSuchTime as fault:
            days.append(Again(day, "", "", str(fault)))
            continue
        ends = in_zone(times.closes_at_us, zone)
        days.append(Again(day, in_zone(times.opens_at_us, zone), ends, ""))
    return days


def _weekday(sale: DraftedSale) -> str:
    schedule = sale.draft.schedule
    if schedule is None:
        return ""
    return f"{date.fromisoformat(schedule.opens[:10]):%A} at {schedule.opens[11:16]}"
