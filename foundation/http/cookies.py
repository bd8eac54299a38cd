"""Cookies that only this host sets and reads: ``__Host-`` names, Secure, HttpOnly, SameSite=Lax.

Browsers keep Secure cookies also from http://localhost and http://127.0.0.1, which is what the
installation without configuration is reached by. From any other address http will not do: the
browser drops the cookie, and nobody can sign in.
"""

from typing import Final

from aiohttp import web

PREFIX: Final = "__Host-"


def cookie(request: web.Request, name: str) -> str | None:
    """The value of our cookie of this name."""
    return request.cookies.get(PREFIX + name)


def set_cookie(response: web.StreamResponse, name: str, value: str, *, max_age_s: int) -> None:
    """Have the browser keep the value for so long; 0: until it is closed."""
    response.set_cookie(
        PREFIX + name,
        value,
        max_age=max_age_s or None,
        path="/",
        secure=True,
        httponly=True,
        samesite="Lax",
    )


def drop_cookie(response: web.StreamResponse, name: str) -> None:
    """Have the browser forget it."""
    response.del_cookie(PREFIX + name, path="/", secure=True, httponly=True, samesite="Lax")
