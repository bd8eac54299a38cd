"""Settings from ``SOFTCLOSE_*`` variables; a bad one stops the start with one clear line.

A variable that nobody reads is refused too: a misspelled time-out that silently keeps its
default is found only on the day that it was needed.
"""

import os
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, ClassVar, TypeVar

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError

from foundation.errors import OperatorError

PREFIX = "SOFTCLOSE_"
# Read by the test suite only; a machine where tests ran must still start the program.
TEST_PREFIX = "SOFTCLOSE_TEST_"

AnySettings = TypeVar("AnySettings", bound="Settings")


class BadSetting(OperatorError):
    """A setting has a value that it cannot have, or a name that nothing reads."""

    exit_code: ClassVar[int] = 2


class Settings(BaseSettings):
    """The base of all settings: read from the environment, complete, and never changed."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True
    )


def load(settings: type[AnySettings], **given: object) -> AnySettings:
    """What is given, else what the environment says, else the default. Raises `BadSetting`."""
    _refuse_unknown(settings, os.environ)
    values: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    try:
        return settings(**values)
    except ValidationError as error:
        lines = (_fault(settings, fault["loc"], fault) for fault in error.errors())
        raise BadSetting("; ".join(lines)) from None
    except SettingsError as error:
        raise BadSetting(str(error)) from None


def variable(field: str) -> str:
    """The environment variable that sets this field."""
    return f"{PREFIX}{field.upper()}"


def _refuse_unknown(settings: type[Settings], names: Iterable[str]) -> None:
    known = {variable(field) for field in settings.model_fields}
    for name in sorted(names):
        ours = name.startswith(PREFIX) and not name.startswith(TEST_PREFIX)
        if ours and name not in known:
            raise BadSetting(f"{name} is not a setting{_suggestion(name, known)}")


def _suggestion(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else "; docs/settings.md lists them all"


def _fault(settings: type[Settings], location: tuple[object, ...], fault: Any) -> str:
    """One fault in a few words; the value is repeated unless it may be a secret."""
    field = str(location[0])
    reason = str(fault["msg"]).removeprefix("Value error, ")
    secret = settings.model_fields[field].annotation in {SecretStr, SecretStr | None}
    value = "" if secret else f" (it is {fault['input']!r})"
    return f"{variable(field)}: {reason}{value}"
