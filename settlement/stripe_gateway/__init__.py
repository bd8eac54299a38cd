"""Stripe by its official SDK, as settlement needs it: at Stripe itself or at the simulator."""

from settlement.ports import PaymentProvider
from settlement.stripe_gateway.books import StripeBooks
from settlement.stripe_gateway.buyers import StripeBuyers
from settlement.stripe_gateway.money_back import StripeMoneyBack
from settlement.stripe_gateway.payments import StripePayments
from settlement.stripe_gateway.sellers import StripeSellers

__all__ = ["StripeGateway"]


class StripeGateway(StripeBuyers, StripePayments, StripeMoneyBack, StripeSellers, StripeBooks):
    """A `settlement.ports.PaymentProvider`. Its maker closes it."""


def _provides(gateway: StripeGateway) -> PaymentProvider:
    """The types are checked here, once for all who use the protocol."""
    return gateway
