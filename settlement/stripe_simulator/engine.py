"""The simulator without its socket: a request and a moment in, an answer out.

Each request is one unit of work, which is kept together with its answer under its idempotency
key, as one record; so is each thing that happens by itself at a moment. There is no await inside,
so two requests never mix, and a kill leaves either all of one or nothing.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any, Final, TypeVar

import msgspec

from settlement.stripe_simulator import (
    books,
    cash_balances,
    confirming,
    disputes,
    form,
    listing,
    payment_intents,
    payouts,
    refunds,
)
from settlement.stripe_simulator import parameters as p
from settlement.stripe_simulator.faults import Fault, Faults, Trouble
from settlement.stripe_simulator.problems import Refused
from settlement.stripe_simulator.routes import Route, find
from settlement.stripe_simulator.store import Changes, Store, public
from settlement.stripe_simulator.work import PLATFORM, Timer, Work

Json = dict[str, Any]
Result = TypeVar("Result")

KEY_LIVES_S: Final = books.DAY_S  # "at least 24 hours"
EVENT_LIVES_S: Final = 30 * books.DAY_S  # docs.stripe.com/api/events
MAX_KEY: Final = 255
PRUNED_AT_ONCE: Final = 4  # more than one request adds
REMEMBERED: Final = 10_000  # requests that a test can look at

ACTIONS: Final[Mapping[str, Callable[[Work, str], object]]] = {
    "account_paid_out": payouts.account_paid_out,
    "authorisation_expires": payment_intents.authorisation_expires,
    "bank_transfer_arrives": cash_balances.arrives,
    "card_disputed": disputes.card_disputed,
    "debit_settles": confirming.debit_settles,
    "dispute_decided": disputes.decided_late,
    "dispute_overdue": disputes.overdue,
    "funds_available": books.funds_available,
    "payout_arrives": payouts.arrives,
    "refund_fails": refunds.fails,
}


@dataclass(frozen=True)
class Asked:
    """A request; names of headers in lower case."""

    method: str
    path: str
    query: bytes = b""
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What is sent back."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class Engine:
    """``clock`` gives seconds since 1970; ``move`` adds to it. Time never falls."""

    def __init__(self, store: Store, clock: Callable[[], float], seed: str = "simulator") -> None:
        self.store, self.faults = store, Faults()
        self.requests: deque[Json] = deque(maxlen=REMEMBERED)
        self.url = ""
        self._clock, self._seed, self._asked = clock, seed, 0
        self._heap: list[tuple[int, int, str, Timer, str]] = []
        for row in store.oldest_first("timer"):
            self._plan(
                Timer(row["at"], row["order"], row["id"], row["action"], row["subject"]),
                row["account"],
            )

    @property
    def now(self) -> int:
        """The simulator's time."""
        row = self.store.find("clock", "clock") or {"offset": 0, "latest": 0}
        return max(int(self._clock()) + int(row["offset"]), int(row["latest"]))

    def operation(self, asked: Asked) -> str:
        """How faults name what is asked."""
        found = find(asked.method, asked.path)
        return found[0].operation if found else f"{asked.method} {asked.path}"

    def move(self, seconds: int) -> None:
        """Let time pass; what falls due on the way happens at its moment."""
        assert seconds >= 0, "time does not fall"
        target = self.now + seconds
        self.catch_up(target)
        offset = target - int(self._clock())
        self.store.commit(
            [("clock", "clock", {"id": "clock", "offset": offset, "latest": target})], []
        )

    def catch_up(self, until: int | None = None) -> None:
        """Do what is due."""
        until = self.now if until is None else until
        while self._heap and self._heap[0][0] <= until:
            at, _, _, timer, account = heappop(self._heap)
            work = self._work(account, max(at, 0))
            ACTIONS[timer.action](work, timer.subject)
            work.changes.remove("timer", timer.id)
            self._commit(work)

    def run(self, do: Callable[[Work], Result], account: str = PLATFORM) -> Result:
        """A unit of work that no request of the API asked for."""
        self.catch_up()
        work = self._work(account, self.now)
        result = do(work)
        self._commit(work)
        return result

    def answer(self, asked: Asked, fault: Fault | None = None) -> Answer:
        """Do what is asked, once."""
        self.catch_up()
        work = self._work(PLATFORM, self.now)
        self._asked += 1
        work.request_id = f"req_{work.now:x}{self._asked:06x}"
        account = asked.headers.get("stripe-account", PLATFORM)
        try:
            _authorise(asked)
            if account:
                _known_account(work, account)
            work.account = account
            answer = self._answered(work, asked, fault)
        except Refused as refused:
            answer = refusal(refused)
        assert work.request_id is not None, "it was set above"
        self._remember(asked, answer)
        return Answer(
            answer.status,
            answer.body,
            {
                "Request-Id": work.request_id,
                "Stripe-Version": "2026-10-28.endive",
                **answer.headers,
            },
        )

    def refuse(self, asked: Asked, refused: Refused) -> Answer:
        """Answer what is not to be done at all."""
        answer = refusal(refused)
        self._remember(asked, answer)
        return answer

    def _answered(self, work: Work, asked: Asked, fault: Fault | None) -> Answer:
        found = find(asked.method, asked.path)
        if found is None:
            raise Refused(
                f"Unrecognized request URL ({asked.method}: {asked.path[:200]}).",
                status=404, code="url_invalid", kept=False,
            )  # fmt: skip
        key = asked.headers.get("idempotency-key") if asked.method != "GET" else None
        trouble = fault.trouble if fault else None
        if trouble is Trouble.RATE_LIMITED:
            raise Refused("Too many requests.", status=429, code="rate_limit", kept=False)
        if trouble is Trouble.CONFLICT:
            raise in_use(key or "")
        if key is None:
            return self._done(work, asked, *found, trouble)
        if len(key) > MAX_KEY:
            raise Refused(f"Idempotency keys have at most {MAX_KEY} characters.", kept=False)
        work.idempotency_key = key
        row_id = f"{work.account}:{key}"
        content = _content(asked)
        kept = self.store.find("idempotency", row_id)
        if kept is not None and work.now - kept["at"] < KEY_LIVES_S:
            return _replayed(kept, content, key)
        return self._done(work, asked, *found, trouble, (row_id, content))

    def _done(
        self,
        work: Work,
        asked: Asked,
        route: Route,
        ids: list[str],
        trouble: Trouble | None,
        keep: tuple[str, str] | None = None,
    ) -> Answer:
        try:
            answer = self._executed(work, asked, route, ids, trouble)
        except Refused as refused:
            answer = refusal(refused)
            if not refused.kept:
                return answer
            if not refused.effects:
                work = self._renewed(work)
        if trouble is Trouble.SERVER_ERROR_AFTER_EFFECT:
            answer = refusal(_broken())
        if keep is not None:
            row = {"id": keep[0], "content": keep[1], "at": work.now, "status": answer.status}
            # Put anew, so that the oldest stand first and are pruned first.
            if self.store.find("idempotency", keep[0]) is not None:
                self.store.commit([], [("idempotency", keep[0])])
            work.changes.put("idempotency", keep[0], row | {"body": answer.body.decode()})
        if asked.method != "GET":
            self._prune(work)
            self._commit(work)
        return answer

    def _executed(
        self, work: Work, asked: Asked, route: Route, ids: list[str], trouble: Trouble | None
    ) -> Answer:
        encoded = asked.body if asked.method == "POST" else asked.query
        if asked.method == "POST" and asked.query:
            raise Refused("Parameters of a POST belong into its body.", kept=False)
        given = p.read(form.parse(encoded), route.shape | {"expand": [p.text]})
        paths = given.pop("expand", [])
        if trouble is Trouble.SERVER_ERROR:
            raise _broken()
        result = route.handler(work, given, *ids)
        return Answer(200, _json(listing.expanded(work, result, paths)), {})

    def _work(self, account: str, now: int) -> Work:
        return Work(Changes(self.store), now, self._seed, account, self.url)

    def _renewed(self, work: Work) -> Work:
        """The same, without what was done in it."""
        fresh = self._work(work.account, work.now)
        fresh.request_id, fresh.idempotency_key = work.request_id, work.idempotency_key
        return fresh

    def _commit(self, work: Work) -> None:
        work.changes.commit()
        for timer in work.timers:
            row = self.store.find("timer", timer.id)
            if row is not None:
                self._plan(timer, row["account"])

    def _plan(self, timer: Timer, account: str) -> None:
        heappush(self._heap, (timer.at, timer.order, timer.id, timer, account))

    def _prune(self, work: Work) -> None:
        """A few of what is too old, so that nothing grows for ever."""
        for kind, at, lives in (
            ("idempotency", "at", KEY_LIVES_S),
            ("event", "created", EVENT_LIVES_S),
        ):
            oldest = self.store.oldest_first(kind)
            for row, _ in zip(oldest, range(PRUNED_AT_ONCE), strict=False):
                if work.now - row[at] < lives:
                    break
                work.changes.remove(kind, row["id"])

    def _remember(self, asked: Asked, answer: Answer) -> None:
        self.requests.append(
            {
                "at": self.now,
                "method": asked.method,
                "path": asked.path,
                "idempotency_key": asked.headers.get("idempotency-key"),
                "status": answer.status,
                "replayed": "Idempotent-Replayed" in answer.headers,
            }
        )


