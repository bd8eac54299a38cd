"""What a room raises when something that it is asked for is refused.

A room has one closed enum of refusals, their meanings in the words of the page that shows them,
and one exception::

    class Refused(RefusedBecause[Refusal]):
        meanings = MEANINGS

It is raised, not returned: a refusal is found in the middle of a transaction, which it undoes.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar, Generic, TypeVar

R = TypeVar("R", bound=StrEnum)


class RefusedBecause(Exception, Generic[R]):
    """Something was refused, and nothing of it was done.

    ``field`` names the field of the form or body that it is about; ``detail`` says more than the
    refusal's meaning.
    """

    meanings: ClassVar[Mapping[Any, str]]

    def __init__(self, refusal: R, *, field: str = "", detail: str = "") -> None:
        super().__init__(refusal.value)
        self.refusal, self.field = refusal, field
        self.message = detail or self.meanings[refusal]
