"""A bad setting stops the start with one line that names it; a secret is never repeated."""

from pathlib import Path

import pytest

from foundation.settings import BadSetting
from softclose.settings import Settings, load


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields:
        monkeypatch.delenv(f"SOFTCLOSE_{field.upper()}", raising=False)


def complaint() -> str:
    with pytest.raises(BadSetting) as raised:
        load()
    text = str(raised.value)
    assert "\n" not in text
    return text


def test_without_any_setting_it_keeps_to_this_machine() -> None:
    settings = load()
    assert settings.http_host == "127.0.0.1"
    assert settings.database_url is None
    assert settings.data.is_absolute()


def test_an_option_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTCLOSE_HTTP_PORT", "9000")
    assert load().http_port == 9000
    assert load(http_port=9001).http_port == 9001


def test_an_empty_variable_is_an_absent_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTCLOSE_HTTP_PORT", "")
    assert load().http_port == 8080


@pytest.mark.parametrize("value", ["eighty", "-1", "65536", "80.5"])
def test_a_port_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SOFTCLOSE_HTTP_PORT", value)
    assert complaint().startswith("SOFTCLOSE_HTTP_PORT: ")
    assert value in complaint()


def test_a_misspelled_setting_is_refused_with_the_right_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOFTCLOSE_HTTP_PROT", "9000")
    expected = "SOFTCLOSE_HTTP_PROT is not a setting; did you mean SOFTCLOSE_HTTP_PORT?"
    assert complaint() == expected


def test_variables_of_the_test_suite_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTCLOSE_TEST_DATA", "anywhere")
    assert load().http_port == 8080


def test_a_bad_database_url_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTCLOSE_DATABASE_URL", "mysql://someone:hunter2@host/x")
    assert complaint() == "SOFTCLOSE_DATABASE_URL: must start with postgresql://"


@pytest.mark.parametrize(
    "url",
    ["softclose.example", "ftp://x", "https://", "https://x/path", "https://x?q", "https://u@x"],
)
def test_a_public_url_that_is_no_origin_is_refused(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("SOFTCLOSE_PUBLIC_URL", url)
    assert complaint().startswith("SOFTCLOSE_PUBLIC_URL: must ")


def test_a_public_url_becomes_the_origin_that_browsers_send(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOFTCLOSE_PUBLIC_URL", "https://Softclose.Example:8443/")
    assert load().public_url == "https://softclose.example:8443"


def test_networks_are_listed_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTCLOSE_TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.7,, fd00::/8")
    assert [str(network) for network in load().trusted_proxies] == [
        "10.0.0.0/8",
        "192.0.2.7/32",
        "fd00::/8",
    ]
    monkeypatch.setenv("SOFTCLOSE_TRUSTED_PROXIES", "10.0.0.0/8, everybody")
    assert complaint().startswith("SOFTCLOSE_TRUSTED_PROXIES: ")


def test_by_default_nobody_is_trusted_and_metrics_are_for_this_machine() -> None:
    settings = load()
    assert settings.trusted_proxies == ()
    assert [str(network) for network in settings.metrics_clients] == ["127.0.0.0/8", "::1/128"]
    assert settings.mail.get_secret_value() == "file"


def test_a_bad_mail_server_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTCLOSE_MAIL", "smtp:/someone:hunter2@host")
    assert complaint() == "SOFTCLOSE_MAIL: must be file, console, smtp://... or smtps://..."


def test_a_sender_that_is_no_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTCLOSE_MAIL_FROM", "Softclose")
    assert complaint().startswith("SOFTCLOSE_MAIL_FROM: 'Softclose' is not a mail address")


def test_the_data_folder_follows_the_users_data_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert load().data == tmp_path / "softclose"
    monkeypatch.setenv("XDG_DATA_HOME", "relative/is/ignored")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load().data == tmp_path / ".local" / "share" / "softclose"


def test_a_bad_key_of_pushes_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTCLOSE_PUSH_KEY", "c2VjcmV0")
    text = complaint()
    assert text.startswith("SOFTCLOSE_PUSH_KEY: must be 32 bytes in base64url")
    assert "c2VjcmV0" not in text


def test_text_messages_are_off_unless_somebody_wants_to_try_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert load().sms == "off"
    monkeypatch.setenv("SOFTCLOSE_SMS", "pigeon")
    assert complaint().startswith("SOFTCLOSE_SMS: ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STRIPE_KEY", "pk_test_1"),
        ("STRIPE_KEY", "1234"),
        ("STRIPE_PUBLISHABLE_KEY", "sk_test_1"),
        ("STRIPE_WEBHOOK_SECRET", "whsec_1,other"),
        ("STRIPE_WEBHOOK_SECRET", ","),
        ("STRIPE_URL", "ftp://example.com"),
        ("STRIPE_URL", "example.com"),
    ],
)
def test_what_stripe_could_not_work_with_is_refused_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"SOFTCLOSE_{name}", value)
    said = complaint()
    assert said.startswith(f"SOFTCLOSE_{name}: ")
    assert name in ("STRIPE_URL", "STRIPE_PUBLISHABLE_KEY") or value not in said


def test_a_live_key_goes_nowhere_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTCLOSE_STRIPE_KEY", "sk_live_1")
    monkeypatch.setenv("SOFTCLOSE_STRIPE_URL", "http://127.0.0.1:1")
    assert complaint().startswith("SOFTCLOSE_STRIPE_URL: ")
    monkeypatch.setenv("SOFTCLOSE_STRIPE_URL", "https://proxy.example.com/")
    assert load().stripe_url == "https://proxy.example.com"
    assert "sk_live_1" not in repr(load())
