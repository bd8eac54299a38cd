"""``softclose demo`` as a newcomer sees it: a house on an address, and a sale that is under way."""

import json
import re
import signal
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.acceptance.test_demo import demonstration
from tests.serving import eventually


def fetched(address: str) -> tuple[int, str]:
    """What a browser gets that has not signed in."""
    request = Request(address, headers={"Accept": "text/html"})  # noqa: S310 - our own address
    with urlopen(request, timeout=10) as answer:  # noqa: S310
        return answer.status, answer.read().decode()


def lots(address: str) -> list[dict[str, Any]]:
    """The lots of the sale that is under way, as a program gets them."""
    sales = json.loads(fetched(f"{address}/api/v1/sales")[1])["items"]
    (sale_id,) = {sale["sale_id"] for sale in sales}
    found: list[dict[str, Any]] = json.loads(fetched(f"{address}/api/v1/sales/{sale_id}/lots")[1])[
        "items"
    ]
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_sale_is_under_way_and_a_signal_closes_the_house(tmp_path: Path, number: int) -> None:
    out, scratch = tmp_path / "out", tmp_path / "scratch"
    scratch.mkdir()
    variables = {"SOFTCLOSE_HTTP_PORT": "0", "TMPDIR": str(scratch)}
    with demonstration(out, **variables) as process:
        eventually(lambda: "bids and leads" in out.read_text(), within_s=90)
        said = out.read_text()
        address = re.search(r"Open (http://127\.0\.0\.1:\d+) in a browser", said)
        assert address is not None, said
        assert len(lots(address[1])) == 11
        status, page = fetched(f"{address[1]}/")
        assert (status, "Softclose" in page) == (200, True)
        process.send_signal(number)
        assert process.wait() == 128 + number
    said = out.read_text()
    for who in ("reseller", "liquidator", "staff"):
        assert re.search(rf"{who} +{who}@example\.com +\S+", said), said
    assert re.search(r"code now \d{6}", said)
    assert "bids accepted; the first bid was durable" in said
    assert "Traceback" not in said
    assert "warning" not in said
    assert list(scratch.iterdir()) == []


def test_what_makes_no_sense_together_is_refused(tmp_path: Path) -> None:
    for words in (("--json", "-"), ("--fast", "--sales", "2")):
        with demonstration(tmp_path / "out", *words) as process:
            assert process.wait() == 2
        assert "--" in (tmp_path / "out").read_text()
