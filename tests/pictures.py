"""Pictures as people and their enemies upload them."""

import io
import struct
import zlib

from PIL import Image


def a_photo(colour: str = "#336699", width: int = 400, height: int = 300) -> bytes:
    """A JPEG of one colour that says where and by whom it was taken."""
    exif = Image.Exif()
    exif[0x010F] = "CAMERA-MAKER"
    made = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(made, "JPEG", exif=exif)
    return made.getvalue()


def a_bomb(width: int, height: int) -> bytes:
    """A PNG of a few kilobytes that claims to be, and is, enormous."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    packer = zlib.compressobj(9)
    row = bytes(1 + width // 8)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
