"""Addresses that strangers give us: what is talked to, and what never."""

from ipaddress import ip_address
from typing import Any

import pytest

from foundation.outbound import AddressRefused, NoAnswer, Outbound, is_public

PUBLIC = ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "64:ff9b::808:808", "2002:808:808::1"]
OURS = [
    "127.0.0.1",
    "127.8.9.10",
    "0.0.0.0",  # noqa: S104 - refused
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",  # a cloud's metadata
    "100.64.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fec0::1",
    "fc00::1",
    "fd12:3456::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1",
    "::127.0.0.1",
    "::ffff:0:a9fe:a9fe",
    "2002:7f00:1::1",
    "2002:a00:1::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_anybody_may_be_there(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("address", OURS)
def test_only_we_reach_that(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://push.example.com/x",
        "ftp://push.example.com/x",
        "file:///etc/passwd",
        "https:///x",
        "https://",
        "push.example.com",
        "",
        "https://user:password@push.example.com/x",
        "https://user@push.example.com/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://[::ffff:127.0.0.1]/x",
        "https://[fe80::1%25eth0]/x",
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.1:8443/x",
        "https://push.example.com:99999/x",
        "https://push.example.com\\@127.0.0.1/x",
        "https://push.example.com/ x\r\nHost: other",
        "https://pusch.exämple/x",
        "https://push.example.com/" + "x" * 2_000,
    ],
)
async def test_what_is_never_asked(url: str) -> None:
    async with Outbound() as outbound:
        for asked in (outbound.check(url), outbound.post(url, b"", {})):
            with pytest.raises(AddressRefused):
                await asked


@pytest.mark.parametrize(
    "url",
    [
        "https://localhost/x",
        "https://localhost./x",
        "https://2130706433/x",
        "https://0x7f000001/x",
        "https://0177.0.0.1/x",
        "https://127.1/x",
        "https://0/x",
    ],
)
async def test_a_name_that_leads_to_us_is_not_asked(url: str) -> None:
    async with Outbound() as outbound:
        with pytest.raises((AddressRefused, NoAnswer)):
            await outbound.check(url)
        with pytest.raises((AddressRefused, NoAnswer)):
            await outbound.post(url, b"", {})


async def test_what_is_connected_to_is_what_was_looked_at(monkeypatch: Any) -> None:
    """A name that leads elsewhere at the second look is looked at again, and refused."""
    answers = [["8.8.8.8"], ["127.0.0.1"]]

    async def resolve(_self: object, host: str, port: int = 0, family: int = 0) -> Any:
        return [
            {"hostname": host, "host": one, "port": port, "family": family, "proto": 0, "flags": 0}
            for one in answers.pop(0)
        ]

    monkeypatch.setattr("foundation.outbound.ThreadedResolver.resolve", resolve)
    async with Outbound() as outbound:
        await outbound.check("https://push.example.com/x")
        with pytest.raises(AddressRefused):
            await outbound.post("https://push.example.com/x", b"", {})
    assert not answers


async def test_one_bad_address_among_good_ones_is_enough(monkeypatch: Any) -> None:
    async def resolve(_self: object, host: str, port: int = 0, family: int = 0) -> Any:
        return [
            {"hostname": host, "host": one, "port": port, "family": family, "proto": 0, "flags": 0}
            for one in ("8.8.8.8", "10.0.0.1")
        ]

    monkeypatch.setattr("foundation.outbound.ThreadedResolver.resolve", resolve)
    async with Outbound() as outbound:
        with pytest.raises(AddressRefused):
            await outbound.check("https://push.example.com/x")
