"""Every setting of Softclose. docs/settings.md is made from this file by `softclose settings`."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import NoDecode

from foundation import settings as foundation_settings
from foundation.logs import LogFormat, LogLevel
from foundation.mail import address_of, transport_of
from softclose.data_folder import default_folder

Port = Annotated[int, Field(ge=0, le=65_535)]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode]

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1"))


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
    public_url: str | None = Field(
        default=None,
        description="Where people reach Softclose, such as `https://auctions.example.com`; links "
        "in mail begin with it, and only its pages may send forms. Needed where a proxy stands in "
        "front. Without it: the address that HTTP is served on.",
    )
    trusted_proxies: Networks = Field(
        default=(),
        description="The proxies in front, as addresses or networks with commas between them "
        "(`10.0.0.0/8, 192.0.2.7`). From them, and only from them, X-Forwarded-For is believed.",
    )
    metrics_clients: Networks = Field(
        default=LOOPBACK,
        description="Who may read `/metrics`, as addresses or networks with commas between them; "
        "others are told that there is nothing. Default: `127.0.0.0/8, ::1/128`.",
    )
    mail: SecretStr = Field(
        default=SecretStr("file"),
        description="How mail is sent: `file` (each mail becomes a file in the data folder's "
        "`mail`), `console` (it is logged), `smtp://user:password@host:587` (with STARTTLS) or "
        "`smtps://user:password@host:465`. Default: `file`.",
    )
    mail_from: str = Field(
        default="Softclose <softclose@localhost>",
        description="The sender of all mail, as `Name <address>`. Push services are told its "
        "address as whom to ask when something is wrong.",
    )
    push_key: SecretStr | None = Field(
        default=None,
        description="The private key that pushes to browsers are signed with (VAPID), as 32 bytes "
        "in base64url. Devices are bound to it: with another key all of them have to sign up "
        "again. Without it one is made once and kept in the database.",
    )
    sms: Literal["off", "console"] = Field(
        default="off",
        description="How text messages are sent: `off`, or `console` (they are logged, for trying "
        "things out).",
    )
    token: SecretStr | None = Field(
        default=None,
        description="An API token, for commands that ask a running server: `softclose desk "
        "publish` and `softclose desk results` need one with the scope `sell`, `softclose "
        "settlement` one with the scope `staff`.",
    )
    stripe_key: SecretStr | None = Field(
        default=None,
        description="The secret key of your Stripe account (`sk_test_...`, `sk_live_...`, or a "
        "restricted `rk_...`). Without it payments are simulated: a simulator of Stripe runs with "
        "Softclose and keeps its state in the data folder's `stripe`.",
    )
    stripe_publishable_key: str | None = Field(
        default=None,
        description="The publishable key of the same account and mode (`pk_...`), for the form in "
        "which buyers enter their cards.",
    )
    stripe_webhook_secret: SecretStr | None = Field(
        default=None,
        description="How Stripe signs its webhooks to `/api/v1/webhooks/stripe` (`whsec_...`); "
        "two with a comma between them while you exchange one for the other. Without it webhooks "
        "are refused, and what happened at Stripe is fetched every five minutes.",
    )
    stripe_url: str | None = Field(
        default=None,
        description="Another address of Stripe's API than its own, such as a proxy, or a simulator "
        "that runs by itself. Never with a live key, except over https.",
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

    @field_validator("public_url")
    @classmethod
    def _origin(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("must be http://host or https://host")
        if parts.path not in {"", "/"} or parts.query or parts.fragment or parts.username:
            raise ValueError("must end after the host and port")
        return f"{parts.scheme}://{parts.netloc.lower()}"

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """The secrets that Stripe's webhooks may be signed with."""
        if self.stripe_webhook_secret is None:
            return ()
        return tuple(_words(self.stripe_webhook_secret.get_secret_value()))

    @field_validator("stripe_key")
    @classmethod
    def _stripe_key(cls, key: SecretStr | None) -> SecretStr | None:
        if key and not key.get_secret_value().startswith(
            ("sk_test_", "sk_live_", "rk_test_", "rk_live_")
        ):
            raise ValueError("must start with sk_test_, sk_live_, rk_test_ or rk_live_")
        return key

    @field_validator("stripe_publishable_key")
    @classmethod
    def _stripe_publishable_key(cls, key: str | None) -> str | None:
        if key and not key.startswith(("pk_test_", "pk_live_")):
            raise ValueError("must start with pk_test_ or pk_live_")
        return key

    @field_validator("stripe_webhook_secret")
    @classmethod
    def _stripe_webhook_secret(cls, secret: SecretStr | None) -> SecretStr | None:
        given = _words(secret.get_secret_value()) if secret else []
        if secret and not (given and all(one.startswith("whsec_") for one in given)):
            raise ValueError("must be one or more that start with whsec_")
        return secret

    @field_validator("stripe_url")
    @classmethod
    def _stripe_url(cls, url: str | None, info: ValidationInfo) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
            raise ValueError("must be http://host or https://host")
        key = info.data.get("stripe_key")
        if key and "_live_" in key.get_secret_value()[:9] and parts.scheme != "https":
            raise ValueError("must be https: the key is a live one")
        return url.rstrip("/")

    @field_validator("trusted_proxies", "metrics_clients", mode="before")
    @classmethod
    def _split(cls, given: object) -> object:
        if isinstance(given, str):
            return _words(given)
        return given

    @field_validator("mail")
    @classmethod
    def _mail(cls, mail: SecretStr) -> SecretStr:
        transport_of(mail.get_secret_value())
        return mail

    @field_validator("push_key")
    @classmethod
    def _push_key(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None:
            # Here, so that commands which send nothing do not load what encrypts.
            from bidder_gateway.notices.push_key import scalar_of

            scalar_of(key.get_secret_value())
        return key

    @field_validator("mail_from")
    @classmethod
    def _mail_from(cls, sender: str) -> str:
        address_of(sender)
        return sender


def _words(given: str) -> list[str]:
    return [part.strip() for part in given.split(",") if part.strip()]


def load(**given: object) -> Settings:
    """The settings of this process; what is given (options of a command) goes first."""
    return foundation_settings.load(Settings, **given)
