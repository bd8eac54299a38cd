"""The rooms that keep tables, in the order in which their migrations are applied."""

from foundation.migrator import Room, read_room

ROOMS = ("accounts", "auction", "bidder_gateway", "settlement", "softclose")


def rooms() -> tuple[Room, ...]:
    """What a database needs to hold for this version; read from the installed packages."""
    return tuple(read_room(name) for name in ROOMS)
