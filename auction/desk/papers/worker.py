"""The child process that sets a paper: ``python -m auction.desk.papers.worker``.

Setting a thousand lots takes seconds of pure Python, which beside the engine would take its turns.
So it is done here (``foundation.papers.child``). Its parent is ``press``.
"""

from collections.abc import Iterator
from typing import cast

from auction.desk.papers.catalogue import catalogue_pdf
from auction.desk.papers.contents import CatalogueHead, CatalogueLot, LotTags, Sheet, TagsHead
from auction.desk.papers.floor_tags import floor_tags_pdf
from foundation.papers.child import run


def document(sheets: Iterator[Sheet]) -> bytes:
    """The paper that the first of these begins."""
    head = next(sheets)
    if isinstance(head, CatalogueHead):
        return catalogue_pdf(head, cast("Iterator[CatalogueLot]", sheets))
    assert isinstance(head, TagsHead), "the press sends the head first"
    return floor_tags_pdf(head, cast("Iterator[LotTags]", sheets))


if __name__ == "__main__":
    run(Sheet, document)