def in_use(key: str) -> Refused:
    """Another request with this key is under way."""
    return Refused(
        f"There is currently another in-progress request using this Idempotent Key: {key[:100]}.",
        status=409, kind="idempotency_error", code="idempotency_key_in_use", kept=False,
    )  # fmt: skip


def _authorise(asked: Asked) -> None:
    """A secret key of the test mode: docs.stripe.com/keys."""
    scheme, _, key = asked.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer" or not key.startswith("sk_test_") or len(key) > 255:
        raise Refused(
            "Invalid API Key provided: a key sk_test_... is needed.", status=401, kept=False
        )


def _known_account(work: Work, account: str) -> None:
    if work.changes.find("account", account) is None:
        raise Refused(
            f"The provided key does not have access to account '{account[:100]}' (or that account "
            "does not exist).",
            status=403, code="account_invalid", kept=False,
        )  # fmt: skip


def _content(asked: Asked) -> str:
    parts = b"\0".join((asked.method.encode(), asked.path.encode(), asked.query, asked.body))
    return hashlib.sha256(parts).hexdigest()


def _replayed(kept: Json, content: str, key: str) -> Answer:
    if kept["content"] != content:
        raise Refused(
            "Keys for idempotent requests can only be used with the same parameters they were "
            f"first used with. Try using a key other than '{key[:100]}' if you meant to execute a "
            "different request.",
            kind="idempotency_error", kept=False,
        )  # fmt: skip
    return Answer(kept["status"], kept["body"].encode(), {"Idempotent-Replayed": "true"})


def _broken() -> Refused:
    return Refused("An unknown error occurred.", status=500, kind="api_error")


def refusal(refused: Refused) -> Answer:
    """As it is sent."""
    # Whether to try again, where the status does not say it.
    again = {"Stripe-Should-Retry": "true"} if refused.status == 409 else {}
    return Answer(refused.status, _json(public(refused.body)), again)


def _json(answer: Json) -> bytes:
    return msgspec.json.encode(answer)
