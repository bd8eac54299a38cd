"""The client's address: only what our own proxies wrote is believed."""

from ipaddress import ip_network

import pytest

from foundation.http.client_address import resolve

OURS = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]

CASES = [
    # peer, X-Forwarded-For lines, client
    ("203.0.113.5", [], "203.0.113.5"),
    ("203.0.113.5", ["1.2.3.4"], "203.0.113.5"),  # not from a proxy of ours
    ("10.0.0.1", [], "10.0.0.1"),
    ("10.0.0.1", ["203.0.113.5"], "203.0.113.5"),
    ("10.0.0.1", ["1.2.3.4, 203.0.113.5"], "203.0.113.5"),  # the left one is the client's tale
    ("10.0.0.1", ["1.2.3.4", "203.0.113.5"], "203.0.113.5"),
    ("10.0.0.1", ["203.0.113.5, 10.0.0.2"], "203.0.113.5"),  # two proxies of ours
    ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
    ("10.0.0.1", ["203.0.113.5, nonsense"], "10.0.0.1"),
    ("10.0.0.1", [""], "10.0.0.1"),
    ("10.0.0.1", ["203.0.113.5:4711"], "203.0.113.5"),
    ("fd00::1", ["[2001:db8::5]:4711"], "2001:db8::5"),
    ("fd00::1", ["2001:DB8:0:0::5"], "2001:db8::5"),
    ("::ffff:10.0.0.1", ["203.0.113.5"], "203.0.113.5"),
    ("10.0.0.1", ["::ffff:203.0.113.5"], "203.0.113.5"),
    ("fe80::1%eth0", [], "fe80::1"),
    ("10.0.0.1", ["203.0.113.5\r\nX: y"], "10.0.0.1"),
]


@pytest.mark.parametrize(("peer", "forwarded", "client"), CASES)
def test_the_first_address_from_the_right_that_is_not_ours_is_the_client(
    peer: str, forwarded: list[str], client: str
) -> None:
    assert str(resolve(peer, forwarded, OURS)) == client


@pytest.mark.parametrize("peer", [None, "", "unix"])
def test_without_a_socket_address_nobody_knows(peer: str | None) -> None:
    assert resolve(peer, ["203.0.113.5"], OURS) is None
