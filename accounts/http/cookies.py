"""The cookies of this room, by their names behind ``__Host-``."""

from typing import Final

from aiohttp import web

from accounts.clock import SECOND_US
from accounts.devices import LIFETIME_US as DEVICE_LIFETIME_US
from accounts.secret import Secret
from accounts.sessions import ABSOLUTE_US
from accounts.signing_in import STEP_LIFETIME_US, SignedIn
from foundation.http.cookies import drop_cookie, set_cookie

SESSION: Final = "session"
DEVICE: Final = "device"
STEP: Final = "sign-in"  # between the password and the code


def keep_signed_in(response: web.StreamResponse, signed_in: SignedIn) -> None:
    """The browser has this session from now on, and is known."""
    keep_session(response, signed_in.session.secret)
    drop_cookie(response, STEP)
    if signed_in.device is not None:
        set_cookie(response, DEVICE, signed_in.device, max_age_s=DEVICE_LIFETIME_US // SECOND_US)


def keep_session(response: web.StreamResponse, secret: Secret) -> None:
    """The session's secret, which may have changed."""
    set_cookie(response, SESSION, secret, max_age_s=ABSOLUTE_US // SECOND_US)


def keep_step(response: web.StreamResponse, secret: Secret) -> None:
    """The password was right; the code is asked for next."""
    set_cookie(response, STEP, secret, max_age_s=STEP_LIFETIME_US // SECOND_US)
