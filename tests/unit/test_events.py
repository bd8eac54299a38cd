from auction.codec import _Header
from auction.events import EVENT_TYPES, LOT_ENDINGS, PRIVATE_FIELDS, lot_of
from tests.samples import LOT, SAMPLES


def test_an_event_is_tagged_with_its_name_in_snake_case() -> None:
    for tag, kind in EVENT_TYPES.items():
        words = "".join(f"_{c.lower()}" if c.isupper() else c for c in kind.__name__)
        assert tag == words.strip("_")


def test_no_field_of_an_event_bears_the_name_of_a_header() -> None:
    for kind in EVENT_TYPES.values():
        assert not set(_Header.__struct_fields__) & set(kind.__struct_fields__), kind


def test_every_field_of_a_private_event_has_its_audience() -> None:
    for kind in EVENT_TYPES.values():
        if not kind.PUBLIC:
            assert set(PRIVATE_FIELDS[kind]) == set(kind.__struct_fields__), kind


def test_a_public_event_has_something_to_show_or_nothing_but_its_actor() -> None:
    public = [kind for kind in EVENT_TYPES.values() if kind.PUBLIC]
    bare = [kind for kind in public if set(PRIVATE_FIELDS[kind]) == set(kind.__struct_fields__)]
    assert [kind.__name__ for kind in bare] == ["SaleResumed"]


def test_three_events_end_a_lot() -> None:
    assert {kind.__name__ for kind in LOT_ENDINGS} == {"LotSold", "LotPassed", "LotWithdrawn"}


def test_an_event_is_about_its_lot_or_about_the_sale() -> None:
    of_the_sale = {type(event).__name__ for event in SAMPLES if lot_of(event) is None}
    assert of_the_sale == {
        "SaleScheduled",
        "LotsRescheduled",
        "BiddersAdmitted",
        "BiddersDismissed",
        "BidderRegistered",
        "LimitChanged",
        "BudgetsSet",
        "EndsMoved",
        "SaleCancelled",
        "SalePaused",
        "SaleResumed",
        "SaleClosed",
    }
    assert {lot_of(event) for event in SAMPLES} == {LOT, None}


def test_there_is_a_sample_of_every_type() -> None:
    assert [type(event) for event in SAMPLES] == list(
        dict.fromkeys(type(event) for event in SAMPLES)
    )
    assert {type(event) for event in SAMPLES} == set(EVENT_TYPES.values())
