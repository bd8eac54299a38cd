"""Every operation: its method, its address, what it takes and what does it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from settlement.stripe_simulator import (
    accounts,
    books,
    cash_balances,
    charges,
    customers,
    disputes,
    listing,
    payment_intents,
    payment_methods,
    payouts,
    refunds,
    searching,
    setup_intents,
    transfers,
    webhook_endpoints,
)
from settlement.stripe_simulator import parameters as p
from settlement.stripe_simulator.work import Work

Json = dict[str, Any]
NOTHING: Final[p.Shape] = {}


@dataclass(frozen=True)
class Route:
    """``params`` is an operation's name in the SDK's declarations, such as
    ``PaymentIntentCreateParams``; tests compare the shape with it."""

    method: str
    address: str
    handler: Callable[..., Json]
    shape: p.Shape
    params: str

    @property
    def operation(self) -> str:
        """How faults name it."""
        return f"{self.method} {self.address}"


def _balance(work: Work, _: Json) -> Json:
    return books.balances(work)


_TRANSACTIONS: Final[p.Shape] = (
    listing.PAGE | listing.CREATED | {"currency": p.text, "source": p.text, "type": p.text}
)


def _transactions(work: Work, params: Json) -> Json:
    fits = listing.matches(params, "currency", "source", "type")
    return listing.page(work, "balance_transaction", params, "/v1/balance_transactions", fits=fits)


def _transaction(work: Work, _: Json, transaction_id: str) -> Json:
    return work.get("balance_transaction", transaction_id, in_path=True)


def _crud(address: str, module: Any, params: str) -> list[Route]:
    """The four operations that most kinds have."""
    one = address + "/{id}"
    return [
        Route("POST", address, module.create, module.CREATE, f"{params}CreateParams"),
        Route("GET", address, module.list_, module.LIST, f"{params}ListParams"),
        Route("GET", one, module.retrieve, NOTHING, f"{params}RetrieveParams"),
        Route("POST", one, module.update, module.UPDATE, f"{params}UpdateParams"),
    ]


def _do(address: str, handler: Callable[..., Json], shape: p.Shape, params: str) -> Route:
    return Route("POST", address, handler, shape, params)


def _see(
    address: str, handler: Callable[..., Json], params: str, shape: p.Shape = NOTHING
) -> Route:
    return Route("GET", address, handler, shape, params)


_CUSTOMER: Final = "/v1/customers/{id}"
_INTENT: Final = "/v1/payment_intents/{id}"
_SETUP: Final = "/v1/setup_intents/{id}"
_METHOD: Final = "/v1/payment_methods/{id}"
_ACCOUNT: Final = "/v1/accounts/{id}"
_TRANSFER: Final = "/v1/transfers/{id}"
_REVERSALS: Final = _TRANSFER + "/reversals"

ROUTES: Final[tuple[Route, ...]] = (
    # Before the addresses that have an id in the same place.
    *(
        Route(
            "GET",
            f"/v1/{kind}s/search",
            searching.searcher(kind, f"/v1/{kind}s/search"),
            searching.SEARCH,
            f"{params}SearchParams",
        )
        for kind, params in (
            ("charge", "Charge"),
            ("customer", "Customer"),
            ("payment_intent", "PaymentIntent"),
        )
    ),
    *_crud("/v1/customers", customers, "Customer"),
    Route("DELETE", _CUSTOMER, customers.delete, NOTHING, "CustomerDeleteParams"),
    _see(
        _CUSTOMER + "/payment_methods",
        payment_methods.list_of_customer,
        "CustomerPaymentMethodListParams",
        payment_methods.LIST_OF_CUSTOMER,
    ),
    _see(
        _CUSTOMER + "/cash_balance", cash_balances.retrieve, "CustomerCashBalanceRetrieveParams"
    ),
    _do(
        _CUSTOMER + "/cash_balance",
        cash_balances.update,
        cash_balances.UPDATE,
        "CustomerCashBalanceUpdateParams",
    ),
    _see(
        _CUSTOMER + "/cash_balance_transactions",
        cash_balances.list_,
        "CustomerCashBalanceTransactionListParams",
        listing.PAGE,
    ),
    _see(
        _CUSTOMER + "/cash_balance_transactions/{transaction}",
        cash_balances.retrieve_transaction,
        "CustomerCashBalanceTransactionRetrieveParams",
    ),
    _do(
        _CUSTOMER + "/funding_instructions",
        cash_balances.funding_instructions,
        cash_balances.INSTRUCTIONS,
        "CustomerFundingInstructionsCreateParams",
    ),
    _do(
        "/v1/test_helpers/customers/{id}/fund_cash_balance",
        cash_balances.fund_for_tests,
        cash_balances.FUND,
        "test_helpers.CustomerFundCashBalanceParams",
    ),
    *_crud("/v1/payment_methods", payment_methods, "PaymentMethod"),
    _do(
        _METHOD + "/attach", payment_methods.attach, payment_methods.ATTACH,
        "PaymentMethodAttachParams",
    ),
    _do(_METHOD + "/detach", payment_methods.detach, NOTHING, "PaymentMethodDetachParams"),
    *_crud("/v1/setup_intents", setup_intents, "SetupIntent"),
    _do(
        _SETUP + "/confirm", setup_intents.confirm, setup_intents.CONFIRM,
        "SetupIntentConfirmParams",
    ),
    _do(_SETUP + "/cancel", setup_intents.cancel, setup_intents.CANCEL, "SetupIntentCancelParams"),
    _see("/v1/mandates/{id}", setup_intents.retrieve_mandate, "MandateRetrieveParams"),
    *_crud("/v1/payment_intents", payment_intents, "PaymentIntent"),
    _do(
        _INTENT + "/confirm", payment_intents.confirm, payment_intents.CONFIRM,
        "PaymentIntentConfirmParams",
    ),
    _do(
        _INTENT + "/capture", payment_intents.capture, payment_intents.CAPTURE,
        "PaymentIntentCaptureParams",
    ),
    _do(
        _INTENT + "/cancel", payment_intents.cancel, payment_intents.CANCEL,
        "PaymentIntentCancelParams",
    ),
    _do(
        _INTENT + "/apply_customer_balance", cash_balances.apply, cash_balances.APPLY,
        "PaymentIntentApplyCustomerBalanceParams",
    ),
    _see("/v1/charges", charges.list_, "ChargeListParams", charges.LIST),
    _see("/v1/charges/{id}", charges.retrieve, "ChargeRetrieveParams"),
    _do("/v1/charges/{id}", charges.update, charges.UPDATE, "ChargeUpdateParams"),
    *_crud("/v1/refunds", refunds, "Refund"),
    _see("/v1/account", accounts.own, "AccountRetrieveCurrentParams"),
    *_crud("/v1/accounts", accounts, "Account"),
    Route("DELETE", _ACCOUNT, accounts.delete, NOTHING, "AccountDeleteParams"),
    _see(_ACCOUNT + "/capabilities", accounts.capabilities, "AccountCapabilityListParams"),
    _see(
        _ACCOUNT + "/capabilities/{capability}", accounts.capability,
        "AccountCapabilityRetrieveParams",
    ),
    _do("/v1/account_links", accounts.link, accounts.LINK, "AccountLinkCreateParams"),
    *_crud("/v1/transfers", transfers, "Transfer"),
    _do(_REVERSALS, transfers.reverse, transfers.REVERSE, "TransferReversalCreateParams"),
    _see(_REVERSALS, transfers.list_reversals, "TransferReversalListParams", listing.PAGE),
    _see(
        _REVERSALS + "/{reversal}", transfers.retrieve_reversal, "TransferReversalRetrieveParams"
    ),
    _see("/v1/balance", _balance, "BalanceRetrieveParams"),
    _see("/v1/balance_settings", accounts.balance_settings, "BalanceSettingsRetrieveParams"),
    _do(
        "/v1/balance_settings",
        accounts.balance_settings,
        accounts.BALANCE_SETTINGS,
        "BalanceSettingsUpdateParams",
    ),
    _see(
        "/v1/balance_transactions", _transactions, "BalanceTransactionListParams", _TRANSACTIONS
    ),
    _see("/v1/balance_transactions/{id}", _transaction, "BalanceTransactionRetrieveParams"),
    *_crud("/v1/payouts", payouts, "Payout"),
    _do("/v1/payouts/{id}/cancel", payouts.cancel, NOTHING, "PayoutCancelParams"),
    _see("/v1/disputes", disputes.list_, "DisputeListParams", disputes.LIST),
    _see("/v1/disputes/{id}", disputes.retrieve, "DisputeRetrieveParams"),
    _do("/v1/disputes/{id}", disputes.update, disputes.UPDATE, "DisputeUpdateParams"),
    _do("/v1/disputes/{id}/close", disputes.close, NOTHING, "DisputeCloseParams"),
    _see(
        "/v1/events", webhook_endpoints.list_events, "EventListParams",
        webhook_endpoints.LIST_EVENTS,
    ),
    _see("/v1/events/{id}", webhook_endpoints.retrieve_event, "EventRetrieveParams"),
    _do(
        "/v1/webhook_endpoints", webhook_endpoints.create, webhook_endpoints.CREATE,
        "WebhookEndpointCreateParams",
    ),
    _see(
        "/v1/webhook_endpoints", webhook_endpoints.list_, "WebhookEndpointListParams", listing.PAGE
    ),
    _see(
        "/v1/webhook_endpoints/{id}", webhook_endpoints.retrieve, "WebhookEndpointRetrieveParams"
    ),
    _do(
        "/v1/webhook_endpoints/{id}", webhook_endpoints.update, webhook_endpoints.UPDATE,
        "WebhookEndpointUpdateParams",
    ),
    Route(
        "DELETE", "/v1/webhook_endpoints/{id}", webhook_endpoints.delete, NOTHING,
        "WebhookEndpointDeleteParams",
    ),
)  # fmt: skip

_BY_LENGTH: Final[dict[tuple[str, int], list[tuple[list[str], Route]]]] = {}
for _route in ROUTES:
    _steps = _route.address.split("/")
    _BY_LENGTH.setdefault((_route.method, len(_steps)), []).append((_steps, _route))


def find(method: str, path: str) -> tuple[Route, list[str]] | None:
    """The operation that an address names, and the ids in it."""
    steps = path.split("/")
    for wanted, route in _BY_LENGTH.get((method, len(steps)), ()):
        if all(want == step or want[:1] == "{" for want, step in zip(wanted, steps, strict=True)):
            ids = [step for want, step in zip(wanted, steps, strict=True) if want[:1] == "{"]
            return (route, ids) if all(ids) else None
    return None
