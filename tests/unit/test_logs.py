"""One line a message, readable by programs, with nothing secret in it."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from foundation.logs import LogFormat, LogLevel, configure_logs


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    configure_logs(LogLevel.INFO, LogFormat.AUTO, stream)
    yield stream
    logging.basicConfig(handlers=[], force=True)
    structlog.reset_defaults()


def only_line(written: io.StringIO) -> dict[str, object]:
    (line,) = written.getvalue().splitlines()
    entry: dict[str, object] = json.loads(line)
    return entry


def test_away_from_a_terminal_a_message_is_one_object(written: io.StringIO) -> None:
    structlog.get_logger("desk").info("lot_sold", lot_id="L-7", price_minor=50_000)
    entry = only_line(written)
    assert entry["event"] == "lot_sold"
    assert entry["price_minor"] == 50_000
    assert entry["level"] == "info"
    assert entry["logger"] == "desk"


def test_messages_of_libraries_take_the_same_way(written: io.StringIO) -> None:
    logging.getLogger("asyncio").warning("slow %s", "callback")
    assert only_line(written)["event"] == "slow callback"


def test_quieter_messages_are_left_out(written: io.StringIO) -> None:
    structlog.get_logger().debug("detail")
    assert written.getvalue() == ""


@pytest.mark.parametrize("name", ["password", "sale_secret", "api_token", "maximum_minor"])
def test_a_secret_is_hidden_by_its_name(written: io.StringIO, name: str) -> None:
    structlog.get_logger().info("something", **{name: "hunter2"})
    assert only_line(written)[name] == "[hidden]"


def test_credentials_in_an_address_are_hidden(written: io.StringIO) -> None:
    structlog.get_logger().info("connecting to postgresql://me:hunter2@host/x", where="a://b:c@d")
    entry = only_line(written)
    assert entry["event"] == "connecting to postgresql://[hidden]@host/x"
    assert entry["where"] == "a://[hidden]@d"


def test_text_from_outside_cannot_forge_a_line(written: io.StringIO) -> None:
    structlog.get_logger().info("named", title="pallet\r\n2026-11-22 [info] sold")
    assert only_line(written)["title"] == "pallet\\r\\n2026-11-22 [info] sold"


def test_on_a_console_too(written: io.StringIO) -> None:
    configure_logs(LogLevel.INFO, LogFormat.CONSOLE, written)
    structlog.get_logger().info("named", title="a\nforged", password="hunter2")
    assert len(written.getvalue().splitlines()) == 1
    assert "hunter2" not in written.getvalue()


@pytest.mark.parametrize("log_format", [LogFormat.JSON, LogFormat.CONSOLE])
def test_a_traceback_shows_no_values_of_variables(
    written: io.StringIO, log_format: LogFormat
) -> None:
    configure_logs(LogLevel.INFO, log_format, written)
    hidden = "hunter2"
    try:
        raise ValueError(len(hidden))
    except ValueError:
        structlog.get_logger().exception("failed")
    assert "Traceback" in written.getvalue()
    assert "hunter2" not in written.getvalue().replace('hidden = "hunter2"', "")
