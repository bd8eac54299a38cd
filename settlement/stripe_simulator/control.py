"""The control of a running simulator, for tests and the demo: what the world outside does."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, TypeVar

import aiohttp
import msgspec

from settlement.stripe_simulator import told
from settlement.stripe_simulator.deliveries import Mood
from settlement.stripe_simulator.faults import Fault, Trouble, Weather

Json = dict[str, Any]
Told = TypeVar("Told")

TIMEOUT_S: Final = 120.0  # a year of webhooks may be due after a move of the clock
DAY_S: Final = 86_400


class OrderRefused(Exception):
    """The simulator cannot do that; the message says why."""


class Control:
    """To be entered, so that its connection is closed."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/_simulator"

    async def __aenter__(self) -> "Control":
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S))
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def state(self) -> told.State:
        """Its time, what waits, and what is in the bank."""
        return await self._get("state", told.State)

    async def now(self) -> int:
        """Its time, in seconds."""
        return (await self.state()).now

    async def move(self, *, days: int = 0, hours: int = 0, seconds: int = 0) -> None:
        """Let time pass: what falls due on the way happens at its moment."""
        await self._tell("move", told.Move(days * DAY_S + hours * 3_600 + seconds))

    async def move_to(self, at: int) -> None:
        """Let time pass until a moment, at least one that is not past."""
        await self.move(seconds=max(0, at - await self.now()))

    async def bank_transfer(
        self,
        customer: str,
        amount: int,
        currency: str = "usd",
        *,
        reference: str | None = None,
        after_s: int = 0,
    ) -> None:
        """A customer sends money, of any amount, which arrives now or later."""
        order = told.BankTransfer(customer, amount, currency, reference, after_s)
        await self._tell("bank_transfers", order)

    async def open_dispute(
        self,
        charge: str,
        *,
        reason: str = "fraudulent",
        amount: int | None = None,
        inquiry: bool = False,
    ) -> str:
        """The payer's bank disputes a charge; returns the dispute's id."""
        order = told.OpenDispute(charge, reason, amount, inquiry)
        return str((await self._tell("disputes", order))["id"])

    async def decide_dispute(self, dispute: str, *, won: bool) -> None:
        """The payer's bank decides."""
        await self._tell("disputes/decide", told.DecideDispute(dispute, won))

    async def decline(
        self, payment_method: str, code: str = "insufficient_funds", *, times: int = 1
    ) -> None:
        """The next charges of a payment method are declined."""
        await self._tell("declines", told.Decline(payment_method, code, times))

    async def authenticate(self, intent: str, *, succeeded: bool = True) -> None:
        """The payer answers the bank's question."""
        await self._tell("authenticate", told.Authenticate(intent, succeeded))

    async def onboard(self, account: str, *, complete: bool = True) -> None:
        """The owner of a connected account goes through the onboarding."""
        await self._tell("onboard", told.Onboard(account, complete))

    async def fail_payout(
        self, payout: str, code: str = "account_closed", *, account: str = ""
    ) -> None:
        """The bank sends a payout back."""
        await self._tell("payouts/fail", told.FailPayout(payout, code, account))

    async def fault(
        self,
        trouble: Trouble,
        operation: str = "POST *",
        *,
        times: int = 1,
        skip: int = 0,
        hold_s: float = 0.0,
    ) -> None:
        """Trouble for the next requests that fit."""
        await self._tell("faults", Fault(trouble, operation, times, skip, hold_s))

    async def weather(
        self, seed: int, per_mille: Mapping[Trouble, int], operation: str = "POST *"
    ) -> None:
        """Trouble by a seed, until it is cleared."""
        await self._tell("weather", Weather(seed, per_mille, operation))

    async def clear_faults(self) -> None:
        """No trouble any more."""
        await self._tell("faults/clear", {})

    async def mood(self, mood: Mood) -> None:
        """How webhooks come from now on."""
        await self._tell("mood", mood)

    async def deliver(self) -> told.Delivered:
        """Send all webhooks that are due, and wait for what becomes of them."""
        return msgspec.convert(await self._tell("deliver", {}), told.Delivered)

    async def requests(self) -> list[told.Request]:
        """The latest requests of the API, the oldest first."""
        return await self._get("requests", list[told.Request])

    async def _get(self, name: str, kind: type[Told]) -> Told:
        async with self._session.get(f"{self._url}/{name}") as response:
            return msgspec.json.decode(await response.read(), type=kind)

    async def _tell(self, name: str, order: object) -> Any:
        headers = {"Content-Type": "application/json"}
        async with self._session.post(
            f"{self._url}/{name}", data=msgspec.json.encode(order), headers=headers
        ) as response:
            answer = msgspec.json.decode(await response.read())
        if response.status != 200:
            raise OrderRefused(answer["error"]["message"])
        return answer
