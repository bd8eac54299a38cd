"""A signature of the payment provider: what passes, and all that does not."""

import pytest
import stripe

from settlement.stripe_simulator.deliveries import signature
from settlement.webhook_signature import TOLERANCE_S, signed

BODY = b'{"id": "evt_1"}'
NOW = 1_790_000_000
SECRET, OTHER = "whsec_now", "whsec_before"


def header(body: bytes = BODY, secret: str = SECRET, at_s: int = NOW) -> str:
    return signature(body, secret, at_s)


def test_what_the_provider_signed_passes_here_and_with_its_own_sdk() -> None:
    assert signed(BODY, header(), [SECRET], NOW)
    assert stripe.WebhookSignature.verify_header(BODY, header(), SECRET)


@pytest.mark.parametrize("secrets", [[SECRET, OTHER], [OTHER, SECRET]])
def test_during_an_exchange_of_secrets_either_passes(secrets: list[str]) -> None:
    assert signed(BODY, header(), secrets, NOW)
    assert signed(BODY, header(secret=OTHER), secrets, NOW)
    two = f"{header()},v1={header(secret='whsec_third').rpartition('=')[2]}"
    assert signed(BODY, two, secrets, NOW)


@pytest.mark.parametrize("at_s", [NOW - TOLERANCE_S, NOW + TOLERANCE_S])
def test_a_clock_may_be_off_by_minutes(at_s: int) -> None:
    assert signed(BODY, header(at_s=at_s), [SECRET], NOW)


@pytest.mark.parametrize(
    "given",
    [
        header(secret="whsec_wrong"),
        header(at_s=NOW - TOLERANCE_S - 1),
        header(at_s=NOW + TOLERANCE_S + 1),
        header(body=b'{"id":"evt_1"}'),
        header().replace("v1=", "v0="),
        header().replace("t=", "s="),
        header() + f",t={NOW}",
        header().replace(f"t={NOW}", f"t=+{NOW}"),
        header().replace(f"t={NOW}", f"t={NOW}.0"),
        header().replace(str(NOW), str(NOW).translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))),
        header().upper(),
        header()[:-1],
        f"t={NOW},v1=",
        f"t={NOW}",
        f"t={NOW},v1=é",
        "",
        ",",
        "=",
        header() + ",x=" + "y" * 3_000,
        header() + ",v1=00" * 8,
    ],
)
def test_anything_else_does_not(given: str) -> None:
    assert not signed(BODY, given, [SECRET], NOW)


def test_without_a_secret_nothing_passes() -> None:
    assert not signed(BODY, header(), [], NOW)
    assert not signed(BODY, header(secret=""), [], NOW)
