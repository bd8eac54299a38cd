"""Password hashing: off the event loop, bounded, and the same work for nobody."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from accounts import passwords
from accounts.passwords import Passwords, production_hasher
from accounts.refusals import Refusal, Refused
from tests.accounts import PASSWORD, cheap_hasher


@pytest.fixture
def hashing() -> Iterator[Passwords]:
    made = Passwords(cheap_hasher())
    yield made
    made.close()


async def test_only_the_password_that_was_hashed_fits(hashing: Passwords) -> None:
    known = await hashing.hash(PASSWORD)
    assert known.startswith("$argon2id$")
    assert PASSWORD not in known
    assert await hashing.fits(known, PASSWORD)
    assert not await hashing.fits(known, f"{PASSWORD} ")
    assert await hashing.hash(PASSWORD) != known  # salted


async def test_nothing_fits_nobody_at_the_same_cost(hashing: Passwords) -> None:
    for password in (PASSWORD, "", "nobody has this password"):
        assert not await hashing.fits(None, password)
    assert hashing.verified == 3


async def test_what_is_no_hash_fits_nothing(hashing: Passwords) -> None:
    for broken in ("x", "$argon2id$v=19$m=8", "$2b$12$abcdefghijklmnopqrstuv"):
        assert not await hashing.fits(broken, PASSWORD)


async def test_accents_fit_however_a_keyboard_composes_them(hashing: Passwords) -> None:
    known = await hashing.hash("caf\u00e9 au lait, deux")
    assert await hashing.fits(known, "cafe\u0301 au lait, deux")


async def test_beyond_a_short_queue_it_is_busy(hashing: Passwords) -> None:
    known, gate = await hashing.hash(PASSWORD), threading.Event()
    blocked = asyncio.get_running_loop().run_in_executor(hashing._threads, gate.wait)
    waiting = [asyncio.create_task(hashing.fits(known, PASSWORD)) for _ in range(passwords.WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(Refused) as caught:
        await hashing.fits(known, PASSWORD)
    assert caught.value.refusal is Refusal.BUSY
    assert caught.value.retry_after_s > 0
    gate.set()
    await blocked
    assert all(await asyncio.gather(*waiting))
    assert await hashing.fits(known, PASSWORD)  # there is room again


async def test_the_loop_goes_on_while_a_password_is_hashed(hashing: Passwords) -> None:
    gate = threading.Event()
    blocked = asyncio.get_running_loop().run_in_executor(hashing._threads, gate.wait)
    hashed = asyncio.create_task(hashing.hash(PASSWORD))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not hashed.done()
    gate.set()
    await blocked
    await hashed


async def test_a_hash_of_other_parameters_is_outdated(hashing: Passwords) -> None:
    assert not hashing.outdated(await hashing.hash(PASSWORD))
    assert hashing.outdated("$argon2id$v=19$m=16,t=1,p=1$c29tZXNhbHQxMjM0$c29tZWhhc2gxMjM0NTY")


def test_in_production_a_hash_takes_memory() -> None:
    hasher = production_hasher()
    assert (hasher.memory_cost, hasher.time_cost, hasher.parallelism) == (19 * 1024, 2, 1)
