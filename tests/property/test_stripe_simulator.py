"""Any sequence of requests leaves the simulator's books in order: an independent sum of money."""

import json
from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from settlement.stripe_simulator import accounts, disputes, payouts
from settlement.stripe_simulator.engine import Asked, Engine
from settlement.stripe_simulator.problems import Refused
from settlement.stripe_simulator.store import Store

Json = dict[str, Any]

HEADERS = {"authorization": "Bearer sk_test_property"}
AMOUNTS = st.integers(min_value=50, max_value=20_000)
WHICH = st.integers(min_value=0, max_value=50)
CARDS = st.sampled_from(["pm_card_visa", "pm_card_chargeDeclined", "pm_card_bypassPending"])


class Money(RuleBasedStateMachine):
    """Requests as they come, and what must hold after each."""

    def __init__(self) -> None:
        super().__init__()
        self.engine = Engine(Store(), lambda: 1_750_000_000.0)
        self.keys: dict[str, tuple[str, Json, int, bytes]] = {}

    @initialize()
    def sellers(self) -> None:
        seller = self.post("/v1/accounts", {"capabilities[transfers][requested]": "true"})
        self.seller = seller["id"]
        self.engine.run(lambda work: accounts.onboarded(work, self.seller))

    @rule(amount=AMOUNTS, card=CARDS, manual=st.booleans())
    def charge(self, amount: int, card: str, manual: bool) -> None:
        method = "manual" if manual else "automatic"
        params = {"amount": amount, "currency": "usd", "payment_method": card}
        self.post("/v1/payment_intents", params | {"confirm": "true", "capture_method": method})

    @rule(which=WHICH, amount=st.none() | AMOUNTS)
    def capture(self, which: int, amount: int | None) -> None:
        params = {} if amount is None else {"amount_to_capture": amount}
        self.on("payment_intent", which, "/v1/payment_intents/{}/capture", params)

    @rule(which=WHICH)
    def cancel(self, which: int) -> None:
        self.on("payment_intent", which, "/v1/payment_intents/{}/cancel", {})

    @rule(which=WHICH, amount=AMOUNTS)
    def refund(self, which: int, amount: int) -> None:
        self.on("charge", which, "/v1/refunds", {"charge": "{}", "amount": amount})

    @rule(which=WHICH, amount=AMOUNTS)
    def transfer(self, which: int, amount: int) -> None:
        params = {"source_transaction": "{}", "amount": amount, "currency": "usd"}
        self.on("charge", which, "/v1/transfers", params | {"destination": self.seller})

    @rule(which=WHICH, amount=AMOUNTS)
    def reverse(self, which: int, amount: int) -> None:
        self.on("transfer", which, "/v1/transfers/{}/reversals", {"amount": amount})

    @rule(amount=AMOUNTS)
    def pay_out(self, amount: int) -> None:
        self.post("/v1/payouts", {"amount": amount, "currency": "usd"})

    @rule(which=WHICH, won=st.booleans())
    def dispute(self, which: int, won: bool) -> None:
        rows = list(self.engine.store.oldest_first("charge"))
        if not rows:
            return
        charge = rows[which % len(rows)]["id"]
        try:
            opened = self.engine.run(
                lambda work: disputes.opened(work, charge, "fraudulent", None, inquiry=False)
            )
            self.engine.run(lambda work: disputes.decided(work, opened["id"], won=won))
        except Refused:
            return

    @rule(hours=st.integers(min_value=1, max_value=72))
    def time_passes(self, hours: int) -> None:
        self.engine.move(hours * 3_600)

    @rule(which=WHICH)
    def an_answer_was_lost(self, which: int) -> None:
        """The same request with the same key gives the same bytes and does nothing."""
        if not self.keys:
            return
        key = list(self.keys)[which % len(self.keys)]
        path, params, at, body = self.keys[key]
        if self.engine.now - at >= 86_400:
            return
        before = self.engine.store.count("balance_transaction")
        assert self.asked(path, params, key) == body
        assert self.engine.store.count("balance_transaction") == before

    @invariant()
    def the_balance_is_the_sum_of_its_transactions(self) -> None:
        store = self.engine.store
        sums: dict[str, int] = {}
        for row in store.oldest_first("balance_transaction"):
            assert row["net"] == row["amount"] - row["fee"]
            account = row.get("_account", "")
            sums[account] = sums.get(account, 0) + row["net"]
        for row in store.oldest_first("balance"):
            pending = sum(part[1] for part in row["pending"])
            assert row["available"] + pending == sums.get(row["account"], 0)

    @invariant()
    def nothing_is_given_twice(self) -> None:
        store = self.engine.store
        for charge in store.oldest_first("charge"):
            rows = [row for row in store.oldest_first("refund") if row["charge"] == charge["id"]]
            given = sum(row["amount"] for row in rows)
            assert given <= charge["amount_captured"] <= charge["amount"]
            passed = [
                row["amount"]
                for row in store.oldest_first("transfer")
                if row["source_transaction"] == charge["id"]
            ]
            assert sum(passed) <= charge["amount_captured"]
        for transfer in store.oldest_first("transfer"):
            assert 0 <= transfer["amount_reversed"] <= transfer["amount"]

    @invariant()
    def no_seller_is_in_debt(self) -> None:
        for row in self.engine.store.oldest_first("balance"):
            if row["account"]:
                assert row["available"] + sum(part[1] for part in row["pending"]) >= 0

    @invariant()
    def what_is_in_the_bank_left_the_balance(self) -> None:
        rows = self.engine.store.oldest_first("payout")
        paid = sum(row["amount"] for row in rows if row["status"] == "paid")
        sums = self.engine.run(payouts.in_the_bank)
        assert sum(of.get("usd", 0) for of in sums.values()) == paid

    def on(self, kind: str, which: int, path: str, params: Json) -> None:
        """A request about one of the objects that are there."""
        rows = list(self.engine.store.oldest_first(kind))
        if not rows:
            return
        named = rows[which % len(rows)]["id"]
        filled = {name: named if value == "{}" else value for name, value in params.items()}
        self.post(path.format(named), filled)

    def post(self, path: str, params: Json) -> Json:
        key = f"key-{len(self.keys)}"
        body = self.asked(path, params, key)
        self.keys[key] = (path, params, self.engine.now, body)
        answer: Json = json.loads(body)
        return answer

    def asked(self, path: str, params: Json, key: str) -> bytes:
        form = "&".join(f"{quote(name)}={quote(str(value))}" for name, value in params.items())
        headers = HEADERS | {"idempotency-key": key}
        answer = self.engine.answer(Asked("POST", path, b"", form.encode(), headers))
        assert answer.status in (200, 400, 402), answer.body
        return answer.body


TestMoney = Money.TestCase
TestMoney.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
