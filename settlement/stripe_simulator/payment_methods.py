"""Payment methods: docs.stripe.com/api/payment_methods. No card number is ever taken: cards are
the test methods of ``cards``; each use of one makes a payment method of its own."""

import hashlib
from typing import Any, Final

from settlement.stripe_simulator import customers, listing
from settlement.stripe_simulator import parameters as p
from settlement.stripe_simulator.cards import BANKS, CARDS, NUMBERS, Bank, Card, message
from settlement.stripe_simulator.problems import Refused, invalid, missing, required
from settlement.stripe_simulator.work import Work

Json = dict[str, Any]

TYPES: Final = ("card", "us_bank_account", "customer_balance")
BILLING: Final[p.Shape] = {
    "address": p.anything,
    "email": p.text,
    "name": p.text,
    "phone": p.text,
}
_BANK: Final[p.Shape] = {
    "account_holder_type": p.one_of("company", "individual"),
    "account_number": p.text,
    "account_type": p.one_of("checking", "savings"),
    "routing_number": p.text,
}
DATA: Final[p.Shape] = {
    "type": p.one_of(*TYPES),
    "billing_details": BILLING,
    "customer_balance": p.anything,
    "metadata": p.metadata,
    "us_bank_account": _BANK,
}
CREATE: Final[p.Shape] = DATA | {"card": {"token": p.text}}
UPDATE: Final[p.Shape] = {"billing_details": BILLING, "metadata": p.metadata}
ATTACH: Final[p.Shape] = {"customer": p.text}
LIST: Final[p.Shape] = listing.PAGE | {"customer": p.text, "type": p.one_of(*TYPES)}
LIST_OF_CUSTOMER: Final[p.Shape] = listing.PAGE | {"type": p.one_of(*TYPES)}

EXPIRES: Final = (12, 2034)


def types_no_longer_set(_: object, name: str) -> None:
    """docs.stripe.com/changelog/endive/2026-09-30: removed; the answer still has the types."""
    raise invalid(
        "payment_method_types can no longer be set: use allowed_payment_method_types.",
        name, "payment_method_types_no_longer_supported",
    )  # fmt: skip


def compatible(currency: str, customer: str | None) -> list[str]:
    """What a payer can choose from (docs.stripe.com/payments/payment-methods/
    dynamic-payment-methods): a debit takes dollars, a bank transfer needs a customer."""
    kinds = ["card"] + (["us_bank_account"] if currency == "usd" else [])
    return kinds + (["customer_balance"] if customer else [])


def create(work: Work, params: Json) -> Json:
    """A bank account by its number, a balance, or a card by a token such as ``tok_visa``."""
    if "type" not in params:
        raise required("type")
    if params["type"] == "card":
        token = (params.get("card") or {}).get("token")
        if token is None:
            raise Refused(
                "Sending credit card numbers directly to the Stripe API is generally unsafe.",
                param="card[number]", kept=False,
            )  # fmt: skip
        method = of_test(work, "pm_card_" + token.removeprefix("tok_"), "card[token]")
    elif params["type"] == "us_bank_account":
        method = _of_number(work, params.get("us_bank_account") or {})
    else:
        method = _add(work, "customer_balance", {"customer_balance": {}}, {})
    return _described(method, params)


def of_data(work: Work, data: Json) -> Json:
    """From ``payment_method_data`` of an intent."""
    return create(work, data)


def of_test(work: Work, name: str, param: str = "payment_method") -> Json:
    """A payment method of its own from one that Stripe gives for tests."""
    if name in CARDS:
        return _of_card(work, name, CARDS[name])
    if name in BANKS:
        return _of_bank(work, name, BANKS[name])
    raise missing("PaymentMethod", name, param)


def resolved(work: Work, given: str, param: str = "payment_method") -> Json:
    """By its id, or by the name of a test method."""
    if given in CARDS or given in BANKS:
        return of_test(work, given, param)
    if work.find("payment_method", given) is None:
        raise missing("PaymentMethod", given, param)
    return work.edit("payment_method", given)


def retrieve(work: Work, _: Json, method_id: str) -> Json:
    """By its id."""
    return _shown(work, method_id)


def update(work: Work, params: Json, method_id: str) -> Json:
    """Who is billed, and metadata."""
    _shown(work, method_id)
    method = _described(work.edit("payment_method", method_id), params)
    work.emit("payment_method.updated", method)
    return method


def attach(work: Work, params: Json, method_id: str) -> Json:
    """Save it for a customer. The issuer is asked, and may decline."""
    if "customer" not in params:
        raise required("customer")
    customers.living(work, params["customer"])
    method = resolved(work, method_id, "payment_method")
    if method["customer"] not in (None, params["customer"]):
        raise Refused(
            "The payment method you provided has already been attached to a customer.",
            code="payment_method_unexpected_state",
        )
    saved(work, method, params["customer"])
    return method


