"""Which engine shall own which shard."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from auction.ids import Shard
from auction.leases import Lease, Member, View
from auction.shard_plan import plan

NAMES = ["a", "b", "c", "d", "e"]
SHARDS = 64


def a_member(name: str, *, draining: bool = False) -> Member:
    return Member(name, 0, 1_000_000, alone=False, draining=draining, joined_at_us=0, beat_age_us=0)


def a_view(
    engines: list[Member],
    wanted: dict[int, str] | None = None,
    pins: dict[int, str] | None = None,
    owners: dict[int, str] | None = None,
) -> View:
    leases = [
        Lease(
            Shard(number),
            (owners or {}).get(number),
            epoch=0,
            position=0,
            free=True,
            wanted=(wanted or {}).get(number),
            warm=None,
            pin=(pins or {}).get(number),
        )
        for number in range(SHARDS)
    ]
    return View(0, tuple(engines), tuple(leases))


def counts(planned: dict[Shard, str | None]) -> Counter[str | None]:
    return Counter(planned.values())


def test_without_engines_nobody_shall_own_anything() -> None:
    assert counts(plan(a_view([]))) == {None: SHARDS}


def test_one_engine_owns_all() -> None:
    assert counts(plan(a_view([a_member("a")]))) == {"a": SHARDS}


def test_a_second_engine_gets_half_of_them_and_the_others_stay() -> None:
    before = plan(a_view([a_member("a")]))
    after = plan(a_view([a_member("a"), a_member("b")], {s: n for s, n in before.items() if n}))
    assert counts(after) == {"a": 32, "b": 32}


def test_a_dead_engines_shards_are_spread_and_no_other_moves() -> None:
    wanted = {number: NAMES[number % 3] for number in range(SHARDS)}
    after = plan(a_view([a_member("a"), a_member("b")], wanted))
    assert counts(after) == {"a": 32, "b": 32}
    assert all(after[Shard(s)] == name for s, name in wanted.items() if name != "c")


def test_a_pinned_shard_goes_there_and_stays_there() -> None:
    pins = dict.fromkeys(range(40), "b")
    after = plan(a_view([a_member("a"), a_member("b")], pins=pins))
    assert counts(after) == {"b": 40, "a": 24}
    assert {after[Shard(number)] for number in range(40)} == {"b"}


def test_a_pin_to_who_is_gone_binds_nobody() -> None:
    after = plan(a_view([a_member("a")], pins={3: "gone"}))
    assert counts(after) == {"a": SHARDS}


def test_an_engine_that_drains_gets_nothing() -> None:
    after = plan(
        a_view([a_member("a", draining=True), a_member("b")], dict.fromkeys(range(64), "a"))
    )
    assert counts(after) == {"b": SHARDS}


def test_an_owner_that_was_never_planned_keeps_its_shards() -> None:
    owners = {number: NAMES[number % 2] for number in range(SHARDS)}
    after = plan(a_view([a_member("a"), a_member("b")], owners=owners))
    assert after == {Shard(number): name for number, name in owners.items()}


@given(
    st.sets(st.sampled_from(NAMES), min_size=1),
    st.dictionaries(st.integers(0, SHARDS - 1), st.sampled_from(NAMES)),
)
def test_every_plan_is_even_stays_and_moves_no_shard_without_need(
    here: set[str], wanted: dict[int, str]
) -> None:
    engines = [a_member(name) for name in sorted(here)]
    after = plan(a_view(engines, wanted))
    held = counts(after)
    assert set(held) <= here
    assert max(held.values()) - min(held.get(name, 0) for name in here) <= 1
    again = plan(a_view(engines, {s: name for s, name in after.items() if name}))
    assert again == after
    most = -(-SHARDS // len(here))
    kept = Counter(n for s, n in wanted.items() if n in here and after[Shard(s)] == n)
    had = Counter(name for name in wanted.values() if name in here)
    least = SHARDS // len(here)
    assert all(kept[name] >= min(had[name], least) for name in here), (kept, had, most)
