"""docs/protocol.md and docs/asyncapi.json say what the gateway speaks."""

from bidder_gateway.protocol import CLOSE_MEANINGS, ERROR_MEANINGS, CloseCode, ErrorCode
from bidder_gateway.reference import DOCS, asyncapi, protocol_page

MESSAGE = "run: python -m bidder_gateway.reference"


def test_the_protocol_page_is_current() -> None:
    assert (DOCS / "protocol.md").read_text() == protocol_page(), MESSAGE


def test_the_asyncapi_description_is_current() -> None:
    assert (DOCS / "asyncapi.json").read_text() == asyncapi(), MESSAGE


def test_every_code_says_what_it_means() -> None:
    assert set(CLOSE_MEANINGS) == set(CloseCode)
    assert set(ERROR_MEANINGS) == set(ErrorCode)
