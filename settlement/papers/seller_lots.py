"""A lot on a seller's statement: what was booked of it, or what the rules would release of it.

Pure. A lot comes as a row of the results with the consignor's papers, and its award as it stands.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import asyncpg
from msgspec import Struct

from auction.consignment import AgreementTerms, Bearer, unsold_share
from settlement.ids import AwardId
from settlement.lives import AwardState
from settlement.papers.contents import Load, Outcome, SoldLot
from settlement.policy import Commission
from settlement.releases import Consigned, ConsignorPart, consignor_part
from settlement.rows import AwardRow


class Flows(Struct, frozen=True):
    """What the ledger booked of an award."""

    released: bool = False
    credited_minor: int = 0
    commission_minor: int = 0
    consignor_minor: int = 0


class Agreed(Struct, frozen=True):
    """By which the parts of what is not released yet are computed."""

    commission: Commission
    agreed: Mapping[tuple[str, int], AgreementTerms]
    payment_minor: Mapping[AwardId, int] = {}  # what taking the buyers' money has cost


def sold_lots(
    lots: Iterable[asyncpg.Record],
    awards: Sequence[AwardRow],
    flows: Mapping[str, Flows],
    seller: Agreed,
) -> list[SoldLot]:
    """A row for each award of a lot, and one for a lot that was not sold."""
    of: dict[tuple[str, str], list[AwardRow]] = {}
    for award in awards:
        of.setdefault((award.sale_id, award.lot_id), []).append(award)
    shown = []
    for row in lots:
        made = of.get((row["sale_id"], row["lot_id"]), [])
        shown += [of_liquidator(row, award, flows, seller) for award in made]
        if not made:
            shown.append(_unsold(row))
    return shown


def loads(
    lots: Sequence[asyncpg.Record],
    awards: Sequence[AwardRow],
    flows: Mapping[str, Flows],
    seller: Agreed,
) -> list[Load]:
    last: dict[tuple[str, str], AwardRow] = {
        (award.sale_id, award.lot_id): award
        for award in awards  # the last generation counts
    }
    loads: dict[tuple[str, str, str], list[SoldLot]] = {}
    for row in lots:
        award = last.get((row["sale_id"], row["lot_id"]))
        line = (
            _consigned_unsold(row, seller)
            if award is None
            else of_consignor(row, award, flows, seller)
        )
        loads.setdefault((row["load"], row["purchase_order"], row["rma"]), []).append(line)
    return [
        Load(load=load, purchase_order=order, rma=rma, lots=tuple(lines))
        for (load, order, rma), lines in loads.items()
    ]


def of_liquidator(
    row: asyncpg.Record, award: AwardRow, flows: Mapping[str, Flows], seller: Agreed
) -> SoldLot:
    ended = _ended(row, award)
    if ended is not None:
        return ended
    flow, hammer = flows.get(award.award_id, Flows()), award.award.hammer_minor
    if flow.released:
        commission, consignor = flow.commission_minor, flow.consignor_minor
    else:
        commission = seller.commission.of_minor(hammer - flow.credited_minor)
        consigned = _consigned(row, award, seller)
        consignor = 0
        if consigned is not None:
            part = consignor_part(consigned, hammer, flow.credited_minor)
            consignor = max(0, part.net_minor)
    return SoldLot(
        lot=award.goods.number,
        title=award.goods.title,
        outcome=Outcome.RELEASED if flow.released else Outcome.SOLD,
        hammer_minor=hammer,
        credited_minor=flow.credited_minor,
        commission_minor=commission,
        others_minor=consignor,
        note="taken by the runner-up" if award.generation > 1 else "",
    )


def of_consignor(
    row: asyncpg.Record, award: AwardRow, flows: Mapping[str, Flows], seller: Agreed
) -> SoldLot:
    """By the agreement, whose computation pays."""
    ended = _ended(row, award)
    consigned = _consigned(row, award, seller)
    if ended is not None or consigned is None:
        return ended or _unsold(row)
    flow, hammer = flows.get(award.award_id, Flows()), award.award.hammer_minor
    part = consignor_part(consigned, hammer, flow.credited_minor)
    share, terms = part.share, consigned.terms
    # Of a credit, what the agreement lets the consignor bear.
    borne = 0 if terms.claims is Bearer.LIQUIDATOR else flow.credited_minor
    return SoldLot(
        lot=award.goods.number,
        title=award.goods.title,
        outcome=Outcome.RELEASED if flow.released else Outcome.SOLD,
        hammer_minor=hammer,
        credited_minor=borne,
        commission_minor=share.commission_minor,
        others_minor=hammer - borne - share.commission_minor - part.net_minor,
        note=", ".join(_notes(part)),
    )


def _notes(part: ConsignorPart) -> Iterator[str]:
    if part.share.top_up_minor:
        yield "raised to the guarantee"
    if part.payment_minor:
        yield "with the cost of payment"


def _ended(row: asyncpg.Record, award: AwardRow) -> SoldLot | None:
    """An award that came to nothing."""
    outcomes = {
        AwardState.VOID: Outcome.DEFAULTED,
        AwardState.CANCELLED: Outcome.CANCELLED,
    }
    if award.state not in outcomes:
        return None
    goods = award.goods
    return SoldLot(lot=goods.number, title=goods.title, outcome=outcomes[award.state])


def _unsold(row: asyncpg.Record) -> SoldLot:
    outcomes = {"PASSED": Outcome.PASSED, "WITHDRAWN": Outcome.WITHDRAWN}
    outcome = outcomes.get(row["outcome"] or "", Outcome.SOLD)
    reason = (row["reason"] or "").replace("_", " ").lower()
    if outcome is Outcome.SOLD:
        reason = "not awarded yet" if row["outcome"] else "not ended yet"
    return SoldLot(lot=row["lot_id"], title=row["title"], outcome=outcome, note=reason)


def _consigned_unsold(row: asyncpg.Record, seller: Agreed) -> SoldLot:
    """Of what was offered and not sold, its fees where the agreement says so."""
    line, terms = _unsold(row), _terms(row, seller)
    if terms is None or line.outcome is not Outcome.PASSED:
        return line
    fees = unsold_share(terms, row["pallets"]).fees_minor
    return SoldLot(
        lot=line.lot, title=line.title, outcome=line.outcome, others_minor=fees, note=line.note
    )


def _consigned(row: asyncpg.Record, award: AwardRow, seller: Agreed) -> Consigned | None:
    terms = _terms(row, seller)
    if terms is None:
        return None
    return Consigned(terms, row["pallets"], seller.payment_minor.get(award.award_id, 0))


def _terms(row: asyncpg.Record, seller: Agreed) -> AgreementTerms | None:
    return seller.agreed.get((row["agreement_id"], row["agreement_version"]))
