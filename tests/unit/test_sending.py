"""The same bytes to many sockets: both ways of sending say the same of who did not take it all."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bidder_gateway import sending
from bidder_gateway.sending import GONE, SendAll, compiled, send_all_in_python

SOURCE = Path(sending.__file__).with_name("send_all.c")


@pytest.fixture(scope="module", params=["python", "compiled"])
def send_all(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> SendAll:
    if request.param == "python":
        return send_all_in_python
    compiler = shutil.which("cc")
    if compiler is None:
        if os.environ.get("CI") == "true":
            pytest.fail("needs a C compiler: as root, run apt-get install gcc libc6-dev")
        pytest.skip("needs a C compiler")
    library = tmp_path_factory.mktemp("sending") / "send_all.so"
    flags = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run([compiler, *flags, "-o", library, SOURCE], check=True)
    function = compiled(library)
    assert function is not None
    return function


@pytest.fixture
def pairs() -> Iterator[list[tuple[socket.socket, socket.socket]]]:
    made = [socket.socketpair() for _ in range(4)]
    for pair in made:
        for sock in pair:
            sock.settimeout(0)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8_192)
    yield made
    for pair in made:
        for sock in pair:
            sock.close()


Pairs = list[tuple[socket.socket, socket.socket]]


def test_everybody_gets_the_whole_message(send_all: SendAll, pairs: Pairs) -> None:
    for data in (b"one", b"", b"\0two\0"):
        assert send_all([ours.fileno() for ours, _ in pairs], data) == []
    assert [theirs.recv(100) for _, theirs in pairs] == [b"one\0two\0"] * 4


def test_nobody_is_nobody(send_all: SendAll) -> None:
    assert send_all([], b"data") == []


def test_who_did_not_take_it_all_is_named_with_what_it_took(
    send_all: SendAll, pairs: Pairs
) -> None:
    data = bytes(range(256)) * 64
    fds = [ours.fileno() for ours, _ in pairs]
    while len(found := send_all(fds[1:2], data)) != 1 or found[0][1] != 0:
        pass  # fill the second
    pairs[2][1].close()
    found = send_all(fds, b"x" * 1_000)
    assert found == [(1, 0), (2, GONE)]
    assert [pairs[at][1].recv(2_000) for at in (0, 3)] == [b"x" * 1_000] * 2


def test_what_a_socket_took_is_what_arrives(send_all: SendAll, pairs: Pairs) -> None:
    data = bytes(range(256)) * 1_024
    found = send_all([pairs[0][0].fileno()], data)
    (_, taken), *_ = found
    assert 0 <= taken < len(data)
    arrived = b""
    while True:
        try:
            arrived += pairs[0][1].recv(2**20)
        except BlockingIOError:
            break
    assert arrived == data[:taken]


def test_a_descriptor_that_is_no_socket_any_more_is_gone(send_all: SendAll) -> None:
    ours, theirs = socket.socketpair()
    fd = ours.fileno()
    ours.close()
    theirs.close()
    assert send_all([fd], b"data") == [(0, GONE)]


def test_without_a_library_there_is_no_compiled_one(tmp_path: Path) -> None:
    assert compiled(tmp_path / "none.so") is None
    (tmp_path / "other.so").write_bytes(b"for another system")
    assert compiled(tmp_path / "other.so") is None


def test_the_gateway_of_this_checkout_sends_by_the_compiled_one() -> None:
    if shutil.which("cc") is None and os.environ.get("CI") != "true":
        pytest.skip("needs a C compiler")
    assert sending.LIBRARY.exists(), "the set-up makes it: run ./test, or source setup.sh"
    assert sending.SEND_ALL is not send_all_in_python
