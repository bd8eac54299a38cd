"""The way to Stripe: one client of the official SDK, and its errors in our two words.

What says nothing of the effect is `Unknown`: a broken connection, a cut answer, 409 (another try of
the same key is under way), 429 and 5xx; a 5xx that Stripe repeats under its key is `Kept`. So are
401 and 403: the key or its rights are wrong, which decides nothing about a payment, and the same
call goes through once the operator has mended it. Only what Stripe judged is `Refused`. The same
key with other arguments is neither: it is a fault of ours, and a person looks at it.
"""

import logging
from collections.abc import Coroutine, Mapping
from typing import Any, Final, Protocol

import stripe
import structlog

from settlement.ids import StripeId
from settlement.operations import Kept, NeedsPerson, Refused, Unknown
from settlement.payment_objects import MAX_AMOUNT_MINOR, OP_ID
from settlement.ports import PaymentDeclined

Json = dict[str, Any]

_logger = structlog.get_logger(__name__)

TIMEOUT_S: Final = 10.0  # each to connect, to write and to read; a lease is far longer
RETRIES: Final = 2  # at once, by the SDK, under the same key; later ones are the worker's
MAX_KEY: Final = 255
MAX_METADATA: Final = 500  # characters of a value
MAX_ABOUT: Final = 20  # names; Stripe's own bound is 50


class Answered(Protocol):
    """An object of the SDK."""

    def to_dict(self) -> Json: ...


class Connection:
    """To be closed. ``url``: of a simulator; without it, Stripe's own."""

    def __init__(
        self,
        key: str,
        url: str | None = None,
        *,
        retries: int = RETRIES,
        http_client: stripe.HTTPClient | None = None,
    ) -> None:
        # They tell of each request at `info`, and of its content at `debug`.
        for name in ("stripe", "httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self._http = http_client or stripe.HTTPXClient(timeout=TIMEOUT_S)
        self._stripe = stripe.StripeClient(
            key,
            base_addresses={"api": url} if url else {},
            max_network_retries=retries,
            http_client=self._http,
        )
        self.live = "_live_" in key[:9]

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    @property
    def v1(self) -> stripe.V1Services:
        return self._stripe.v1

    async def close(self) -> None:
        """Close its connections; nothing can be asked afterwards."""
        await self._http.close_async()  # type: ignore[no-untyped-call]


async def answer(asked: Coroutine[Any, Any, Answered]) -> Json:
    """What Stripe answers. Raises `Unknown`, `Refused` or `PaymentDeclined`."""
    try:
        return (await asked).to_dict()
    except stripe.StripeError as error:
        raise translated(error) from None


async def found(asked: Coroutine[Any, Any, Answered]) -> list[Json]:
    """The rows of a page."""
    rows: list[Json] = (await answer(asked))["data"]
    return rows


def translated(error: stripe.StripeError) -> Exception:
    """The SDK's error in our words."""
    status, code = error.http_status, error.code or ""
    if isinstance(error, stripe.IdempotencyError):
        return NeedsPerson("an idempotency key was used with other arguments")
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        _logger.error("stripe_key_not_accepted", status=status, code=code)
        return Unknown("Stripe does not accept the key for this")
    if isinstance(error, stripe.CardError):
        return _declined(error)
    if isinstance(error, stripe.InvalidRequestError):
        return Refused(code or "invalid_request", _message(error))
    words = f"{type(error).__name__}, status {status}: {code or 'no answer that counts'}"
    if (status or 0) >= 500 and _is_replayed(error):
        return Kept(f"{words}, kept under the key")
    return Unknown(words)


def _is_replayed(error: stripe.StripeError) -> bool:
    named = {name.lower(): value for name, value in (error.headers or {}).items()}
    return named.get("idempotent-replayed", "").lower() == "true"


def _declined(error: stripe.CardError) -> PaymentDeclined:
    told = error.error
    intent = None if told is None else told.payment_intent
    return PaymentDeclined(
        error.code or "card_declined",
        _message(error),
        decline_code=None if told is None else told.decline_code,
        payment_id=None if intent is None else StripeId(intent.id),
        charge_id=None if told is None or told.charge is None else StripeId(told.charge),
    )


def _message(error: stripe.StripeError) -> str:
    return (error.user_message or "")[:500]


def once(key: str) -> stripe.RequestOptions:
    """Options of a call that has one effect, however often it is sent."""
    if not key or len(key) > MAX_KEY:
        raise ValueError(f"an idempotency key has from 1 to {MAX_KEY} characters")
    return {"idempotency_key": key}


def on_behalf(account_id: str | None) -> stripe.RequestOptions:
    """Options of a reading; of a connected account's, where one is named."""
    return {"stripe_account": account_id} if account_id else {}


def metadata(key: str, about: Mapping[str, str]) -> dict[str, str]:
    """What an object says of where it comes from."""
    if len(about) > MAX_ABOUT or any(len(value) > MAX_METADATA for value in about.values()):
        raise ValueError("metadata: more than an object can carry")
    return {**about, OP_ID: key}


def sendable(amount_minor: int) -> int:
    """The amount, if it can be sent at all: no call is made with another."""
    if not 1 <= amount_minor <= MAX_AMOUNT_MINOR:
        code = "amount_too_small" if amount_minor < 1 else "amount_too_large"
        raise Refused(code, f"{amount_minor} is not from 1 to {MAX_AMOUNT_MINOR}")
    return amount_minor
