"""Connected accounts: docs.stripe.com/api/accounts, /account_links, /capabilities.

An account can be transferred to once its owner has gone through the onboarding that an account
link leads to; here by a page of the simulator or by its control.
"""

from typing import Any, Final

from settlement.stripe_simulator import listing
from settlement.stripe_simulator import parameters as p
from settlement.stripe_simulator.problems import Refused, invalid, missing, required
from settlement.stripe_simulator.work import Work

Json = dict[str, Any]

PLATFORM_ID: Final = "acct_3SoftclosePlatform"
LINK_LIVES_S: Final = 300  # "a short grace period"
CAPABILITIES: Final = ("card_payments", "transfers", "us_bank_account_ach_payments")
_DUE: Final = ("external_account", "tos_acceptance.date", "tos_acceptance.ip")

_REQUESTED: Final[p.Shape] = {"requested": p.boolean}
_FIELDS: Final[p.Shape] = {
    "business_profile": p.anything,
    "business_type": p.one_of("company", "government_entity", "individual", "non_profit"),
    "capabilities": dict.fromkeys(CAPABILITIES, _REQUESTED),
    "company": p.anything,
    "email": p.text,
    "individual": p.anything,
    "metadata": p.metadata,
    "settings": {"payouts": {"schedule": {"interval": p.text, "delay_days": p.text}}},
}
CREATE: Final[p.Shape] = _FIELDS | {
    "controller": {
        "fees": {"payer": p.one_of("account", "application")},
        "losses": {"payments": p.one_of("application", "stripe")},
        "requirement_collection": p.one_of("application", "stripe"),
        "stripe_dashboard": {"type": p.one_of("express", "full", "none")},
    },
    "country": p.text,
    "default_currency": p.text,
    "type": p.one_of("custom", "express", "standard"),
}
UPDATE: Final[p.Shape] = _FIELDS
LIST: Final[p.Shape] = listing.PAGE | listing.CREATED
BALANCE_SETTINGS: Final[p.Shape] = {
    "payments": {"payouts": {"schedule": {"interval": p.text}}},
}
LINK: Final[p.Shape] = {
    "account": p.text,
    "collect": p.one_of("currently_due", "eventually_due"),
    "collection_options": {"fields": p.text, "future_requirements": p.text},
    "refresh_url": p.text,
    "return_url": p.text,
    "type": p.one_of("account_onboarding", "account_update"),
}


def create(work: Work, params: Json) -> Json:
    """A new account, which has to be onboarded."""
    country = params.get("country", "US")
    account = {
        "id": work.new_id("acct"),
        "object": "account",
        "business_profile": params.get("business_profile"),
        "business_type": params.get("business_type"),
        "capabilities": {},
        "charges_enabled": False,
        "controller": {"type": "application", "is_controller": True}
        | (params.get("controller") or {}),
        "country": country,
        "created": work.now,
        "default_currency": params.get("default_currency", "usd"),
        "details_submitted": False,
        "email": params.get("email"),
        "external_accounts": {"object": "list", "data": [], "has_more": False, "url": ""},
        "future_requirements": _requirements(()),
        "metadata": {},
        "payouts_enabled": False,
        "requirements": _requirements(_DUE),
        "settings": _settings(),
        "tos_acceptance": {"date": None, "ip": None, "user_agent": None},
        "type": "none" if params.get("controller") else params.get("type", "standard"),
    }
    account["external_accounts"]["url"] = f"/v1/accounts/{account['id']}/external_accounts"
    _set(work.changes.put("account", account["id"], account), params)
    return account


def update(work: Work, params: Json, account_id: str) -> Json:
    """Change what is given."""
    existing(work, account_id, in_path=True)
    account = work.edit("account", account_id)
    for name in ("business_profile", "business_type", "email"):
        if name in params:
            account[name] = params[name] or None
    _set(account, params)
    _announce(work, account)
    return account


def retrieve(work: Work, _: Json, account_id: str) -> Json:
    """By its id."""
    return existing(work, account_id, in_path=True)


def own(work: Work, _: Json) -> Json:
    """The account whose key is used."""
    if work.account:
        return existing(work, work.account)
    platform = work.changes.find("account", PLATFORM_ID)
    if platform is None:
        platform = create(work, {"type": "standard", "business_type": "company"})
        work.changes.remove("account", platform["id"])
        platform |= {"id": PLATFORM_ID, "charges_enabled": True, "payouts_enabled": True}
        platform |= {"details_submitted": True, "requirements": _requirements(())}
        platform |= {"controller": {"type": "account"}, "created": 1_600_000_000}
        platform["external_accounts"]["url"] = f"/v1/accounts/{PLATFORM_ID}/external_accounts"
        work.changes.put("account", PLATFORM_ID, platform)
    return platform


def balance_settings(work: Work, params: Json) -> Json:
    """How the balance of the account whose key is used is paid out: the same schedule that the
    account's own settings show (docs.stripe.com/api/balance-settings)."""
    schedule = ((params.get("payments") or {}).get("payouts") or {}).get("schedule") or {}
    account = own(work, {})
    if schedule:
        account = work.edit("account", account["id"])
        _set(account, {"settings": {"payouts": {"schedule": schedule}}})
    payouts = account["settings"]["payouts"]
    return {
        "object": "balance_settings",
        "payments": {
            "debit_negative_balances": payouts["debit_negative_balances"],
            "payouts": {
                "schedule": {"interval": payouts["schedule"]["interval"]},
                "statement_descriptor": payouts["statement_descriptor"],
                "status": "enabled",
            },
            "settlement_timing": {"delay_days": payouts["schedule"]["delay_days"]},
        },
    }


