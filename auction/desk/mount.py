"""The desk's API as the host mounts it."""

from auction.desk.room import Desk
from foundation.http.routes import Mount


def mount(desk: Desk) -> Mount:
    """The routes of this room; the host gives them the guard of an `accounts.http.guard.Door`."""
    return Mount("desk", desk.routes())
