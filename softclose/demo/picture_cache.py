"""Pictures that were drawn before, in the user's cache folder: a second start shows them at once.

What cannot be read or written there is drawn again; nothing depends on it.
"""

import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec
import PIL

from auction.catalog import photo_worker
from softclose.demo.photo_maker import Drawn

# A sale's pictures are six megabytes; older ones go.
MOST_SALES: Final = 4
# The program text that decides what the pictures look like.
_SOURCES: Final = ("articles", "catalogue", "drawing", "goods", "icons", "loads", "scenes")

_decoder = msgspec.msgpack.Decoder(list[Drawn])


def folder() -> Path:
    """Where the system wants programs of this user to keep what they can make again."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    cache = Path(base) if Path(base).is_absolute() else Path.home() / ".cache"
    return cache / "softclose"


def kept(seed: int) -> Sequence[Drawn] | None:
    """The pictures of this seed, as this version draws them; ``None``: not there."""
    with suppress(OSError, msgspec.MsgspecError):
        return _decoder.decode(_file(seed).read_bytes())
    return None


def keep(seed: int, drawn: Sequence[Drawn]) -> None:
    """Put them there for the next start, if that can be."""
    file = _file(seed)
    partial = file.with_name(f".{secrets.token_hex(4)}.partial")
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            partial.write_bytes(msgspec.msgpack.encode(list(drawn)))
            partial.replace(file)
        finally:
            partial.unlink(missing_ok=True)
        _forget_the_oldest(file.parent)


def _forget_the_oldest(cache: Path) -> None:
    files = sorted(cache.glob("pictures-*"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in files[MOST_SALES:]:
        file.unlink(missing_ok=True)


def _file(seed: int) -> Path:
    here = Path(__file__).parent
    sources = [*(here / f"{name}.py" for name in _SOURCES), Path(photo_worker.__file__)]
    text = b"".join(source.read_bytes() for source in sources)
    version = sha256(text + PIL.__version__.encode()).hexdigest()[:16]
    return folder() / f"pictures-{seed}-{version}"