def delete(work: Work, _: Json, account_id: str) -> Json:
    """Only an account without money."""
    existing(work, account_id, in_path=True)
    for row in work.changes.newest_first("balance"):
        if row["account"] == account_id and (row["available"] or row["pending"]):
            raise Refused("You cannot delete an account with a balance.")
    work.changes.remove("account", account_id)
    return {"id": account_id, "object": "account", "deleted": True}


def list_(work: Work, params: Json) -> Json:
    """Newest first, without the platform's own."""
    rows = (row for row in work.changes.newest_first("account") if row["id"] != PLATFORM_ID)
    return listing.page(work, "account", params, "/v1/accounts", rows=rows)


def link(work: Work, params: Json) -> Json:
    """Where the owner goes to be onboarded."""
    for name in ("account", "type", "return_url", "refresh_url"):
        if name not in params:
            raise required(name)
    for name in ("return_url", "refresh_url"):
        if not params[name].startswith(("http://", "https://")):
            raise invalid("Not a valid URL", name, "url_invalid")
    existing(work, params["account"], "account")
    work.edit("account", params["account"])["_return_url"] = params["return_url"]
    return {
        "object": "account_link",
        "created": work.now,
        "expires_at": work.now + LINK_LIVES_S,
        "url": f"{work.url}/_simulator/onboard/{params['account']}",
    }


def onboarded(work: Work, account_id: str, *, complete: bool = True) -> Json:
    """Its owner gave what Stripe wants to know, or part of it."""
    existing(work, account_id, in_path=True)
    account = work.edit("account", account_id)
    account["details_submitted"] = True
    if complete:
        account |= {"charges_enabled": True, "payouts_enabled": True}
        account["requirements"] = _requirements(())
        account["capabilities"] = dict.fromkeys(account["capabilities"], "active")
        account["external_accounts"]["data"] = [_bank_account(work, account)]
    _announce(work, account)
    return account


def capabilities(work: Work, _: Json, account_id: str) -> Json:
    """All that were requested."""
    account = existing(work, account_id, in_path=True)
    data = [_capability(account, name) for name in account["capabilities"]]
    url = f"/v1/accounts/{account_id}/capabilities"
    return {"object": "list", "data": data, "has_more": False, "url": url}


def capability(work: Work, _: Json, account_id: str, name: str) -> Json:
    """One of them."""
    account = existing(work, account_id, in_path=True)
    if name not in account["capabilities"]:
        raise missing("capability", name, "capability", in_path=True)
    return _capability(account, name)


def existing(work: Work, account_id: str, param: str = "account", *, in_path: bool = False) -> Json:
    """Accounts belong to the platform."""
    found = work.changes.find("account", account_id)
    if found is None:
        raise missing("account", account_id, param, in_path=in_path)
    return found


def _announce(work: Work, account: Json) -> None:
    before, work.account = work.account, account["id"]
    work.emit("account.updated", account)
    work.account = before


def _set(account: Json, params: Json) -> None:
    account["metadata"] = p.merged(account["metadata"], params.get("metadata"))
    for name, wish in (params.get("capabilities") or {}).items():
        if wish and wish.get("requested"):
            active = "active" if account["charges_enabled"] else "inactive"
            account["capabilities"].setdefault(name, active)
    schedule = ((params.get("settings") or {}).get("payouts") or {}).get("schedule") or {}
    if "interval" in schedule:
        if schedule["interval"] not in ("manual", "daily", "weekly", "monthly"):
            raise invalid("Invalid interval", "settings[payouts][schedule][interval]")
        account["settings"]["payouts"]["schedule"]["interval"] = schedule["interval"]


def _capability(account: Json, name: str) -> Json:
    due = account["requirements"]["currently_due"]
    return {
        "id": name,
        "object": "capability",
        "account": account["id"],
        "future_requirements": _requirements(()),
        "requested": True,
        "requested_at": account["created"],
        "requirements": _requirements(tuple(due)),
        "status": account["capabilities"][name],
    }


def _requirements(due: tuple[str, ...]) -> Json:
    return {
        "alternatives": [],
        "current_deadline": None,
        "currently_due": list(due),
        "disabled_reason": "requirements.past_due" if due else None,
        "errors": [],
        "eventually_due": list(due),
        "past_due": list(due),
        "pending_verification": [],
    }


def _settings() -> Json:
    kana = ("", "_kana", "_kanji")
    prefixes = dict.fromkeys(f"statement_descriptor_prefix{script}" for script in kana)
    names = dict.fromkeys(f"statement_descriptor{script}" for script in kana)
    return {
        "bacs_debit_payments": {},
        "branding": dict.fromkeys(("icon", "logo", "primary_color", "secondary_color")),
        "card_issuing": {"tos_acceptance": {"date": None, "ip": None}},
        "card_payments": {"decline_on": {"avs_failure": False, "cvc_failure": False}} | prefixes,
        "dashboard": {"display_name": None, "timezone": "Etc/UTC"},
        "payments": names,
        "payouts": {
            "debit_negative_balances": False,
            "schedule": {"delay_days": 2, "interval": "daily"},
            "statement_descriptor": None,
        },
        "sepa_debit_payments": {},
    }


def _bank_account(work: Work, account: Json) -> Json:
    return {
        "id": work.new_id("ba"),
        "object": "bank_account",
        "account": account["id"],
        "account_holder_name": None,
        "account_holder_type": None,
        "account_type": None,
        "available_payout_methods": ["standard"],
        "bank_name": "STRIPE TEST BANK",
        "country": account["country"],
        "currency": account["default_currency"],
        "default_for_currency": True,
        "fingerprint": "3softclosetestbank",
        "last4": "6789",
        "metadata": {},
        "routing_number": "110000000",
        "status": "new",
    }
