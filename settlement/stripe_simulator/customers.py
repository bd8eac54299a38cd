"""Customers: docs.stripe.com/api/customers."""

from typing import Any, Final

from settlement.stripe_simulator import listing, payment_methods
from settlement.stripe_simulator import parameters as p
from settlement.stripe_simulator.problems import missing
from settlement.stripe_simulator.work import Work

Json = dict[str, Any]

FIELDS: Final[p.Shape] = {
    "address": p.anything,
    "description": p.text,
    "email": p.text,
    "metadata": p.metadata,
    "name": p.text,
    "phone": p.text,
    "shipping": p.anything,
    "tax_exempt": p.one_of("none", "exempt", "reverse"),
    "preferred_locales": [p.text],
}
CREATE: Final[p.Shape] = FIELDS | {"payment_method": p.text}
UPDATE: Final[p.Shape] = FIELDS | {
    "invoice_settings": {"default_payment_method": p.text},
}
LIST: Final[p.Shape] = listing.PAGE | listing.CREATED | {"email": p.text}

_PLAIN: Final = ("address", "description", "email", "name", "phone", "shipping")


def create(work: Work, params: Json) -> Json:
    """A new customer."""
    object_id = work.new_id("cus")
    customer: Json = {
        "id": object_id,
        "object": "customer",
        **dict.fromkeys(_PLAIN),
        "balance": 0,
        "created": work.now,
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "discount": None,
        "invoice_prefix": object_id[-8:].upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "next_invoice_sequence": 1,
        "preferred_locales": [],
        "tax_exempt": "none",
        "test_clock": None,
    }
    method = params.pop("payment_method", None)
    _set(work.add("customer", customer), params)
    work.emit("customer.created", customer)
    if method:
        payment_methods.attach(work, {"customer": object_id}, method)
    return customer


def update(work: Work, params: Json, customer_id: str) -> Json:
    """Change what is given; metadata is merged."""
    living(work, customer_id, in_path=True)
    customer = work.edit("customer", customer_id)
    default = (params.pop("invoice_settings", None) or {}).get("default_payment_method")
    if default is not None:
        method = work.get("payment_method", default, "invoice_settings[default_payment_method]")
        if method["customer"] != customer_id:
            raise missing("payment method", default, "invoice_settings[default_payment_method]")
        customer["invoice_settings"]["default_payment_method"] = default
    _set(customer, params)
    work.emit("customer.updated", customer)
    return customer


def retrieve(work: Work, _: Json, customer_id: str) -> Json:
    """A deleted customer is still shown, as deleted."""
    customer = work.get("customer", customer_id, in_path=True)
    return _deleted(customer_id) if customer.get("_deleted") else customer


def delete(work: Work, _: Json, customer_id: str) -> Json:
    """For ever; the payment methods go with it."""
    living(work, customer_id, in_path=True)
    customer = work.edit("customer", customer_id)
    work.emit("customer.deleted", customer)
    customer["_deleted"] = True
    for method in list(work.rows("payment_method")):
        if method["customer"] == customer_id:
            work.edit("payment_method", method["id"])["customer"] = None
    return _deleted(customer_id)


def list_(work: Work, params: Json) -> Json:
    """Without the deleted."""
    same = listing.matches(params, "email")
    return listing.page(
        work, "customer", params, "/v1/customers",
        fits=lambda row: not row.get("_deleted") and same(row),
    )  # fmt: skip


def living(work: Work, customer_id: str, param: str = "customer", *, in_path: bool = False) -> Json:
    """A customer that is not deleted."""
    customer = work.get("customer", customer_id, "id" if in_path else param, in_path=in_path)
    if customer.get("_deleted"):
        raise missing("customer", customer_id, param, in_path=in_path)
    return customer


def _set(customer: Json, params: Json) -> None:
    customer["metadata"] = p.merged(customer["metadata"], params.pop("metadata", None))
    for name, value in params.items():
        customer[name] = value if value != "" else None


def _deleted(customer_id: str) -> Json:
    return {"id": customer_id, "object": "customer", "deleted": True}
