"""Other people's browser libraries, kept in the repository: fetched again, and checked.

``vendor.json`` in a folder lists each file: where it came from, under what licence, and the
SHA-256 of what lies there. The files are those of the package, except that their imports are
made relative (so that they run without a build or an import map) and that a line on top names
package and licence.

``python -m foundation.vendoring FOLDER`` fetches all of a folder with npm and refuses what is
not, bit for bit, what was there before. ``--accept`` writes down what came instead: for a new
version in ``vendor.json``, after looking at the difference.
"""

import base64
import subprocess
import tarfile
from hashlib import sha256, sha512
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import msgspec

from foundation.errors import OperatorError

LIST = "vendor.json"
TIMEOUT_S = 120.0


class VendoredChanged(OperatorError):
    """What was fetched, or lies there, is not what vendor.json says."""


class Vendored(msgspec.Struct, forbid_unknown_fields=True):
    """One file of one package."""

    file: str  # its name here
    package: str
    version: str
    licence: str  # SPDX
    path: str  # inside the package
    integrity: str  # of the package's archive, as npm writes it
    sha256: str  # of the file here
    imports: dict[str, str] = {}  # module names, and the relative ones in their place


def read_list(folder: Path) -> list[Vendored]:
    """What the folder's list says."""
    return msgspec.json.decode((folder / LIST).read_bytes(), type=list[Vendored])


def faults(folder: Path) -> list[str]:
    """What in the folder is not as its list says, in words."""
    listed = {entry.file: entry for entry in read_list(folder)}
    there = {path.name for path in folder.iterdir() if path.is_file()} - {LIST}
    found = [f"{name} is not in {LIST}" for name in sorted(there - listed.keys())]
    for name, entry in listed.items():
        if name not in there:
            found.append(f"{name} is missing")
        elif sha256((folder / name).read_bytes()).hexdigest() != entry.sha256:
            found.append(f"{name} is not the file of {LIST}")
    return found


def fetch(folder: Path, *, accept: bool) -> None:
    """Put the files of the list there again. Raises `VendoredChanged`."""
    entries = read_list(folder)
    archives: dict[str, bytes] = {}
    for entry in entries:
        name = f"{entry.package}@{entry.version}"
        if name not in archives:
            archives[name] = _archive(name)
        _take(entry, archives[name], folder, accept=accept)
    text = msgspec.json.format(msgspec.json.encode(entries), indent=2)
    (folder / LIST).write_bytes(text + b"\n")


def _archive(name: str) -> bytes:
    with TemporaryDirectory(prefix="softclose-vendor-") as work:
        command = ["npm", "pack", "--silent", name]
        try:
            subprocess.run(command, cwd=work, check=True, timeout=TIMEOUT_S, capture_output=True)
        except (OSError, subprocess.SubprocessError) as error:
            raise VendoredChanged(f"{' '.join(command)}: {error}") from None
        (file,) = Path(work).iterdir()
        return file.read_bytes()


def _take(entry: Vendored, archive: bytes, folder: Path, *, accept: bool) -> None:
    integrity = "sha512-" + base64.b64encode(sha512(archive).digest()).decode()
    content = _as_kept(entry, _member(archive, entry.path))
    digest = sha256(content).hexdigest()
    if (integrity, digest) != (entry.integrity, entry.sha256):
        if not accept:
            raise VendoredChanged(f"{entry.file}: {entry.package} {entry.version} has changed")
        entry.integrity, entry.sha256 = integrity, digest
    (folder / entry.file).write_bytes(content)


def _member(archive: bytes, path: str) -> bytes:
    with TemporaryDirectory() as work:
        file = Path(work) / "package.tgz"
        file.write_bytes(archive)
        with tarfile.open(file) as package:
            member = package.extractfile(f"package/{path}")
            assert member is not None, path
            return member.read()


def _as_kept(entry: Vendored, content: bytes) -> bytes:
    if not entry.file.endswith((".js", ".css")):
        return content
    text = content.decode()
    for name, relative in entry.imports.items():
        assert f'from"{name}"' in text, f"{entry.file} does not import {name}"
        text = text.replace(f'from"{name}"', f'from"{relative}"')
    lines = [line for line in text.splitlines() if not line.startswith("//# sourceMappingURL=")]
    banner = f"/*! {entry.package} {entry.version}, {entry.licence}; see vendor.json */"
    return "\n".join([banner, *lines, ""]).encode()


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--accept", is_flag=True, help="Write down what came, if it has changed.")
def main(folder: Path, accept: bool) -> None:
    """Fetch the files that FOLDER's vendor.json lists."""
    fetch(folder, accept=accept)
    click.echo(f"{folder}: as its {LIST} says")


if __name__ == "__main__":
    main()
