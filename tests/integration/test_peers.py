"""The peers of the fan-out load test: each sends everything, in order, in the size asked for."""

import pytest

from load_tests.peers import Contender
from load_tests.peers.nats import NATS
from load_tests.peers.programs import NODE_WS, RAW_SEND, WEBSOCKETS
from load_tests.watchers import watching


@pytest.mark.parametrize("peer", [RAW_SEND, NODE_WS, WEBSOCKETS, NATS], ids=lambda peer: peer.name)
async def test_a_peer_sends_each_message_to_everybody_in_order(peer: Contender) -> None:
    async with peer.start(None) as sender, watching(sender.port, sender.speech) as watchers:
        await watchers.open(30)
        await watchers.reach(await sender.send(1, 150))
        await watchers.reach(await sender.send(20, 400))
        seen = (await watchers.seen()).whole(30 * 21)
        assert sender.cpu_s() > 0
    assert 150 < seen.bytes_per_event < 500
    assert seen.found["latency_us"]["count"] == seen.events


async def test_a_peer_is_gone_after_its_block() -> None:
    async with RAW_SEND.start(None) as sender:
        pass
    with pytest.raises(OSError, match="Invalid argument"):
        sender.cpu_s()
