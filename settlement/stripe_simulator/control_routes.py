"""The simulator's side of the control, and the two pages that stand for Stripe's own."""

from collections.abc import Awaitable, Callable
from html import escape
from typing import Any, Final, TypeVar

import msgspec
from aiohttp import web

from settlement.stripe_simulator import (
    accounts,
    cash_balances,
    confirming,
    currencies,
    customers,
    disputes,
    payouts,
    setup_intents,
    told,
)
from settlement.stripe_simulator.deliveries import Deliveries, Mood
from settlement.stripe_simulator.engine import Engine
from settlement.stripe_simulator.faults import Fault, Weather
from settlement.stripe_simulator.problems import Refused, unexpected_state
from settlement.stripe_simulator.store import public
from settlement.stripe_simulator.work import Work

Json = dict[str, Any]
Told = TypeVar("Told")

ROOT: Final = "/_simulator"


class ControlRoutes:
    """Handlers; each order is one unit of work."""

    def __init__(
        self,
        engine: Engine,
        deliveries: Deliveries,
        deliver: Callable[[], Awaitable[tuple[int, int]]],
    ) -> None:
        self._engine, self._deliveries, self._deliver = engine, deliveries, deliver

    def add_to(self, app: web.Application) -> None:
        """All of them."""
        orders: dict[str, Callable[[bytes], object]] = {
            "move": self._move,
            "bank_transfers": self._bank_transfer,
            "disputes": self._open_dispute,
            "disputes/decide": self._decide,
            "declines": self._decline,
            "authenticate": self._authenticate,
            "onboard": self._onboard,
            "payouts/fail": self._fail_payout,
            "faults": self._fault,
            "faults/clear": self._clear,
            "weather": self._weather,
            "mood": self._mood,
        }
        for name, order in orders.items():
            app.router.add_post(f"{ROOT}/{name}", _handler(order))
        app.router.add_get(f"{ROOT}/state", self._state)
        app.router.add_get(f"{ROOT}/requests", self._requests)
        app.router.add_post(f"{ROOT}/deliver", self._send)
        app.router.add_get(ROOT + "/authenticate/{intent}", self._ask_payer)
        app.router.add_post(ROOT + "/authenticate/{intent}", self._payer_answers)
        app.router.add_get(ROOT + "/onboard/{account}", self._ask_owner)
        app.router.add_post(ROOT + "/onboard/{account}", self._owner_answers)

    def _move(self, body: bytes) -> None:
        self._engine.move(_read(body, told.Move).seconds)

    def _bank_transfer(self, body: bytes) -> Json:
        order = _read(body, told.BankTransfer)
        code = currencies.currency(order.currency)
        currencies.positive(order.amount, code)

        def send(work: Work) -> Json:
            customers.living(work, order.customer)
            sent = (order.customer, order.amount, code, order.reference)
            if order.after_s == 0:
                return cash_balances.fund(work, *sent)
            cash_balances.fund_later(work, *sent, work.now + order.after_s)
            return {}

        return self._engine.run(send)

    def _open_dispute(self, body: bytes) -> Json:
        order = _read(body, told.OpenDispute)
        if order.reason not in disputes.REASONS:
            raise Refused(f"The reason must be one of {', '.join(disputes.REASONS)}.")
        return self._engine.run(
            lambda work: disputes.opened(
                work, order.charge, order.reason, order.amount, inquiry=order.inquiry
            )
        )

    def _decide(self, body: bytes) -> Json:
        order = _read(body, told.DecideDispute)
        return self._engine.run(lambda work: disputes.decided(work, order.dispute, won=order.won))

    def _decline(self, body: bytes) -> None:
        order = _read(body, told.Decline)

        def tell(work: Work) -> None:
            work.get("payment_method", order.payment_method)
            row = {"id": order.payment_method, "code": order.code, "times": order.times}
            work.changes.put("decline", order.payment_method, row)

        self._engine.run(tell)

    def _authenticate(self, body: bytes) -> Json:
        order = _read(body, told.Authenticate)
        return self._authenticated(order.intent, succeeded=order.succeeded)

    def _authenticated(self, intent_id: str, *, succeeded: bool) -> Json:
        def tell(work: Work) -> Json:
            if intent_id.startswith("seti_"):
                return setup_intents.authenticated(work, intent_id, succeeded=succeeded)
            intent = work.get("payment_intent", intent_id, in_path=True)
            kind = (intent["next_action"] or {}).get("type")
            if kind not in ("use_stripe_sdk", "redirect_to_url"):
                raise unexpected_state("payment_intent", intent["status"], "authenticated")
            return confirming.authenticated(work, intent_id, succeeded=succeeded)

        return self._engine.run(tell)

    def _onboard(self, body: bytes) -> Json:
        order = _read(body, told.Onboard)
        return self._engine.run(
            lambda work: accounts.onboarded(work, order.account, complete=order.complete)
        )

    def _fail_payout(self, body: bytes) -> Json:
        order = _read(body, told.FailPayout)
        return self._engine.run(
            lambda work: payouts.fail(work, order.payout, order.code), order.account
        )

    def _fault(self, body: bytes) -> None:
        try:
            self._engine.faults.add(_read(body, Fault))
        except ValueError as error:
            raise Refused(str(error)) from error

    def _clear(self, _: bytes) -> None:
        self._engine.faults.clear()

    def _weather(self, body: bytes) -> None:
        self._engine.faults.set_weather(_read(body, Weather))

    def _mood(self, body: bytes) -> None:
        self._deliveries.set_mood(_read(body, Mood))

    async def _send(self, _: web.Request) -> web.Response:
        taken, refused = await self._deliver()
        return _json(told.Delivered(taken, refused, self._deliveries.waiting))

    async def _state(self, _: web.Request) -> web.Response:
        engine = self._engine
        bank = engine.run(payouts.in_the_bank)
        return _json(told.State(engine.now, self._deliveries.waiting, bank))

    async def _requests(self, _: web.Request) -> web.Response:
        return _json(list(self._engine.requests))

    async def _ask_payer(self, request: web.Request) -> web.Response:
        """What Stripe shows in the place of the payer's bank."""
        name = escape(request.match_info["intent"])
        return _page("Your bank asks", f"Do you confirm {name}?", "Confirm", "Refuse")

    async def _payer_answers(self, request: web.Request) -> web.StreamResponse:
        intent_id = request.match_info["intent"]
        kind = "setup_intent" if intent_id.startswith("seti_") else "payment_intent"
        found = self._engine.store.find(kind, intent_id)
        action = (found or {}).get("next_action") or {}
        if found is None or action.get("type") != "redirect_to_url":
            return web.Response(status=404, text="Nothing is asked here any more.")
        succeeded = (await request.post()).get("answer") == "yes"
        self._authenticated(intent_id, succeeded=succeeded)
        url = str(action["redirect_to_url"]["return_url"])
        secret = found["client_secret"]
        added = f"{kind}={intent_id}&{kind}_client_secret={secret}"
        status = "succeeded" if succeeded else "failed"
        joint = "&" if "?" in url else "?"
        raise web.HTTPSeeOther(f"{url}{joint}{added}&redirect_status={status}")

    async def _ask_owner(self, request: web.Request) -> web.Response:
        """What Stripe shows to the owner of a connected account."""
        name = escape(request.match_info["account"])
        return _page("Onboarding", f"Complete the onboarding of {name}?", "Complete", "Later")

    async def _owner_answers(self, request: web.Request) -> web.StreamResponse:
        account_id = request.match_info["account"]
        found = self._engine.store.find("account", account_id)
        if found is None or "_return_url" not in found:
            return web.Response(status=404, text="There is no such link.")
        if (await request.post()).get("answer") == "yes":
            self._engine.run(lambda work: accounts.onboarded(work, account_id))
        raise web.HTTPSeeOther(str(found["_return_url"]))


def _handler(order: Callable[[bytes], object]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        if request.content_type != "application/json":
            return _json(Refused("Orders are JSON.").body, 415)
        try:
            return _json(public(order(await request.read())))
        except Refused as refused:
            return _json(public(refused.body), refused.status)

    return handle


def _read(body: bytes, kind: type[Told]) -> Told:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise Refused(str(error)) from error


def _json(answer: object, status: int = 200) -> web.Response:
    body = msgspec.json.encode(answer)
    return web.Response(status=status, body=body, content_type="application/json")


def _page(title: str, question: str, yes: str, no: str) -> web.Response:
    text = f"""<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>
<main><h1>{title}</h1><p>This page stands for Stripe's own: no real money moves.</p>
<form method="post"><p>{question}</p>
<button name="answer" value="yes">{yes}</button> <button name="answer" value="no">{no}</button>
</form></main></html>"""
    policy = "default-src 'none'; frame-ancestors 'none'"
    headers = {"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff"}
    return web.Response(text=text, content_type="text/html", headers=headers)
