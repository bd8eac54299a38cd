"""The audit of random sales: silent about what the engine did, and about nothing else."""

from random import Random
from typing import Any

from hypothesis import given, note, settings
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from auction.audit import ShardAudit
from auction.audit_export import Export, PublicAudit, PublicSummary
from auction.audit_findings import Finding
from auction.chain import body_of
from auction.codec import Recorded
from auction.events import AnyEvent, EndsMoved
from auction.ids import BidderId
from auction.ports import LoggedEvent
from auction.pricing import ReserveStatus
from auction.terms import SaleAudience
from tests.builders import SALE
from tests.forgery import SHARD, Story, Told, sealed
from tests.property.scenarios import (
    BIDDERS,
    COMBINATIONS,
    Step,
    all_terms,
    listings,
    schedule,
    steps,
)
from tests.property.test_against_model import Twins, play


def audit(log: list[LoggedEvent]) -> list[Finding]:
    shard = ShardAudit(SHARD)
    return [f for logged in log for f in shard.check(logged)] + shard.end(len(log))


def public_audit(recorded: list[Recorded], owner: str) -> PublicSummary:
    """What an outsider, or the owner, finds in an export."""
    exported, public = Export(SALE, BidderId(owner)), PublicAudit()
    public.check(exported.start())
    for event in recorded:
        for line in exported.lines(event):
            public.check(line)
    public.check(exported.end())
    return public.finish()


def a_sale(data: st.DataObject) -> list[Recorded]:
    combination = data.draw(st.sampled_from(COMBINATIONS), "combination")
    terms = data.draw(all_terms(*combination), "terms")
    audience = data.draw(st.sampled_from(SaleAudience), "audience")
    twins = Twins(schedule(terms, data.draw(listings(), "lots"), audience))
    scenario: list[Step] = data.draw(steps, "steps")
    play(scenario, twins)
    return twins.recorded


def logged(recorded: list[Recorded]) -> list[LoggedEvent]:
    return [LoggedEvent(SHARD, r.position, 1, SALE, body_of(r)) for r in recorded]


@settings(max_examples=40, deadline=None, print_blob=True)
@given(data=st.data())
def test_nothing_is_found_in_a_sale_that_happened(data: st.DataObject) -> None:
    recorded = a_sale(data)
    assert audit(logged(recorded)) == []
    for bidder in BIDDERS:
        assert public_audit(recorded, bidder).findings == ()


@settings(max_examples=40, deadline=None, print_blob=True)
@given(data=st.data(), seed=st.integers(0, 2**32))
def test_a_changed_byte_is_found_wherever_it_is(data: st.DataObject, seed: int) -> None:
    log, draw = logged(a_sale(data)), Random(seed)
    for _ in range(5):
        at = draw.randrange(len(log))
        body = bytearray(log[at].body)
        body[draw.randrange(len(body))] ^= draw.randrange(1, 256)
        changed = [*log[:at], replace(log[at], body=bytes(body)), *log[at + 1 :]]
        assert audit(changed), at


# Figures that follow from what was before them, so that each has one right value.
FOLLOWING = (
    "price_minor",
    "next_minimum_minor",
    "bid_count",
    "paddle",
    "leader",
    "reserve",
    "extensions",
    "final",
    "ends",
    "until_us",
    "hammer_price_minor",
    "allocations",
    "winners",
    "sold",
    "passed",
    "withdrawn",
)


def twisted(name: str, value: Any, draw: Random) -> Any:
    """Another value of the same kind; the same where there is none."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return max(0, value + draw.choice([-100_00, -1, 1, 100_00]))
    if name == "reserve":
        return draw.choice(list(ReserveStatus))
    return () if name in ("ends", "allocations", "winners") else value


def is_unbound(event: AnyEvent) -> bool:
    """An outage by a clock that stood still: how far it moves the ends, the log does not tell."""
    return isinstance(event, EndsMoved) and event.dark_us == 0


@settings(max_examples=40, deadline=None, print_blob=True)
@given(data=st.data(), seed=st.integers(0, 2**32))
def test_a_figure_that_is_told_otherwise_is_found(data: st.DataObject, seed: int) -> None:
    """Sealed anew with the sale's secret: numbers, commitments and hashes fit."""
    story: Story = [Told(r.at_us, r.event) for r in a_sale(data)]
    draw = Random(seed)
    for at, told in draw.sample(list(enumerate(story)), min(8, len(story))):
        fields = {name: value for name, value in asdict(told.event).items() if name in FOLLOWING}
        if not fields or is_unbound(told.event):
            continue
        name = draw.choice(sorted(fields))
        value = twisted(name, fields[name], draw)
        if value == fields[name]:
            continue
        note(f"{at}: {name} of {told.event} is {value}")
        forged = told._replace(event=replace(told.event, **{name: value}))
        assert audit(sealed([*story[:at], forged, *story[at + 1 :]]))


@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_the_forgers_pen_writes_what_the_engine_wrote(data: st.DataObject) -> None:
    """So that the test above forges one thing at a time."""
    recorded = a_sale(data)
    assert sealed([Told(r.at_us, r.event) for r in recorded]) == logged(recorded)
