"""What the engine is told about one reseller in one sale: admitted, on which terms, or barred.

Commands that say how things should be, made of the facts as they are now; see `registrar`.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Final, Protocol

import msgspec
import structlog
from msgspec import Struct

from accounts.clock import Clock
from accounts.directory import PersonEntry, Standing, people_of, standing_of
from accounts.ids import OrganisationId
from auction.budgets import AllInBudget, Budget, LotCountBudget, PersonCeiling
from auction.commands import Command, RegisterBidder, SetBudgets, SetLimit
from auction.ids import ActorId, BidderId, PersonId, SaleId
from auction.ports import Engine
from auction.rejections import Rejection
from auction.verdicts import Acceptance, Verdict
from bidder_gateway.folds import Folds, registration_in
from bidder_gateway.limit_shares import grant_minor
from bidder_gateway.refusals import MEANINGS, Refusal
from bidder_gateway.registration_rows import Key, Told, Wish, hold, lots_owed_no_more, parts_of
from foundation.database import Pool, transaction

ACTOR: Final = ActorId("registrar")
MAX_NAME: Final = 60  # of a budget

# The engine does not admit anew, and does not take back by itself what it admitted before.
_BARRING: Final = frozenset({Rejection.CERTIFICATE_REQUIRED, Rejection.DEPOSIT_REQUIRED})

_logger = structlog.get_logger(__name__)


class BidderTax(Struct, frozen=True):
    """The rate that a reseller's purchases in a sale bear; 0 with a certificate that is good."""

    tax_bps: int
    certificate: bool


class TaxRates(Protocol):
    """What sales tax a reseller bears in a sale."""

    async def of(self, standing: Standing, sale_id: SaleId, now_us: int) -> BidderTax:
        """At this time. Raises what the database raises."""
        ...


class NotAnswered(Exception):
    """The engine is busy or away, or the claim has run out: to be told later."""


