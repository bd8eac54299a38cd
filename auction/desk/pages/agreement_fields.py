"""An agreement as people type it, and as it stands in the fields. Pure."""

import datetime
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from auction.amounts import NotMoney, parse_typed, plain
from auction.consignment import (
    MAX_NET_DAYS,
    MAX_TIERS,
    AgreementTerms,
    Bearer,
    CommissionTier,
    Per,
)
from auction.desk.agreements import Agreement
from auction.desk.consignors import AgreementName, AgreementWords, Note
from auction.money import EXPONENTS
from foundation.http.reading import Input

_RATE: Final = re.compile(r"([0-9]{1,3})(?:[.,]([0-9]{1,2}))?\s*%?")
# Tiers above the first; so many the page has room for, and one more than are used.
_TIERS: Final = tuple(f"tier{number}" for number in range(2, MAX_TIERS + 1))
_LEAST_TIERS: Final = 2

BEARERS: Final = (
    (Bearer.LIQUIDATOR.value, "You"),
    (Bearer.CONSIGNOR.value, "The consignor"),
    (Bearer.SHARED.value, "Both, by what each gets"),
)
PER: Final = ((Per.LOT.value, "for each lot sold"), (Per.PALLET.value, "for each pallet sold"))
CURRENCIES: Final = tuple((code, code) for code in EXPONENTS)


class _Typed(Input, kw_only=True):
    """A version as it is typed; ``agreement`` and ``version``: what it follows."""

    name: Annotated[
        AgreementName, Meta(extra={"message": "Give it a name of at most 60 characters."})
    ]
    valid_from: Annotated[datetime.date, Meta(extra={"message": "Choose a day."})]
    rate: str
    agreement: Annotated[str, Meta(max_length=64)] = ""
    version: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0
    currency: Annotated[str, Meta(pattern=rf"\A({'|'.join(EXPONENTS)})\Z")] = "USD"
    minimum_commission: str = ""
    fee_per_lot: str = ""
    fee_per_pallet: str = ""
    fees_when_unsold: bool = False
    guarantee: str = ""
    guarantee_per: Per = Per.LOT
    net_days: Annotated[
        int,
        Meta(ge=0, le=MAX_NET_DAYS, extra={"message": f"From 0 to {MAX_NET_DAYS} days."}),
    ] = 30
    claims: Bearer = Bearer.SHARED
    payment_fees: Bearer = Bearer.LIQUIDATOR
    freight: Bearer = Bearer.CONSIGNOR
    note: Note = ""


AgreementForm: Final = msgspec.defstruct(
    "AgreementForm",
    [(f"{name}_{part}", str, "") for name in _TIERS for part in ("from", "rate")],
    bases=(_Typed,),
    kw_only=True,
)


def tiers_shown(values: Mapping[str, object]) -> Sequence[str]:
    """The tiers of the form whose fields there are on the page."""
    used = [place for place, name in enumerate(_TIERS, start=1) if values.get(f"{name}_rate")]
    return _TIERS[: max(_LEAST_TIERS, used[-1] + 1 if used else 0)]


class BadAgreement(ValueError):
    """What was typed into a field will not do."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def words_of(given: Any) -> AgreementWords:
    """The version that was typed. Raises `BadAgreement`."""
    tiers = [CommissionTier(0, _bps("rate", given.rate))]
    for name in _TIERS:
        begins, rate = getattr(given, f"{name}_from"), getattr(given, f"{name}_rate")
        if begins or rate:
            from_minor = _minor(f"{name}_from", begins, given.currency)
            if from_minor <= tiers[-1].from_minor:
                raise BadAgreement(f"{name}_from", "Enter more than the part before begins at.")
            tiers.append(CommissionTier(from_minor, _bps(f"{name}_rate", rate)))
    amounts = {
        f"{name}_minor": _minor(name, getattr(given, name), given.currency)
        for name in ("minimum_commission", "fee_per_lot", "fee_per_pallet", "guarantee")
    }
    return AgreementWords(
        name=given.name,
        valid_from=given.valid_from,
        note=given.note,
        terms=AgreementTerms(
            currency=given.currency,
            commission=tuple(tiers),
            fees_when_unsold=given.fees_when_unsold,
            guarantee_per=given.guarantee_per,
            net_days=given.net_days,
            claims=given.claims,
            payment_fees=given.payment_fees,
            freight=given.freight,
            **amounts,
        ),
    )


def values_of(agreement: Agreement | None, today: datetime.date) -> dict[str, str]:
    """What stands in the fields before anybody types: the latest version, or what is usual."""
    if agreement is None:
        return {
            "name": "Agreement",
            "valid_from": today.isoformat(),
            "currency": "USD",
            "net_days": "30",
            "guarantee_per": Per.LOT,
            "claims": Bearer.SHARED,
            "payment_fees": Bearer.LIQUIDATOR,
            "freight": Bearer.CONSIGNOR,
        }
    terms = agreement.terms
    values = {
        "agreement": agreement.agreement_id,
        "version": str(agreement.version),
        "name": agreement.name,
        "valid_from": today.isoformat(),
        "note": agreement.note,
        "fees_when_unsold": "on" if terms.fees_when_unsold else "",
        **_tiers(terms),
    }
    for name in ("minimum_commission", "fee_per_lot", "fee_per_pallet", "guarantee"):
        minor = getattr(terms, f"{name}_minor")
        values[name] = plain(minor, terms.currency) if minor else ""
    for name in ("currency", "guarantee_per", "net_days", "claims", "payment_fees", "freight"):
        values[name] = str(getattr(terms, name))
    return values


def _tiers(terms: AgreementTerms) -> Mapping[str, str]:
    values = {"rate": _percent(terms.commission[0].rate_bps)}
    for name, tier in zip(_TIERS, terms.commission[1:], strict=False):
        values[f"{name}_from"] = plain(tier.from_minor, terms.currency)
        values[f"{name}_rate"] = _percent(tier.rate_bps)
    return values


def _percent(bps: int) -> str:
    whole, part = divmod(bps, 100)
    return f"{whole}.{part:02}".rstrip("0").rstrip(".")


def _bps(field: str, typed: str) -> int:
    found = _RATE.fullmatch(typed.strip())
    bps = -1 if found is None else int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0"))
    if not 0 <= bps <= 10_000:
        raise BadAgreement(field, "Enter per cent from 0 to 100, such as 12 or 12.5.")
    return bps


def _minor(field: str, typed: str, currency: str) -> int:
    """Empty or naught: nothing."""
    if not typed.strip(" 0.,"):
        return 0
    try:
        return parse_typed(typed, currency)
    except NotMoney as fault:
        raise BadAgreement(field, str(fault)) from None
