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
TRUSTED_PROXIES: Final = web.AppKey("trusted_proxies", tuple[Network, ...])

_UNKNOWN = "unknown"


def client_address(request: web.Request) -> str:
    """Who sent the request, in one spelling for an address; "unknown" without a socket."""
    trusted = request.config_dict.get(TRUSTED_PROXIES, ())
    forwarded = request.headers.getall("X-Forwarded-For", [])
    return resolve(request.remote, forwarded, trusted)


def resolve(peer: str | None, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """The client, from the socket's peer and the X-Forwarded-For lines."""
    address = _parsed(peer or "")
    if address is None:
        return _UNKNOWN
    hops = [hop for line in forwarded for hop in line.split(",")]
    while hops and any(address in network for network in trusted):
        nearer = _parsed(hops.pop())
        if nearer is None:  # a proxy of ours would not write that; go no further
            break
        address = nearer
    return str(address)


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
