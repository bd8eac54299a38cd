"""The mails of this room, in words. Plain text, so that nothing in them can be hidden.

Whoever asks for a mail to an address that may be somebody else's gets no word of their own into
it: else we would carry advertising and worse to strangers.
"""

from msgspec import Struct

from accounts.secret import Secret


class Letter(Struct, frozen=True):
    """One mail. The text may hold a secret: it is handed to the mail server and kept nowhere."""

    to: str
    subject: str
    text: str


_FOOT = "\n\n--\nSoftclose, live liquidation auctions\n"


def confirm_sign_up(to: str, origin: str, secret: Secret) -> Letter:
    """To an address that nobody signs in with yet."""
    return _letter(
        to,
        "Finish signing up",
        "Somebody, we hope you, wants to buy on Softclose under this mail address. To finish, "
        "choose a password here within 24 hours:",
        f"{origin}/sign-up/{secret}",
        "If it was not you, do nothing: without the link there will be no account.",
    )


def already_signed_up(to: str, origin: str) -> Letter:
    """To an address that somebody signs in with, when it is signed up again."""
    return _letter(
        to,
        "You have an account already",
        "Somebody, perhaps you, wanted to sign up under this mail address, which has an account "
        "already. Nothing has changed. You can sign in here:",
        f"{origin}/sign-in",
        "or choose a new password here:",
        f"{origin}/reset",
    )


def reset_password(to: str, origin: str, secret: Secret) -> Letter:
    """The link by which a new password is chosen."""
    return _letter(
        to,
        "Choose a new password",
        "Somebody, we hope you, asked for a new password to your account. Choose it here within "
        "30 minutes; the link works once:",
        f"{origin}/reset/{secret}",
        "If it was not you, do nothing: your password stays as it is.",
    )


def password_changed(to: str, origin: str) -> Letter:
    """After a password was changed or reset."""
    return _letter(
        to,
        "Your password was changed",
        "The password to your account was changed just now, and you were signed out everywhere "
        "else. If it was not you, choose a new one at once:",
        f"{origin}/reset",
        "and look at your API tokens, which still work:",
        f"{origin}/account/tokens",
    )


def confirm_mail(to: str, origin: str, secret: Secret) -> Letter:
    """To the new address."""
    return _letter(
        to,
        "Confirm your mail address",
        "To sign in with this mail address from now on, open this link within 24 hours in the "
        "browser in which you are signed in:",
        f"{origin}/account/mail/{secret}",
        "If you asked for nothing, do nothing.",
    )


def mail_changed(to: str) -> Letter:
    """To the old address."""
    return _letter(
        to,
        "Your mail address was changed",
        "Your account has another mail address from now on, and this one is no longer used. If "
        "it was not you, tell the admin of your team or us at once.",
    )


def second_factor_changed(to: str, origin: str, *, now_set: bool) -> Letter:
    """After a second factor was set up or removed."""
    done = "set up for" if now_set else "removed from"
    return _letter(
        to,
        f"A second factor was {done} your account",
        f"A second factor was {done} your account just now. If it was not you, choose a new "
        "password at once:",
        f"{origin}/reset",
    )


def invitation(to: str, origin: str, organisation_name: str, secret: Secret) -> Letter:
    """By an admin of the team."""
    return _letter(
        to,
        "You are invited to a team",
        f"{organisation_name} has invited you to its team on Softclose. Join here within 7 days:",
        f"{origin}/invitations/{secret}",
        "If you do not know why, do nothing.",
    )


def application_decided(to: str, origin: str, outcome: str, reasons: str) -> Letter:
    """To the applicant's admins."""
    said = [f"Our staff wrote:\n\n{reasons}"] if reasons else []
    return _letter(to, outcome, f"{outcome}.", *said, "See it here:", f"{origin}/account/approval")


def certificate_expires(to: str, origin: str, region: str, on: str) -> Letter:
    """Some time before a resale certificate expires."""
    return _letter(
        to,
        f"Your resale certificate for {region} expires on {on}",
        f"After {on} sales tax is added to what you buy for {region}. Send the new certificate "
        "before that:",
        f"{origin}/account/approval",
    )


def _letter(to: str, subject: str, *paragraphs: str) -> Letter:
    return Letter(to, subject, "\n\n".join(paragraphs) + _FOOT)
