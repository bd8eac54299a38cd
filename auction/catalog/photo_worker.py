"""The child process that decodes what strangers upload: ``python -m auction.catalog.photo_worker``.

A picture is a program for a decoder. So it is decoded here, under a limit of memory, by a process
that holds no secret and no connection, and that its parent (``photos``) kills when it takes too
long. What comes out was encoded here from pixels: no metadata of the upload is in it (where it was
taken, by whose camera), and whatever else was hidden in the file is gone.

Frames on stdin and stdout: four bytes of length, big-endian, and that many bytes. A question is a
picture as it came; an answer is MessagePack, ``Resized`` or ``Refused``. It ends with its input.
"""

import io
import resource
import struct
import sys
from typing import BinaryIO, Final

import msgspec
from PIL import Image, ImageCms, ImageOps

# What is uploaded: a camera's picture is some megabytes, and some 50 million pixels at the most.
MAX_UPLOAD_BYTES: Final = 20 * 2**20
MAX_PIXELS: Final = 60_000_000
LEAST_EDGE: Final = 200
# 60 million pixels in three colours, twice, and what libraries take.
MEMORY_BYTES: Final = 1 * 2**30

FORMATS: Final = ("JPEG", "PNG", "WEBP")
# The longest edge of each size: a picture that fills a screen, one on a page, a tile in a list.
SIZES: Final[dict[str, int]] = {"full": 2_000, "page": 1_000, "tile": 400}
MEDIA_TYPES: Final = {"WEBP": "image/webp", "JPEG": "image/jpeg"}

LENGTH: Final = struct.Struct(">I")


class PhotoFile(msgspec.Struct, frozen=True, gc=False):
    """A picture in one size and one format."""

    size: str
    media_type: str
    width: int
    height: int
    data: bytes


class Resized(msgspec.Struct, frozen=True, tag=True):
    """A picture in all sizes and formats."""

    files: list[PhotoFile]


class Refused(msgspec.Struct, frozen=True, tag=True):
    """Why it is not taken, as one sentence for who uploaded it."""

    message: str


Answer = Resized | Refused

TOO_MANY_PIXELS: Final = Refused(
    f"this picture has more than {MAX_PIXELS // 1_000_000} million pixels"
)
TOO_SMALL: Final = Refused(f"this picture is less than {LEAST_EDGE} pixels wide or high")


def resized(upload: bytes) -> Answer:
    """A picture in all sizes, as WebP and as JPEG."""
    try:
        with Image.open(io.BytesIO(upload), formats=FORMATS) as opened:
            width, height = opened.size
            if width * height > MAX_PIXELS:
                return TOO_MANY_PIXELS
            if min(width, height) < LEAST_EDGE:
                return TOO_SMALL
            picture = _upright(opened)
    except Image.DecompressionBombError:
        return TOO_MANY_PIXELS
    except MemoryError:
        return TOO_MANY_PIXELS
    except Exception:  # noqa: BLE001 - whatever the bytes lead a decoder to; the uploader learns of it
        return Refused("this is not a JPEG, PNG or WebP picture that can be read")
    return Resized(in_all_sizes(picture))


def in_all_sizes(picture: Image.Image) -> list[PhotoFile]:
    """All files of a picture in plain colours, which is made smaller on the way."""
    picture.info.clear()
    files: list[PhotoFile] = []
    encoded: dict[str, bytes] = {}
    for size, edge in SIZES.items():  # each from the one before it, which is a quarter of the work
        if max(picture.size) > edge or not encoded:
            picture.thumbnail((edge, edge), Image.Resampling.LANCZOS)
            encoded = {form: _encoded(picture, form) for form in MEDIA_TYPES}
        width, height = picture.size
        files += [
            PhotoFile(size, MEDIA_TYPES[form], width, height, data)
            for form, data in encoded.items()
        ]
    return files


def _upright(opened: Image.Image) -> Image.Image:
    """The picture as it is meant to be seen: turned as its camera says, on white, in sRGB."""
    # A large JPEG is decoded at a smaller scale, which costs a part of the time and memory.
    opened.draft("RGB", (SIZES["full"], SIZES["full"]))
    picture = ImageOps.exif_transpose(opened)
    profile = picture.info.get("icc_profile")
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        pixels = picture.convert("RGBA")
        white = Image.new("RGBA", pixels.size, "white")
        picture = Image.alpha_composite(white, pixels)
    elif profile and picture.mode in ("RGB", "CMYK"):
        picture = _in_srgb(picture, profile)
    return picture.convert("RGB")


def _in_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        srgb = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(picture, own, srgb, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture  # a damaged profile: the colours are a little off
    assert converted is not None, "it was not asked to change the picture in place"
    return converted


def _encoded(picture: Image.Image, form: str) -> bytes:
    out = io.BytesIO()
    if form == "WEBP":
        picture.save(out, form, quality=80, method=3)
    else:
        picture.save(out, form, quality=82, optimize=True, progressive=True)
    return out.getvalue()


def read_frame(stream: BinaryIO) -> bytes | None:
    """The next frame; ``None`` at the end."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    return stream.read(LENGTH.unpack(head)[0])


def main() -> None:
    """Answer every question until the input ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS  # twice that raises, before anything is decoded
    encode = msgspec.msgpack.Encoder().encode
    while (upload := read_frame(sys.stdin.buffer)) is not None:
        answer = encode(resized(upload))
        sys.stdout.buffer.write(LENGTH.pack(len(answer)) + answer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
