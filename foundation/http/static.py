"""Static files, read once and kept for ever by browsers.

All files hang under one digest of their names and contents: ``/static/<digest>/<path>``, where
the path is the one in the source tree (``foundation/static/softclose.css``). So a module finds
another by the same relative import in the browser, in an editor and in a test on node, and any
change gives every file a new address. A page that was served before a deployment may still ask
by the old digest: it gets the file as it is now, not to be kept.

Only names that were found at the start are answered; no path from outside reaches the disk.
"""

import gzip
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from aiohttp import web

from foundation.http.answers import etag, has_it_already
from foundation.http.problems import NOT_FOUND

PATH: Final = "/static/{tree}/{name:.+}"

MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
}

_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "public, no-cache"
# Below a packet's length there is nothing to win.
_WORTH_PACKING = 1_000
_PACKED = frozenset({".css", ".js", ".json", ".svg", ".webmanifest"})


@dataclass(frozen=True)
class StaticFile:
    """One file in memory, packed too where that makes it smaller."""

    content: bytes
    packed: bytes | None
    media_type: str
    tag: str


class StaticFiles:
    """The files of all rooms."""

    def __init__(self, folders: Iterable[tuple[str, Path]]) -> None:
        """``folders``: where a folder hangs (``accounts/static``), and where it lies."""
        self._files = {
            f"{prefix}/{path.relative_to(folder).as_posix()}": _read(path, path.stat().st_mtime_ns)
            for prefix, folder in folders
            for path in sorted(folder.rglob("*"))
            if path.suffix in MEDIA_TYPES and path.is_file()
        }
        digest = sha256()
        for name, file in sorted(self._files.items()):
            digest.update(f"{name} {file.tag}\n".encode())
        self.tree = digest.hexdigest()[:16]

    def __contains__(self, name: str) -> bool:
        return name in self._files

    def url(self, name: str) -> str:
        """The address of a file; an assertion fails for one that is not there."""
        assert name in self._files, f"no static file {name}"
        return f"/static/{self.tree}/{name}"

    async def answer(self, request: web.Request) -> web.Response:
        """GET /static/<digest>/<path>."""
        current = request.match_info["tree"] == self.tree
        name = request.match_info["name"]
        return self.answer_file(request, name, _FOR_EVER if current else _ASK_AGAIN)

    def answer_file(
        self, request: web.Request, name: str, cache_control: str = _ASK_AGAIN
    ) -> web.Response:
        """A file under another address, such as a service worker's; by default asked for again."""
        file = self._files.get(name)
        if file is None:
            raise NOT_FOUND()
        headers = {"Cache-Control": cache_control, "ETag": file.tag, "Vary": "Accept-Encoding"}
        if has_it_already(request, file.tag):
            return web.Response(status=304, headers=headers)
        headers["Content-Type"] = file.media_type
        if file.packed is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
            headers["Content-Encoding"] = "gzip"
            # Other bytes, so another strong tag would be due; a weak one says "as good as".
            headers["ETag"] = f"W/{file.tag}"
            return web.Response(body=file.packed, headers=headers)
        return web.Response(body=file.content, headers=headers)


@cache
def _read(path: Path, _changed_ns: int) -> StaticFile:
    """A file as it was then, read and packed once for all applications of this process."""
    content = path.read_bytes()
    packed = None
    if path.suffix in _PACKED and len(content) > _WORTH_PACKING:
        packed = gzip.compress(content, mtime=0)
    return StaticFile(content, packed, MEDIA_TYPES[path.suffix], etag(content))


STATIC: Final = web.AppKey("static", StaticFiles)
