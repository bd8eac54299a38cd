"""Reads the tape of a run from its start, and says which invariants it breaks.

The numbers are those of the reliability page. The engine's rules are not called: its events are
decoded, and everything that follows from them is worked out anew by the ``model``.
"""

from operator import itemgetter
from typing import Any

from auction.codec import Recorded, decode_body
from auction.ids import SaleId, Shard
from auction.ports import LoggedEvent
from tests.simulation.answers import Answers
from tests.simulation.chain import Chain
from tests.simulation.model import Sale
from tests.simulation.outages import Outages
from tests.simulation.owners import Owners
from tests.simulation.tape import Call, Tape

Finding = tuple[str, str]


def check(tape: Tape) -> list[Finding]:
    """(invariant, what was seen) for everything that must not be."""
    return _Checker(tape).run()


class _Checker:
    """One sweep over everything that happened, in order."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._findings: list[Finding] = []
        self.sales: dict[SaleId, Sale] = {}
        self._chain = Chain(self._report)
        self._owners = Owners(self._report)
        self._outages = Outages(tape, self.sales, self._owners, self._report)
        self._answers = Answers(tape, self.sales, self._owners, self._report)
        self._heights: dict[Shard, int] = {}
        self._last_at: dict[Shard, int] = {}

    def run(self) -> list[Finding]:
        for _, happened, what in sorted(self._moments(), key=itemgetter(0)):
            happened(what)
        for sale in self.sales.values():
            for expected in sale.expected:
                self._report("I9", f"sale {sale.sale_id}: {expected} never came")
            if sale.going:
                self._report("I10", f"sale {sale.sale_id}: {sale.going} never went with it")
        self._outages.at_the_end()
        return self._findings

    def _moments(self) -> list[tuple[int, Any, Any]]:
        tape = self._tape
        moments: list[tuple[int, Any, Any]] = []
        moments += [(call.effect_no, self._effect, call) for call in tape.calls if call.effect_no]
        moments += [(ready.no, self._outages.ready, ready) for ready in tape.readies]
        moments += [(attempt.no, self._answers.asked, attempt) for attempt in tape.attempts]
        moments += [
            (attempt.answer_no, self._answers.answered, attempt)
            for attempt in tape.attempts
            if attempt.answer_no
        ]
        moments += [(said.no, self._answers.published, said) for said in tape.published]
        return moments

    def _effect(self, call: Call) -> None:
        if call.kind == "take":
            self._owners.took(call)
        elif call.kind == "let_go":
            self._owners.let_go(call)
        elif call.kind in ("append", "beat"):
            self._written(call)
            self._owners.signed(call)
            self._outages.signed(call)

    def _written(self, call: Call) -> None:
        for shard, (before, after) in call.shards.items():
            for logged in self._tape.written.get(shard, [])[before:after]:
                self._event(shard, logged, call)

    def _event(self, shard: Shard, logged: LoggedEvent, call: Call) -> None:
        height = self._heights.get(shard, 0)
        if logged.position != height + 1:
            self._report("I4", f"shard {shard}: position {logged.position} after {height}")
        self._heights[shard] = logged.position
        recorded = decode_body(logged.position, logged.body)
        if recorded.at_us < self._last_at.get(shard, 0):
            self._report("I23", f"shard {shard}: time falls at position {logged.position}")
        self._last_at[shard] = recorded.at_us
        self._owners.wrote(shard, logged, call)
        self._chain.next(recorded)
        self._follow(shard, logged, recorded, call)

    def _follow(self, shard: Shard, logged: LoggedEvent, recorded: Recorded, call: Call) -> None:
        sale = self.sales.get(recorded.sale_id)
        if sale is None:
            sale = self.sales[recorded.sale_id] = Sale(recorded.sale_id, self._report)
        self._outages.before(shard, logged, recorded, sale, call)
        self._answers.before(recorded, sale)
        sale.follow(recorded.event, recorded.at_us, recorded.position, call.effect_no)
        self._answers.after(shard, recorded, sale)

    def _report(self, invariant: str, text: str) -> None:
        self._findings.append((invariant, text))
