"""Webhooks out: which event goes where next, signed, and what becomes of it.

docs.stripe.com/webhooks: endpoints get an event at least once and in no order that one may rely
on; what is not answered with 2xx is sent again, later and later, for three days.
"""

import hmac
import random
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from settlement.stripe_simulator.engine import Engine
from settlement.stripe_simulator.store import public
from settlement.stripe_simulator.work import Work

Json = dict[str, Any]

# Seconds until the next attempt, after each failure; then it is given up.
RETRIES_S: Final = (2, 10, 60, 300, 1_800, 7_200, 21_600, 43_200, 86_400, 86_400)
MAX_DELAY_S: Final = 7 * 86_400
LOOKED_AT: Final = 32  # among which one is chosen


class Mood(Struct, frozen=True, forbid_unknown_fields=True):
    """How reliably webhooks come: of 1,000 deliveries so many are sent twice, or never; each is
    late by up to ``late_by_s``; ``shuffled``: what is due is sent in any order. By a seed."""

    seed: int = 0
    repeat_per_mille: Annotated[int, Meta(ge=0, le=1_000)] = 0
    lose_per_mille: Annotated[int, Meta(ge=0, le=1_000)] = 0
    late_by_s: Annotated[int, Meta(ge=0, le=MAX_DELAY_S)] = 0
    shuffled: bool = False
    held: bool = False


@dataclass(frozen=True)
class Delivery:
    """A request that is to be sent now."""

    id: str
    url: str
    body: bytes
    secret: str

    def headers(self, at_s: int) -> dict[str, str]:
        """Signed as of this moment."""
        return {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Stripe-Signature": signature(self.body, self.secret, at_s),
        }


def signature(body: bytes, secret: str, at_s: int) -> str:
    """docs.stripe.com/webhooks/signature: HMAC-SHA256 of the moment, a point and the raw body."""
    signed = hmac.new(secret.encode(), b"%d.%s" % (at_s, body), sha256).hexdigest()
    return f"t={at_s},v1={signed}"


class Deliveries:
    """Those that wait are rows of the store, so they survive a kill; a repeat does not."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._repeats: list[tuple[str, str]] = []
        self._seen: set[str] = set()
        self.set_mood(Mood())

    def set_mood(self, mood: Mood) -> None:
        """From now on."""
        self.mood = mood
        self._random = random.Random(mood.seed)  # noqa: S311 - trouble is no secret

    @property
    def waiting(self) -> int:
        """How many are not delivered yet, due or not."""
        return self._engine.store.count("delivery") + len(self._repeats)

    def take(self) -> Delivery | None:
        """The next that is due."""
        if self.mood.held:
            return None
        while True:
            due = self._due()
            if self._repeats and (not due or self._random.random() < 0.5):
                delivery = self._delivery("", *self._repeats.pop(0))
            elif due:
                row = self._random.choice(due) if self.mood.shuffled else due[0]
                if self._random.randrange(1_000) < self.mood.repeat_per_mille:
                    self._repeats.append((row["event"], row["endpoint"]))
                delivery = self._delivery(row["id"], row["event"], row["endpoint"])
                if delivery is None:
                    self._forget(row["id"])
            else:
                return None
            if delivery is not None:
                return delivery

    def settled(self, delivery: Delivery, *, taken: bool) -> None:
        """What became of it."""
        self._seen.discard(delivery.id)
        row = self._engine.store.find("delivery", delivery.id)
        if row is not None:
            self._engine.run(lambda work: _settle(work, delivery.id, taken=taken))

    def _due(self) -> list[Json]:
        """Some of those that are due, after each was looked at once whether it is put off."""
        while True:
            now = self._engine.now
            waiting = self._engine.store.oldest_first("delivery")
            due = list(islice((row for row in waiting if row["at"] <= now), LOOKED_AT))
            if not [row for row in due if row["id"] not in self._seen and self._delayed(row)]:
                return due

    def _forget(self, delivery_id: str) -> None:
        """As if it had been taken: it was lost, or its event is too old."""
        self._seen.discard(delivery_id)
        self._engine.run(lambda work: _settle(work, delivery_id, taken=True))

    def _delayed(self, row: Json) -> bool:
        """Whether it is put off, or lost, when it is first looked at."""
        self._seen.add(row["id"])
        if row["attempts"]:
            return False
        if self._random.randrange(1_000) < self.mood.lose_per_mille:
            self._forget(row["id"])
            return True
        late = self._random.randint(0, self.mood.late_by_s) if self.mood.late_by_s else 0
        if late:
            self._engine.run(
                lambda work: work.edit("delivery", row["id"]).update(at=row["at"] + late)
            )
        return late > 0

    def _delivery(self, delivery_id: str, event_id: str, endpoint_id: str) -> Delivery | None:
        store = self._engine.store
        event = store.find("event", event_id)
        endpoint = store.find("webhook_endpoint", endpoint_id)
        if event is None or endpoint is None:
            return None
        body = msgspec.json.format(msgspec.json.encode(public(event)), indent=2)
        return Delivery(delivery_id, endpoint["url"], body, endpoint["_secret"])


def _settle(work: Work, delivery_id: str, *, taken: bool) -> None:
    row = work.edit("delivery", delivery_id)
    if not taken and row["attempts"] < len(RETRIES_S):
        row["at"] = work.now + RETRIES_S[row["attempts"]]
        row["attempts"] += 1
        return
    if taken and work.changes.find("event", row["event"]) is not None:
        work.edit("event", row["event"])["pending_webhooks"] -= 1
    work.changes.remove("delivery", delivery_id)
