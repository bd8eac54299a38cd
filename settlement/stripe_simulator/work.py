"""A unit of work: what one request, or one due moment, does to the simulator's objects."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from settlement.stripe_simulator.problems import missing
from settlement.stripe_simulator.store import Changes, public

Json = dict[str, Any]

# How the ids of each kind begin; the first is what new ones get.
PREFIXES: Final[dict[str, tuple[str, ...]]] = {
    "account": ("acct",),
    "balance_transaction": ("txn",),
    "bank_account": ("ba",),
    "charge": ("ch", "py"),
    "customer": ("cus",),
    "customer_cash_balance_transaction": ("ccsbtxn",),
    "dispute": ("du", "dp"),
    "event": ("evt",),
    "mandate": ("mandate",),
    "payment_intent": ("pi",),
    "payment_method": ("pm",),
    "payout": ("po",),
    "refund": ("re",),
    "setup_intent": ("seti",),
    "transfer": ("tr",),
    "transfer_reversal": ("trr",),
    "webhook_endpoint": ("we",),
}
KIND_OF: Final = {prefix: kind for kind, all_of in PREFIXES.items() for prefix in all_of}

PLATFORM: Final = ""  # the account whose key is used, when no Stripe-Account is named
API_VERSION: Final = "2026-10-28.endive"


@dataclass(frozen=True)
class Timer:
    """Something that happens by itself at a moment."""

    at: int
    order: int
    id: str
    action: str
    subject: str


@dataclass
class Work:
    """``now`` in seconds; ``account`` is the one that is acted for."""

    changes: Changes
    now: int
    seed: str = ""
    account: str = PLATFORM
    url: str = ""
    request_id: str | None = None
    idempotency_key: str | None = None
    timers: list[Timer] = field(default_factory=list)

    def find(self, kind: str, object_id: str) -> Json | None:
        """To read only; ``None`` where there is none, or it is another account's."""
        found = self.changes.find(kind, object_id)
        return found if found is not None and found.get("_account", "") == self.account else None

    def get(self, kind: str, object_id: str, param: str = "id", *, in_path: bool = False) -> Json:
        """To read only. Raises ``Refused`` as Stripe does for an id that is not there."""
        found = self.find(kind, object_id)
        if found is None:
            raise missing(kind.replace("_", " "), object_id, param, in_path=in_path)
        return found

    def edit(self, kind: str, object_id: str) -> Json:
        """To change."""
        return self.changes.edit(kind, object_id)

    def add(self, kind: str, row: Json) -> Json:
        """Keep a new object, of the account that is acted for."""
        if self.account:
            row["_account"] = self.account
        return self.changes.put(kind, row["id"], row)

    def rows(self, kind: str) -> Iterator[Json]:
        """The account's objects, the newest first."""
        for row in self.changes.newest_first(kind):
            if row.get("_account", "") == self.account:
                yield row

    def new_id(self, prefix: str) -> str:
        """An id that follows from the seed and from how many were made before."""
        number = self.next_number("ids")
        digest = hashlib.sha256(f"{self.seed}:{prefix}:{number}".encode()).hexdigest()
        return f"{prefix}_3{digest[:23]}"

    def next_number(self, name: str) -> int:
        """Counts up for as long as the journal lives."""
        row = self.changes.find("counter", name)
        if row is None:
            self.changes.put("counter", name, {"id": name, "value": 1})
            return 1
        row = self.edit("counter", name)
        row["value"] += 1
        return int(row["value"])

    def later(self, at: int, action: str, subject: str) -> None:
        """Do something at a moment."""
        order = self.next_number("timers")
        row: Json = {
            "id": f"timer_{order}",
            "at": at,
            "order": order,
            "action": action,
            "subject": subject,
            "account": self.account,
        }
        self.changes.put("timer", row["id"], row)
        self.timers.append(Timer(at, order, row["id"], action, subject))

    def emit(self, kind: str, subject: Json, previous: Mapping[str, Any] | None = None) -> None:
        """Tell the world what happened, with the object as it is now."""
        data: Json = {"object": public(subject)}
        if previous:
            data["previous_attributes"] = dict(previous)
        event: Json = {
            "id": self.new_id("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now,
            "data": data,
            "livemode": False,
            "pending_webhooks": 0,
            "request": {"id": self.request_id, "idempotency_key": self.idempotency_key},
            "type": kind,
        }
        if self.account:
            event["account"] = self.account
        endpoints = [
            row
            for row in self.changes.newest_first("webhook_endpoint")
            if row["status"] == "enabled"
            and bool(row["_connect"]) == bool(self.account)
            and {"*", kind} & set(row["enabled_events"])
        ]
        event["pending_webhooks"] = len(endpoints)
        if self.account:
            event["_account"] = self.account
        self.changes.put("event", event["id"], event)
        for endpoint in endpoints:
            number = self.next_number("deliveries")
            row: Json = {"id": f"delivery_{number}", "order": number, "event": event["id"]}
            row |= {"endpoint": endpoint["id"], "attempts": 0, "at": self.now}
            self.changes.put("delivery", row["id"], row)


def kind_of(object_id: str) -> str | None:
    """Which kind an id is of."""
    return KIND_OF.get(object_id.rpartition("_")[0])
