"""How much one connection, one account and one address may ask for. Pure: time is an argument."""

from collections import OrderedDict
from collections.abc import Hashable

from msgspec import Struct


class Rate(Struct, frozen=True):
    """``per_s`` in the long run, and up to ``burst`` at once."""

    per_s: float
    burst: float


class Bucket:
    """A token bucket: it fills by the rate, and each frame takes one."""

    __slots__ = ("_at_s", "_rate", "_tokens")

    def __init__(self, rate: Rate, now_s: float) -> None:
        self._rate, self._tokens, self._at_s = rate, rate.burst, now_s

    def take(self, now_s: float) -> bool:
        """Whether one more is allowed now; if so, it is counted."""
        rate = self._rate
        tokens = self._tokens + (now_s - self._at_s) * rate.per_s
        self._tokens = min(tokens, rate.burst)
        self._at_s = now_s
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Limits(Struct, frozen=True, kw_only=True):
    """The bounds of a gateway. Each figure has its reason.

    ``frames``: of one connection, pings among them. A person makes one or two a second; a page
    also samples time. ``account_frames``: of all connections of a bidder: a team with programs.
    ``address_frames``: of all who have not logged in, from one address: 500 guests of an office or
    of a mobile network who all come back at once.
    ``connections_per_account``, ``connections_per_address``: a team at its desks, and an office
    behind one address. ``subscribes``: of a connection, since an answer may be half a megabyte: a
    page that follows all it may at once, and then scrolls.
    ``bids_at_once``: of a connection, waiting for their verdicts.
    ``patience``: frames that came too fast until the connection is closed: at 200 a second that is
    after half a second, and a page that was held up for a moment is forgiven.
    """

    frames: Rate = Rate(20, 60)
    account_frames: Rate = Rate(100, 300)
    address_frames: Rate = Rate(1_000, 5_000)
    connections_per_account: int = 50
    connections_per_address: int = 500
    subscriptions: int = 32
    subscribes: Rate = Rate(2, 64)
    bids_at_once: int = 32
    patience: Rate = Rate(5, 100)


class Shared:
    """Buckets by key, of which the longest unused make room: at most ``MOST``."""

    MOST = 100_000

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._buckets: OrderedDict[Hashable, Bucket] = OrderedDict()

    def take(self, key: Hashable, now_s: float) -> bool:
        """Whether one more is allowed for this key."""
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = Bucket(self._rate, now_s)
            if len(self._buckets) > self.MOST:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(key)
        return bucket.take(now_s)


class Shares(Struct, frozen=True):
    """What connections have in common: the frames of an account, and of a guests' address."""

    accounts: Shared
    addresses: Shared

    @classmethod
    def within(cls, limits: Limits) -> "Shares":
        """For one gateway."""
        return cls(Shared(limits.account_frames), Shared(limits.address_frames))


class Counts:
    """How many connections each key has now."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._now: dict[Hashable, int] = {}

    def enter(self, key: Hashable) -> bool:
        """Count one more, if the bound allows it."""
        count = self._now.get(key, 0)
        if count >= self._most:
            return False
        self._now[key] = count + 1
        return True

    def leave(self, key: Hashable) -> None:
        """One that entered is gone."""
        count = self._now[key] - 1
        if count:
            self._now[key] = count
        else:
            del self._now[key]
