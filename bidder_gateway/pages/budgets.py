"""Budgets: what a reseller allows itself in a sale. The engine keeps them, unseen by staff."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from aiohttp import web
from msgspec import Meta, field

from accounts.directory import people_of
from accounts.http.guard import signed_in
from accounts.permissions import Access, Action
from auction.amounts import NotMoney, parse_typed, sign
from auction.budgets import (
    AllInBudget,
    BudgetName,
    Count,
    LotCountBudget,
    PersonCeiling,
)
from auction.ids import ALotId
from auction.terms import STORABLE
from bidder_gateway.listed import SalePage, SaleState
from bidder_gateway.own_budgets import BudgetsAsked, BudgetsPage, OwnBudget
from bidder_gateway.pages.room import PagesRoom, sale_href, sale_id_of, show, viewing
from bidder_gateway.refusals import Refused
from foundation.http.client_address import client_address
from foundation.http.forms import Form, blank, form_of
from foundation.http.pages import FlashKind, see_other
from foundation.http.problems import NOT_FOUND
from foundation.http.reading import Input
from foundation.http.routes import Route

_BUDGETS: Final = Access(Action.SET_BUDGETS)


class NewBudget(Input):
    """A budget that is added. ``lots`` empty: of the whole sale."""

    name: Annotated[BudgetName, Meta(extra={"message": "Give it a name of up to 60 letters."})]
    kind: Annotated[
        str,
        Meta(pattern=r"\A(LOT_COUNT|ALL_IN)\Z", extra={"message": "Choose one of the two."}),
    ]
    at_most: Annotated[Count, Meta(extra={"message": "Enter a whole number."})] | None = None
    amount: Annotated[str, Meta(max_length=100, pattern=STORABLE)] = ""
    lots: Annotated[list[ALotId], Meta(max_length=500)] = field(default_factory=list)


class RemovedBudget(Input):
    """The name of a budget that is taken away."""

    name: BudgetName


class BudgetPages:
    """Handlers."""

    def __init__(self, room: PagesRoom) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        path = "/sales/{sale_id}/budgets"
        return [
            Route("GET", path, self.show, "Your budgets in a sale", _BUDGETS),
            Route("POST", path, self.add, "Your budgets in a sale", _BUDGETS),
            Route("POST", f"{path}/remove", self.remove, "Your budgets in a sale", _BUDGETS),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET .../budgets."""
        return await self._page(request, blank(kind="ALL_IN"))

    async def add(self, request: web.Request) -> web.StreamResponse:
        """POST .../budgets: one more beside those that there are."""
        form: Form[NewBudget] = await form_of(request, NewBudget)
        sale, own = await self._sale(request), await self._own(request)
        if form.valid is None:
            return await self._page(request, form, 422)
        if own is None:
            return see_other(f"{sale_href(sale.sale_id)}/register")
        try:
            budget = _budget_of(form.valid, sale.currency)
        except _Fault as fault:
            return await self._page(request, form.refused(fault.name, str(fault)), 422)
        try:
            await self._set(request, sale, [*own.asked, budget])
        except Refused as refused:
            return await self._page(request, form.refused("", refused.message), 422)
        return see_other(f"{sale_href(sale.sale_id)}/budgets", "Your budget is kept from now on.")

    async def remove(self, request: web.Request) -> web.StreamResponse:
        """POST .../budgets/remove."""
        form: Form[RemovedBudget] = await form_of(request, RemovedBudget)
        sale, own = await self._sale(request), await self._own(request)
        path = f"{sale_href(sale.sale_id)}/budgets"
        if form.valid is None or own is None:
            return see_other(path, "There is no such budget.", FlashKind.ERROR)
        name = form.valid.name
        try:
            await self._set(request, sale, [one for one in own.asked if one.name != name])
        except Refused as refused:
            return see_other(path, refused.message, FlashKind.ERROR)
        return see_other(path, "The budget is gone.")

    async def _set(self, request: web.Request, sale: SalePage, budgets: list[OwnBudget]) -> None:
        asked = BudgetsAsked(budgets=tuple(budgets))
        address = client_address(request)
        await self._room.its.budgets.set(signed_in(request), sale.sale_id, asked, address)

    async def _page(self, request: web.Request, form: Form[Any], status: int = 200) -> web.Response:
        sale, own = await self._sale(request), await self._own(request)
        people = await people_of(self._room.pool, signed_in(request).organisation_id)
        names: Mapping[str, str] = {person.person_id: person.name for person in people}
        return show(
            request,
            "budgets.html",
            status=status,
            sale=sale,
            own=own,
            kept=[] if own is None else [_shown(use, names) for use in own.kept],
            form=form,
            lots=await self._room.lots_of(sale.sale_id, viewing(request).sees_as),
            sign=sign(sale.currency).strip(),
            ended=sale.state is SaleState.ENDED,
        )

    async def _sale(self, request: web.Request) -> SalePage:
        sale = await self._room.its.sales.sale(sale_id_of(request), viewing(request).sees_as)
        if sale is None:
            raise NOT_FOUND()
        return sale

    async def _own(self, request: web.Request) -> BudgetsPage | None:
        organisation_id = signed_in(request).organisation_id
        return await self._room.its.budgets.of_sale(organisation_id, sale_id_of(request))


class _Fault(ValueError):
    """A field that will not do."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


def _budget_of(new: NewBudget, currency: str) -> OwnBudget:
    lots = tuple(new.lots) or None
    if new.kind == "LOT_COUNT":
        if new.at_most is None:
            raise _Fault("at_most", "Enter how many lots.")
        return LotCountBudget(name=new.name, at_most=new.at_most, lots=lots)
    try:
        at_most_minor = parse_typed(new.amount, currency)
    except NotMoney as fault:
        raise _Fault("amount", str(fault)) from None
    return AllInBudget(name=new.name, at_most_minor=at_most_minor, lots=lots)


def _shown(use: Any, names: Mapping[str, str]) -> dict[str, Any]:
    """A budget with what it has come to, for the page."""
    budget, used = use.budget, use.used
    counts = isinstance(budget, LotCountBudget)
    ceiling = isinstance(budget, PersonCeiling)
    at_most = budget.at_most if counts else budget.at_most_minor
    return {
        "name": budget.name,
        "counts": counts,
        "ceiling": ceiling,
        "person": names.get(budget.person_id, "") if ceiling else "",
        "lots": () if ceiling else (budget.lots or ()),
        "at_most": at_most,
        "used": used,
        "percent": min(100, round(100 * used / at_most)) if at_most else 100,
    }
