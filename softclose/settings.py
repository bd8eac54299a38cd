"""Every setting of Softclose. docs/settings.md is made from this file by `softclose settings`."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator

from foundation import settings as foundation_settings
from foundation.logs import LogFormat, LogLevel
from softclose.data_folder import default_folder

Port = Annotated[int, Field(ge=0, le=65_535)]


class Settings(foundation_settings.Settings):
    """What can be set, each as a variable ``SOFTCLOSE_`` and the name in capitals."""

    data: Path = Field(
        default_factory=default_folder,
        description="The folder with everything that the embedded installation keeps. "
        "The same as `--data`. Default: `softclose` under the user's data directory "
        "(`$XDG_DATA_HOME` or `~/.local/share`).",
    )
    database_url: SecretStr | None = Field(
        default=None,
        description="A PostgreSQL of your own, 15 or later, as `postgresql://user:password@host/"
        "database`. Without it Softclose brings its own and keeps it in the data folder.",
    )
    http_host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="The address that HTTP is served on.",
    )
    http_port: Port = Field(
        default=8080,
        description="The port that HTTP is served on; 0 takes any free one and says which.",
    )
    log_level: LogLevel = Field(
        default=LogLevel.INFO,
        description="The least severity that is logged: `debug`, `info`, `warning` or `error`.",
    )
    log_format: LogFormat = Field(
        default=LogFormat.AUTO,
        description="`console` for people, `json` for programs (one object a line), "
        "`auto`: `console` on a terminal and `json` elsewhere. Logs go to stderr.",
    )

    @field_validator("data")
    @classmethod
    def _absolute(cls, folder: Path) -> Path:
        return folder.expanduser().absolute()

    @field_validator("database_url")
    @classmethod
    def _postgresql(cls, url: SecretStr | None) -> SecretStr | None:
        if url and not url.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("must start with postgresql://")
        return url


def load(**given: object) -> Settings:
    """The settings of this process; what is given (options of a command) goes first."""
    return foundation_settings.load(Settings, **given)
