"""Whatever is asked of a life, in whatever order: it only moves by its table, and it ends."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.lives import AWARD_LIFE, PAYMENT_LIFE, IllegalMove, Life

LIVES: list[Life[Any]] = [PAYMENT_LIFE, AWARD_LIFE]


@given(st.sampled_from(LIVES), st.data())
def test_events_out_of_order_and_twice_do_no_harm(life: Life[Any], data: st.DataObject) -> None:
    state = life.start
    for asked in data.draw(st.lists(st.sampled_from(sorted(life.moves)), max_size=30)):
        if life.allows(state, asked):
            state = life.move(state, asked)
        else:
            with pytest.raises(IllegalMove):
                life.move(state, asked)
    assert state in life.moves
    # From wherever it came, there is a way to an end: the shortest is found breadth first.
    edge = [state]
    for _ in range(len(life.moves)):
        if any(life.is_over(each) for each in edge):
            return
        edge = sorted({after for each in edge for after in life.moves[each]})
    raise AssertionError(f"no way from {state} to an end")
