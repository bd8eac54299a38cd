"""The client's address, also behind proxies that the operator trusts.

X-Forwarded-For is read from the right: each trusted proxy has put the address of who spoke to it
at the end, so the first address from the right that is not a trusted proxy is the client. What
stands left of it was written by the client, and may be anything.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, TypeAlias

from aiohttp import web

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

# Networks of the proxies whose X-Forwarded-For is believed.
TRUSTED_PROXIES: Final[web.AppKey[Sequence[Network]]] = web.AppKey("trusted_proxies")


def client_address(request: web.Request) -> str:
    """Who sent the request, in one spelling for an address; "unknown" without a socket."""
    return str(client_ip(request) or "unknown")


def client_ip(request: web.Request) -> Address | None:
    """Who sent the request, as far as our own proxies tell."""
    trusted = request.config_dict.get(TRUSTED_PROXIES, ())
    return resolve(request.remote, request.headers.getall("X-Forwarded-For", []), trusted)


def is_one_of(request: web.Request, networks: Sequence[Network]) -> bool:
    """Whether the client itself is in one of these networks.

    What came through a proxy that nobody told us to trust is nobody's: its address would be the
    proxy's, which may well be this machine's.
    """
    client = client_ip(request)
    came_along = "X-Forwarded-For" in request.headers or "Forwarded" in request.headers
    if client is None or (came_along and client == _parsed(request.remote or "")):
        return False
    return any(client in network for network in networks)


def resolve(
    peer: str | None, forwarded: Sequence[str], trusted: Sequence[Network]
) -> Address | None:
    """The client, from the socket's peer and the X-Forwarded-For lines."""
    address = _parsed(peer or "")
    hops = [hop for line in forwarded for hop in line.split(",")]
    while address is not None and hops and any(address in network for network in trusted):
        nearer = _parsed(hops.pop())
        if nearer is None:  # a proxy of ours would not write that; go no further
            break
        address = nearer
    return address


def _parsed(text: str) -> Address | None:
    """An address, with or without a port or a zone; IPv4 in IPv6 as IPv4."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
