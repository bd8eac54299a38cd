"""What a run is about: its sales, who takes part, for how long, and what goes wrong."""

from random import Random
from typing import Final

from msgspec import Struct, structs

from auction.commands import ScheduleSale
from auction.ids import BidderId
from tests.simulation.faults import Fault, draw_faults
from tests.simulation.salerooms import BIDDERS, draw_audiences, draw_sales
from tests.simulation.simulated_log import START_US
from tests.simulation.weather import SECOND

# People act and faults begin for this long.
QUIET_US: Final = 60 * SECOND


class Scenario(Struct, frozen=True):
    """``ambient``: the share of calls to the log that go wrong even in good weather.

    ``seller_acts``: bidders are chosen, lots moved and sales cancelled too; else there is more of
    everything else. ``linger_s``: how long to go on after all is well again, for lots whose end was
    moved.
    """

    seed: int
    sales: list[ScheduleSale]
    bidders: tuple[BidderId, ...]
    faults: list[Fault]
    ambient: float = 0.0
    quiet_us: int = QUIET_US
    linger_s: float = 75.0
    seller_acts: bool = False

    def chance(self, name: str) -> Random:
        """A stream of chance of its own for each part, so that one does not shift another."""
        return Random(f"{self.seed} {name}")


def drawn(seed: int) -> Scenario:
    """Three sales, six bidders, up to eight faults in a minute."""
    return Scenario(
        seed,
        draw_audiences(Random(f"{seed} audiences"), draw_sales(Random(f"{seed} sales"))),
        BIDDERS,
        draw_faults(Random(f"{seed} faults"), QUIET_US),
        ambient=Random(f"{seed} ambient").choice((0.0, 0.0, 0.0, 0.02)),
        seller_acts=True,
    )


def killed_at(step: int) -> Scenario:
    """A short run of one sale, whose writer is killed at this step of its process."""
    return _short(Fault(0, "kill at a step", lasts_us=SECOND // 10, steps=step))


def frozen_at(step: int) -> Scenario:
    """The same, but the writer is stopped at this step, and goes on three seconds later."""
    return _short(Fault(0, "freeze at a step", lasts_us=3 * SECOND, steps=step))


def _short(fault: Fault, seed: int = 0) -> Scenario:
    sale = draw_sales(Random(f"{seed} sales"))[0]
    lots = [
        structs.replace(
            lot, opens_at_us=START_US, closes_at_us=START_US + (1 + n) * SECOND, latest_end_us=None
        )
        for n, lot in enumerate(sale.lots)
    ]
    return Scenario(
        seed,
        [structs.replace(sale, lots=tuple(lots))],
        BIDDERS[:3],
        [fault],
        quiet_us=5 * SECOND,
        linger_s=40.0,
    )
