"""docs/notices.md, made from the table of kinds so that it cannot be out of date.

Run as ``python -m bidder_gateway.notices.reference > docs/notices.md``.
"""

from bidder_gateway.notices.kinds import (
    DAY_US,
    HOUR_US,
    MANNERS,
    MINUTE_US,
    SECOND_US,
    SMS_RHYTHM,
    Kind,
    Rhythm,
    Way,
)

_INTRODUCTION = """\
# Notices

What people are told, and how. Each person chooses by kind and way; this is what is in force until
they do. This page is made by `python -m bidder_gateway.notices.reference > docs/notices.md`.

- *urgent*: goes out before the others, is not sent when its reader has seen it on a page, and comes
  in quiet hours if the person wants that.
- *listed whatever was chosen*: something binding happened, so it stands in the list in any case.
- *made within*: of an older event no notice is made, as after a long stop.
- *sent within*: what did not go out in this time after its event is not sent any more. What is not
  true any more when it would go out (outbid, but leading again) is not sent either.
- *push*, *mail*: how long others are waited for that may go along, and the least time to the next
  one of the same kind (pushes: about the same lot or sale).
"""


def notices_page() -> str:
    """docs/notices.md."""
    head = "| kind | what happened | by default | made within | sent within | push | mail |"
    lines = [head, "| --- | --- | --- | --- | --- | --- | --- |"]
    lines += [_row(kind) for kind in MANNERS]
    sms = f"Text messages are off until a person asks for them: one in {_span(SMS_RHYTHM.gap_us)}."
    return "\n".join([_INTRODUCTION, *lines, "", sms, ""])


def _row(kind: Kind) -> str:
    manner = MANNERS[kind]
    marks = [
        text
        for text, applies in (
            ("urgent", manner.urgent),
            ("listed whatever was chosen", manner.always_listed),
        )
        if applies
    ]
    said = manner.title + (f" ({', '.join(marks)})" if marks else "")
    ways = ", ".join(way.lower() for way in Way if way in manner.default)
    mail = _rhythm(manner.mail) if Way.MAIL in manner.possible else "the accounts' letter"
    spans = f"{_span(manner.made_within_us)} | {_span(manner.sent_within_us)}"
    return f"| `{kind}` | {said} | {ways} | {spans} | {_rhythm(manner.push)} | {mail} |"


def _rhythm(rhythm: Rhythm) -> str:
    wait = f"after {_span(rhythm.wait_us)}" if rhythm.wait_us else "at once"
    return f"{wait}, then every {_span(rhythm.gap_us)}" if rhythm.gap_us else wait


def _span(span_us: int) -> str:
    for unit_us, word in ((DAY_US, "d"), (HOUR_US, "h"), (MINUTE_US, "min"), (SECOND_US, "s")):
        if span_us % unit_us == 0:
            return f"{span_us // unit_us} {word}"
    raise AssertionError("a span is whole seconds")


if __name__ == "__main__":
    print(notices_page(), end="")  # noqa: T201 - a command's output