class Telling:
    """Sends the commands that follow from a claimed row."""

    def __init__(
        self, pool: Pool, engine: Engine, folds: Folds, rates: TaxRates, clock: Clock
    ) -> None:
        self._pool, self._engine, self._folds = pool, engine, folds
        self._rates, self._clock = rates, clock

    async def tell(self, wish: Wish) -> Told:
        """Tell the engine; what it said. Raises `NotAnswered`, and what the database raises."""
        organisation_id, sale_id = wish.key
        if wish.closed:  # what is won and not paid for stays held
            held_minor = await self._exposure_minor(wish.key)
            return Told(code=Rejection.SALE_CLOSED, held_minor=held_minor)
        standing = await standing_of(self._pool, organisation_id)
        if standing is None or not standing.may_bid:
            return await self._bar(wish, Refusal.NOT_APPROVED, MEANINGS[Refusal.NOT_APPROVED])
        granted_minor = await self._hold(wish, standing)
        limits = [n for n in (wish.own_limit_minor, granted_minor) if n is not None]
        limit_minor = min(limits, default=None)
        tax = await self._rates.of(standing, sale_id, self._clock())
        register = RegisterBidder(
            sale_id=sale_id,
            bidder_id=BidderId(organisation_id),
            terms_version=wish.terms_version,
            restrictions=wish.restrictions,
            deposit_minor=wish.deposit_minor,
            limit_minor=limit_minor,
            tax_bps=tax.tax_bps,
            certificate=tax.certificate,
        )
        verdict = await self._submit(wish, register)
        if not verdict.accepted:
            return await self._not_admitted(wish, verdict)
        if limit_minor is None and wish.told_before:
            # Without a limit the command above leaves the one that the engine has.
            await self._submit(wish, _limit(wish.key, None))
        told = Told(code=Acceptance.ACCEPTED, limit_minor=limit_minor)
        await self._tell_budgets(wish, told)
        if granted_minor is not None:
            told.held_minor = await self._still_held(wish, granted_minor)
        return told

    # The part of the whole limit.

    async def _hold(self, wish: Wish, standing: Standing) -> int | None:
        """Take this sale's part of the whole before the engine is told; ``None``: no whole."""
        whole_minor = standing.limit_minor
        if whole_minor is None:
            return None
        if standing.currency != wish.terms.currency:
            # The whole cannot be counted in this currency: the sale needs a limit of its own.
            return None if wish.own_limit_minor is not None else 0
        async with transaction(self._pool) as connection:
            parts = await parts_of(connection, wish.key[0])
            granted_minor = grant_minor(whole_minor, parts, wish.key[1])
            if wish.own_limit_minor is not None:
                granted_minor = min(granted_minor, wish.own_limit_minor)
            held_minor = next(part.held_minor for part in parts if part.sale_id == wish.key[1])
            if granted_minor > held_minor:
                await hold(connection, wish.key, granted_minor)
        return granted_minor

    async def _still_held(self, wish: Wish, limit_minor: int) -> int:
        """What the sale takes of the whole now that the engine keeps this limit."""
        if limit_minor >= wish.held_minor:
            return limit_minor
        return max(limit_minor, await self._exposure_minor(wish.key))

    async def _exposure_minor(self, key: Key) -> int:
        """What is led, or won and still to be paid."""
        organisation_id, sale_id = key
        registration = await registration_in(self._folds, sale_id, BidderId(organisation_id))
        if registration is None:
            return 0
        gone = await lots_owed_no_more(self._pool, key)
        return registration.exposure_minor - sum(registration.weights.get(lot, 0) for lot in gone)

    # Not admitted.

    async def _not_admitted(self, wish: Wish, verdict: Verdict) -> Told:
        if verdict.code in _BARRING:
            told = await self._bar(wish, verdict.code, verdict.message)
        else:
            held_minor = await self._exposure_minor(wish.key)
            told = Told(code=verdict.code, message=verdict.message, held_minor=held_minor)
        told.minimum_minor = verdict.minimum_minor
        return told

    async def _bar(self, wish: Wish, code: str, message: str) -> Told:
        """Let no further bid pass of who was admitted before. What stands, stands."""
        verdict = await self._submit(wish, _limit(wish.key, 0))
        if verdict.code is Rejection.NOT_REGISTERED:
            return Told(code=code, message=message)
        held_minor = await self._still_held(wish, 0)
        return Told(code=code, message=message, limit_minor=0, held_minor=held_minor)

    # Budgets.

    async def _tell_budgets(self, wish: Wish, told: Told) -> None:
        """The reseller's own budgets, and the ceilings of its people, if either is news."""
        organisation_id, sale_id = wish.key
        people = await people_of(self._pool, organisation_id)
        told.ceilings = ceilings_by_team(people).get(organisation_id, {})
        told.budgets_sha256 = wish.budgets_sha256
        if wish.budgets is None and told.ceilings == wish.ceilings:
            return
        own = await self._kept(wish) if wish.budgets is None else wish.budgets
        command = SetBudgets(
            sale_id=sale_id,
            bidder_id=BidderId(organisation_id),
            budgets=(*own, *_person_ceilings(people, own)),
            actor_id=ActorId(wish.budgets_by or ACTOR),
        )
        verdict = await self._submit(wish, command)
        told.budgets_code, told.budgets_message = verdict.code, verdict.message
        if verdict.accepted:
            told.budgets_told, told.budgets_sha256 = True, budgets_digest(own)
        else:  # it is tried again: a ceiling that nobody keeps must not go unnoticed
            told.ceilings = wish.ceilings
            _logger.warning("budgets_refused", sale_id=sale_id, code=verdict.code)

    async def _kept(self, wish: Wish) -> tuple[Budget, ...]:
        """The own budgets that the engine has; its state here may be moments behind."""
        organisation_id, sale_id = wish.key
        inside = await registration_in(self._folds, sale_id, BidderId(organisation_id))
        kept = () if inside is None else own_budgets(inside.budgets)
        if budgets_digest(kept) != wish.budgets_sha256:
            raise NotAnswered
        return kept

    async def _submit(self, wish: Wish, command: Command) -> Verdict:
        if self._clock() >= wish.until_us:  # somebody else may be telling
            raise NotAnswered
        verdict = await self._engine.submit(command)
        if verdict.code in (Rejection.BUSY, Rejection.UNAVAILABLE):
            raise NotAnswered
        return verdict


def own_budgets(budgets: Iterable[Budget]) -> tuple[LotCountBudget | AllInBudget, ...]:
    """Those that a reseller set itself, without the ceilings of its people."""
    return tuple(budget for budget in budgets if not isinstance(budget, PersonCeiling))


def budgets_digest(own: Sequence[Budget]) -> bytes | None:
    """By which budgets are known again that are kept elsewhere; ``None`` for none."""
    return sha256(msgspec.json.encode(own)).digest() if own else None


def ceilings_by_team(
    people: Iterable[PersonEntry],
) -> Mapping[OrganisationId, Mapping[str, int]]:
    """The ceilings of those who have one, by organisation and person."""
    ceilings: dict[OrganisationId, dict[str, int]] = {}
    for person in people:
        if person.ceiling_minor is not None:
            team = ceilings.setdefault(person.organisation_id, {})
            team[person.person_id] = person.ceiling_minor
    return ceilings


def _person_ceilings(
    people: Iterable[PersonEntry], own: Iterable[Budget]
) -> Iterable[PersonCeiling]:
    """As budgets; two people of one name are told apart by a number."""
    taken = {budget.name for budget in own}
    for person in people:
        if person.ceiling_minor is None:
            continue
        name, number = person.name[:MAX_NAME], 1
        while name in taken:
            number += 1
            name = f"{person.name[: MAX_NAME - 10]} ({number})"
        taken.add(name)
        yield PersonCeiling(
            name=name, person_id=PersonId(person.person_id), at_most_minor=person.ceiling_minor
        )


def _limit(key: Key, limit_minor: int | None) -> SetLimit:
    organisation_id, sale_id = key
    return SetLimit(
        sale_id=sale_id,
        bidder_id=BidderId(organisation_id),
        limit_minor=limit_minor,
        actor_id=ACTOR,
    )
