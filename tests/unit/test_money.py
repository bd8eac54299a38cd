import pytest

from auction.money import EXPONENTS, MAX_MINOR, format_minor, parse_minor, share_minor


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("177.50", "USD", 177_50),
        ("177.5", "USD", 177_50),
        ("177", "USD", 177_00),
        ("0", "USD", 0),
        ("0.01", "USD", 1),
        ("00100.50", "USD", 100_50),
        ("1.500", "USD", 1_50),
        (" 12 ", "USD", 12_00),
        ("177", "JPY", 177),
        ("177.0", "JPY", 177),
        ("1.234", "KWD", 1_234),
        ("90071992547409.92", "USD", 2**53),
    ],
)
def test_an_amount_is_read_as_minor_units(text: str, currency: str, minor: int) -> None:
    assert parse_minor(text, currency) == minor


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ".",
        "-1",
        "+1",
        "1e5",
        "1_000",
        "1,000",
        "1.2.3",
        "$5",
        "NaN",
        "inf",
        "10\0",
        "\u0661\u0662",
        "\uff11",
    ],
)
def test_what_is_not_a_plain_decimal_is_not_an_amount(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not an amount such as 177\.50"):
        parse_minor(text, "USD")


@pytest.mark.parametrize(
    ("text", "currency"),
    [("10.005", "USD"), ("1.5", "JPY"), ("1.2345", "KWD"), ("1." + "0" * 40 + "1", "USD")],
)
def test_an_amount_finer_than_the_smallest_unit_is_refused(text: str, currency: str) -> None:
    with pytest.raises(ValueError, match=f"finer than the smallest unit of {currency}"):
        parse_minor(text, currency)


@pytest.mark.parametrize("text", ["90071992547409.93", "1" + "0" * 30, "9" * 10_000])
def test_an_amount_beyond_two_to_the_53rd_is_refused_in_a_short_line(text: str) -> None:
    with pytest.raises(ValueError, match="larger than any amount that can be bid") as error:
        parse_minor(text, "USD")
    assert len(str(error.value)) < 120


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (177_50, "USD", "177.50"),
        (5, "USD", "0.05"),
        (0, "USD", "0.00"),
        (-1_50, "USD", "-1.50"),
        (-5, "EUR", "-0.05"),
        (177, "JPY", "177"),
        (1_234, "BHD", "1.234"),
        (MAX_MINOR, "USD", "90071992547409.92"),
    ],
)
def test_an_amount_is_written_as_a_plain_decimal(minor: int, currency: str, text: str) -> None:
    assert format_minor(minor, currency) == text


@pytest.mark.parametrize("currency", EXPONENTS)
@pytest.mark.parametrize("minor", [0, 1, 9, 10, 99, 100, 999, 1_000, 123_456_789, MAX_MINOR])
def test_what_is_written_is_read_back(minor: int, currency: str) -> None:
    assert parse_minor(format_minor(minor, currency), currency) == minor


@pytest.mark.parametrize(
    ("amount_minor", "rate_bps", "share"),
    [
        (1_237_50, 1_500, 185_63),  # 185.625
        (1_423_13, 825, 117_41),  # 117.408225
        (1_237_50, 1_000, 123_75),
        (1, 5_000, 1),  # a half goes up
        (1, 4_999, 0),
        (3, 5_000, 2),
        (0, 10_000, 0),
        (MAX_MINOR, 10_000, MAX_MINOR),
    ],
)
def test_a_share_is_rounded_half_up(amount_minor: int, rate_bps: int, share: int) -> None:
    assert share_minor(amount_minor, rate_bps) == share