def saved(work: Work, method: Json, customer: str) -> None:
    """Attach it. Raises ``Refused`` when its card is declined already here."""
    not_spent(method)
    card = card_of(method)
    if card is not None and card.decline and card.at_attach:
        raise Refused(
            message(card.decline), status=402, kind="card_error",
            code="card_declined", decline_code=card.decline,
        )  # fmt: skip
    if method["customer"] is None:
        method["customer"] = customer
        work.emit("payment_method.attached", method)


def detach(work: Work, _: Json, method_id: str) -> Json:
    """For ever: it can never be used again."""
    found = _shown(work, method_id)
    if found["customer"] is None:
        raise Refused(
            "The payment method you provided is not attached to a customer so detachment is "
            "impossible."
        )
    method = work.edit("payment_method", method_id)
    before, method["customer"], method["_spent"] = method["customer"], None, True
    work.emit("payment_method.detached", method, {"customer": before})
    return method


def list_(work: Work, params: Json) -> Json:
    """Of a customer."""
    if "customer" not in params:
        raise required("customer")
    customers.living(work, params["customer"])
    fits = listing.matches(params, "customer", "type")
    return listing.page(work, "payment_method", params, "/v1/payment_methods", fits=fits)


def list_of_customer(work: Work, params: Json, customer_id: str) -> Json:
    """Of a customer, by its address."""
    customers.living(work, customer_id, in_path=True)
    fits = listing.matches(params | {"customer": customer_id}, "customer", "type")
    url = f"/v1/customers/{customer_id}/payment_methods"
    return listing.page(work, "payment_method", params, url, fits=fits)


def card_of(method: Json) -> Card | None:
    """How its card behaves."""
    return CARDS[method["_test"]] if method["type"] == "card" else None


def bank_of(method: Json) -> Bank:
    """How its bank account behaves."""
    return BANKS[method["_test"]]


def not_spent(method: Json) -> None:
    """Raises ``Refused`` for one that was used, or detached, without a customer to keep it."""
    if method.get("_spent") and method["customer"] is None:
        raise Refused(
            "The provided PaymentMethod was previously used with a PaymentIntent without Customer "
            "attachment, or was detached from a Customer. It may not be used again.",
            param="payment_method",
        )


def _shown(work: Work, method_id: str) -> Json:
    found = work.find("payment_method", method_id)
    if found is None:
        raise missing("PaymentMethod", method_id, "payment_method", in_path=True)
    return found


def _add(work: Work, kind: str, details: Json, private: Json) -> Json:
    method = {
        "id": work.new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": {
            "address": dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state")),
            "email": None,
            "name": None,
            "phone": None,
            "tax_id": None,
        },
        "created": work.now,
        "customer": None,
        "livemode": False,
        "metadata": {},
        "type": kind,
    }
    return work.add("payment_method", method | details | private)


def _of_card(work: Work, name: str, card: Card) -> Json:
    month, year = EXPIRES
    details = {
        "brand": card.brand,
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": None,
        },
        "country": "US",
        "display_brand": card.brand,
        "exp_month": month,
        "exp_year": year,
        "fingerprint": _fingerprint(card.brand + card.last4),
        "funding": card.funding,
        "generated_from": None,
        "last4": card.last4,
        "networks": {"available": [card.brand], "preferred": None},
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }
    return _add(work, "card", {"card": details}, {"_test": name})


def _of_bank(work: Work, name: str, bank: Bank) -> Json:
    details = {
        "account_holder_type": "company",
        "account_type": "checking",
        "bank_name": "STRIPE TEST BANK",
        "financial_connections_account": None,
        "fingerprint": _fingerprint(bank.last4),
        "last4": bank.last4,
        "networks": {"preferred": "ach", "supported": ["ach"]},
        "routing_number": "110000000",
        "status_details": {},
    }
    return _add(work, "us_bank_account", {"us_bank_account": details}, {"_test": name})


def _of_number(work: Work, given: Json) -> Json:
    """By the test numbers, which need no verification here."""
    for name in ("account_number", "routing_number", "account_holder_type"):
        if name not in given:
            raise required(f"us_bank_account[{name}]")
    test = NUMBERS.get(given["account_number"])
    if test is None or given["routing_number"] != "110000000":
        raise invalid(
            "You must use a test bank account number in test mode.",
            "us_bank_account[account_number]", "account_number_invalid",
        )  # fmt: skip
    return of_test(work, test)


def _described(method: Json, params: Json) -> Json:
    for name, value in (params.get("billing_details") or {}).items():
        if name == "address" and isinstance(value, dict):
            method["billing_details"]["address"].update(value)
        else:
            method["billing_details"][name] = value or None
    method["metadata"] = p.merged(method["metadata"], params.get("metadata"))
    return method


def _fingerprint(of: str) -> str:
    return hashlib.sha256(of.encode()).hexdigest()[:16]
