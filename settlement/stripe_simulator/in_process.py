"""The official SDK on an engine in the same process: no socket, no thread, no real time.

For simulations on a virtual clock. The SDK's retries, headers and errors are its own; what HTTPX
would raise for a broken connection is raised here. Faults happen as they do over the socket.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import stripe

from settlement.stripe_simulator.engine import Asked, Engine
from settlement.stripe_simulator.faults import Trouble


class InProcess(stripe.HTTPClient):
    """``turn`` is called before and after each effect; by default the loop gets its turn."""

    name = "in-process"

    def __init__(self, engine: Engine, turn: Callable[[], Any] = lambda: asyncio.sleep(0)) -> None:
        super().__init__()
        self._engine, self._turn = engine, turn

    async def sleep_async(self, secs: float) -> None:
        await asyncio.sleep(secs)

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """One try. Raises ``APIConnectionError`` where a connection would break."""
        parts = urlsplit(url)
        named = {name.lower(): value for name, value in headers.items()}
        body = str(post_data or "").encode()
        asked = Asked(method.upper(), parts.path, parts.query.encode(), body, named)
        fault = self._engine.faults.take(self._engine.operation(asked))
        await self._turn()
        if fault is not None and fault.hold_s:
            await asyncio.sleep(fault.hold_s)
        if fault is not None and fault.trouble is Trouble.NO_EFFECT:
            raise _broken()
        answer = self._engine.answer(asked, fault)
        await self._turn()
        if fault is not None and fault.trouble in (Trouble.LOST_ANSWER, Trouble.TRUNCATED):
            raise _broken()
        shown = {name.lower(): value for name, value in answer.headers.items()}
        return answer.body, answer.status, shown

    async def close_async(self) -> None:
        """Nothing is open."""


def client_of(engine: Engine, key: str = "sk_test_simulator") -> stripe.StripeClient:
    """A client as settlement makes it, on an engine."""
    return stripe.StripeClient(key, max_network_retries=2, http_client=InProcess(engine))


def _broken() -> stripe.APIConnectionError:
    said = "The connection broke (simulated)."
    return stripe.APIConnectionError(said, should_retry=True)  # type: ignore[no-untyped-call]
