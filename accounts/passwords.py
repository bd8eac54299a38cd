"""Passwords: hashed with Argon2id, off the event loop, a bounded number at a time.

Work that everybody can ask for without signing in must not take the processor from those who
bid. So there is one thread for it and a short queue; beyond the queue the answer is BUSY. A hash
takes some 25 ms and 19 MiB (the first choice of the OWASP cheat sheet for Argon2id), so the queue
is at most half a second long.
"""

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Final, TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from accounts.refusals import Refusal, Refused

THREADS: Final = 1
WAITING: Final = 20
BUSY_FOR_S: Final = 2

SHORTEST, LONGEST = 12, 128

T = TypeVar("T")


@cache
def production_hasher() -> PasswordHasher:
    """Argon2id with m = 19 MiB, t = 2, p = 1."""
    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID)


@cache
def _nobodys(hasher: PasswordHasher) -> str:
    return hasher.hash("nobody has this password")


class Passwords:
    """Hashes and verifies. Close it when done."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or production_hasher()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="argon2")
        self._waiting = 0
        # What an unknown address is verified against, at the same cost. Fits no password.
        self._nobody = _nobodys(self._hasher)
        # How often was verified: for tests, which must not compare durations.
        self.verified = 0

    async def hash(self, password: str) -> str:
        """What is kept of a password. Raises `Refused` BUSY."""
        return await self._off_the_loop(lambda: self._hasher.hash(_bytes(password)))

    async def fits(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is the one that was hashed; the same work where there is none.

        Raises `Refused` BUSY.
        """
        known = password_hash or self._nobody
        fits = await self._off_the_loop(lambda: self._verify(known, password))
        return fits and password_hash is not None

    def outdated(self, password_hash: str) -> bool:
        """Whether it was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(password_hash)

    def close(self) -> None:
        """Give the thread back; what it is doing is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _verify(self, password_hash: str, password: str) -> bool:
        self.verified += 1
        try:
            return self._hasher.verify(password_hash, _bytes(password))
        except (VerificationError, InvalidHashError):
            return False

    async def _off_the_loop(self, work: Callable[[], T]) -> T:
        if self._waiting >= WAITING:
            raise Refused(Refusal.BUSY, retry_after_s=BUSY_FOR_S)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1


def check_password(password: str, *names: str) -> None:
    """Whether somebody may have this password, who goes by these names and addresses.

    Raises `Refused`. Long and not guessable is all that is asked (NIST SP 800-63B): no rules about
    digits and signs, which make passwords that people write down and programs guess.
    """
    length = len(password)
    if length < SHORTEST:
        raise Refused(Refusal.PASSWORD_TOO_SHORT, field="password")
    if length > LONGEST:
        raise Refused(Refusal.PASSWORD_TOO_LONG, field="password")
    plain = _letters_and_digits(password)
    if _is_common(plain):
        raise Refused(Refusal.PASSWORD_TOO_COMMON, field="password")
    for part in _parts(names):
        if len(plain.replace(part, "")) < SHORTEST // 2:
            raise Refused(Refusal.PASSWORD_NAMES_YOU, field="password")


# What remains of the passwords that are tried first, once digits, signs and repetitions that
# were added to make them long enough are taken off.
_COMMON_STEMS: Final = (
    "password",
    "passwort",
    "passw0rd",
    "qwertyuiop",
    "qwerty",
    "asdfghjkl",
    "zxcvbnm",
    "iloveyou",
    "letmein",
    "welcome",
    "administrator",
    "admin",
    "changeme",
    "football",
    "baseball",
    "sunshine",
    "princess",
    "superman",
    "trustno1",
    "abcdefghijkl",
    "abc",
    "secret",
    "softclose",
    "auction",
    "liquidation",
    "pallet",
)
_ROWS: Final = "01234567890123456789 98765432109876543210 abcdefghijklmnopqrstuvwxyz"


def _is_common(plain: str) -> bool:
    if len(set(plain)) < 5 or plain in _ROWS:
        return True
    half = plain[: len(plain) // 2]
    if half and plain == half * 2 and len(half) < SHORTEST:
        return True
    rest = plain
    for stem in _COMMON_STEMS:
        rest = rest.replace(stem, "")
    return rest != plain and len(rest.strip("0123456789")) < 4


def _parts(names: tuple[str, ...]) -> list[str]:
    words = (_letters_and_digits(part) for name in names for part in name.split("@")[:1])
    return [word for word in words if len(word) >= 4]


def _letters_and_digits(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in folded if c.isalnum()) or folded


def _bytes(password: str) -> bytes:
    """The same for however a keyboard composes accents; cut where no password of ours goes on."""
    return unicodedata.normalize("NFKC", password)[:1_000].encode(errors="replace")
