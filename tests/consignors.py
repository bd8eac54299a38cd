"""Consignors in hand: what is agreed with them, as tests say it."""

from datetime import date
from typing import Any

from msgspec import to_builtins

from auction.consignment import AgreementTerms, CommissionTier
from auction.desk.agreements import Agreement, add_version
from auction.desk.consignors import AgreementWords, Consignor, Consignors, ConsignorWords
from auction.desk.seller import Seller
from auction.ids import BidderId, LiquidatorId
from foundation.database import Pool, transaction
from tests.builders import STAFF_MEMBER
from tests.market import Caller

# Long ago: in force whenever a test runs.
SINCE = date(2020, 1, 1)


def terms(rate_bps: int = 1_200, **changes: Any) -> AgreementTerms:
    """12 % of everything, and 18.00 a pallet."""
    settings: dict[str, Any] = {"fee_per_pallet_minor": 18_00} | changes
    return AgreementTerms(commission=(CommissionTier(0, rate_bps),), **settings)


def agreement(rate_bps: int = 1_200, **changes: Any) -> AgreementWords:
    """Those terms, in force."""
    words: dict[str, Any] = {"valid_from": SINCE}
    for name in ("name", "valid_from", "note"):
        if name in changes:
            words[name] = changes.pop(name)
    return AgreementWords(**words, terms=terms(rate_bps, **changes))


async def a_consignor(
    consignors: Consignors, seller: Seller, name: str = "Northwind Stores", **changes: Any
) -> tuple[Consignor, Agreement]:
    """A consignor of this seller's, under an agreement."""
    made = await consignors.add(seller, ConsignorWords(name=name))
    agreed, _ = await consignors.agree(seller, made.consignor_id, agreement(**changes))
    return made, agreed


async def consigning(by: Caller, name: str = "Northwind Stores", **changes: Any) -> tuple[str, str]:
    """The same over HTTP: the ids of the consignor and of the agreement."""
    consignor = await by.does("POST", "/desk/consignors", {"name": name}, status=201)
    path = f"/desk/consignors/{consignor['consignor_id']}/agreements"
    agreed = await by.does("POST", path, to_builtins(agreement(**changes)), status=201)
    return consignor["consignor_id"], agreed["agreement"]["agreement_id"]


async def a_consignor_named(
    pool: Pool, liquidator_id: LiquidatorId, consignor_id: str, agreement_id: str
) -> None:
    """A consignor and its agreement under ids of the test's choice, such as markers."""
    async with transaction(pool) as connection:
        await connection.execute(
            "insert into consignor (consignor_id, liquidator_id, name, contact, note, version,"
            " created_at_us, changed_at_us, changed_by) values ($1, $2, $1, '', '', 1, 0, 0, $1)",
            consignor_id,
            liquidator_id,
        )
        words = agreement()
        await add_version(
            connection,
            Agreement(
                agreement_id=agreement_id,
                version=1,
                consignor_id=BidderId(consignor_id),
                name=words.name,
                valid_from=words.valid_from,
                terms=words.terms,
                note="",
                made_at_us=0,
                made_by=STAFF_MEMBER,
            ),
        )
