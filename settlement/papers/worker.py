"""The child process that sets a document: ``python -m settlement.papers.worker``.

The longest manifest takes seconds of pure Python, which beside the engine would take its turns.
"""

from collections.abc import Iterator

from msgspec import Struct

from foundation.papers.child import run
from settlement.papers.contents import Content
from settlement.papers.rendering import Format, render


class Wanted(Struct, frozen=True):
    """The one sheet that comes in."""

    form: Format
    content: Content


def document(sheets: Iterator[Wanted]) -> bytes:
    """The document that is wanted."""
    wanted = next(sheets)
    return render(wanted.content, wanted.form)


if __name__ == "__main__":
    run(Wanted, document)
