"""The page of all settings, made from their definitions so that it cannot be out of date."""

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from foundation.settings import variable
from softclose.settings import Settings

_INTRODUCTION = """\
# Settings

Each is an environment variable. A value that cannot be, or a `SOFTCLOSE_` variable that is not
in this list, stops the start with one line that names it. Options before a command's name go
before the environment. This page is made by `softclose settings --page > docs/settings.md`.
"""


def settings_page() -> str:
    """docs/settings.md."""
    sections = [_section(name, field) for name, field in Settings.model_fields.items()]
    return "\n".join([_INTRODUCTION, *sections])


def _section(name: str, field: FieldInfo) -> str:
    assert field.description, f"{name} has no description"
    return f"## `{variable(name)}`\n\n{field.description}{_default(field)}\n"


def _default(field: FieldInfo) -> str:
    """What the description does not tell by itself."""
    if field.default in {PydanticUndefined, None, ()} or "Default: " in (field.description or ""):
        return ""
    return f" Default: `{field.default}`."


def settings_lines(settings: Settings) -> list[str]:
    """What is in force, a line each; secrets are masked by their own type."""
    return [f"{variable(name)}={_shown(getattr(settings, name))}" for name in Settings.model_fields]


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
