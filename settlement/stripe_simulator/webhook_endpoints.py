"""Webhook endpoints and events: docs.stripe.com/api/webhook_endpoints, /api/events.

The simulator sends only to this machine: it is no way to make it talk to anybody else.
"""

import hashlib
from ipaddress import ip_address
from typing import Any, Final

from yarl import URL

from settlement.stripe_simulator import listing
from settlement.stripe_simulator import parameters as p
from settlement.stripe_simulator.problems import Refused, invalid, required
from settlement.stripe_simulator.work import API_VERSION, Work

Json = dict[str, Any]

MAX_ENDPOINTS: Final = 16  # Stripe's own bound

CREATE: Final[p.Shape] = {
    "api_version": p.text,
    "connect": p.boolean,
    "description": p.text,
    "enabled_events": [p.text],
    "metadata": p.metadata,
    "url": p.text,
}
UPDATE: Final[p.Shape] = {
    "description": p.text,
    "disabled": p.boolean,
    "enabled_events": [p.text],
    "metadata": p.metadata,
    "url": p.text,
}
LIST_EVENTS: Final[p.Shape] = (
    listing.PAGE
    | listing.CREATED
    | {"type": p.text, "types": [p.text], "delivery_success": p.boolean}
)


def create(work: Work, params: Json) -> Json:
    """The secret is shown this once."""
    for name in ("enabled_events", "url"):
        if name not in params:
            raise required(name)
    if sum(1 for _ in work.changes.newest_first("webhook_endpoint")) >= MAX_ENDPOINTS:
        raise Refused(f"You have reached the maximum of {MAX_ENDPOINTS} test webhook endpoints.")
    object_id = work.new_id("we")
    secret = hashlib.sha256(f"{work.seed}:{object_id}".encode()).hexdigest()[:32]
    endpoint = {
        "id": object_id,
        "object": "webhook_endpoint",
        "api_version": params.get("api_version"),
        "application": None,
        "created": work.now,
        "description": params.get("description"),
        "enabled_events": params["enabled_events"],
        "livemode": False,
        "metadata": p.merged({}, params.get("metadata")),
        "status": "enabled",
        "url": _local(params["url"]),
        "_connect": params.get("connect", False),
        "_secret": f"whsec_{secret}",
    }
    work.changes.put("webhook_endpoint", object_id, endpoint)
    return endpoint | {"secret": endpoint["_secret"], "api_version": API_VERSION}


def update(work: Work, params: Json, endpoint_id: str) -> Json:
    """Change what is given."""
    retrieve(work, {}, endpoint_id)
    endpoint = work.edit("webhook_endpoint", endpoint_id)
    endpoint["metadata"] = p.merged(endpoint["metadata"], params.get("metadata"))
    if "url" in params:
        endpoint["url"] = _local(params["url"])
    if "disabled" in params:
        endpoint["status"] = "disabled" if params["disabled"] else "enabled"
    for name in ("description", "enabled_events"):
        if name in params:
            endpoint[name] = params[name] or None
    return endpoint


def delete(work: Work, _: Json, endpoint_id: str) -> Json:
    """Nothing is sent there any more."""
    retrieve(work, {}, endpoint_id)
    work.changes.remove("webhook_endpoint", endpoint_id)
    for row in list(work.changes.newest_first("delivery")):
        if row["endpoint"] == endpoint_id:
            work.changes.remove("delivery", row["id"])
    return {"id": endpoint_id, "object": "webhook_endpoint", "deleted": True}


def retrieve(work: Work, _: Json, endpoint_id: str) -> Json:
    """Without its secret."""
    return work.get("webhook_endpoint", endpoint_id, in_path=True)


def list_(work: Work, params: Json) -> Json:
    """Newest first."""
    return listing.page(work, "webhook_endpoint", params, "/v1/webhook_endpoints")


def retrieve_event(work: Work, _: Json, event_id: str) -> Json:
    """By its id."""
    return work.get("event", event_id, in_path=True)


def list_events(work: Work, params: Json) -> Json:
    """Newest first; a type may end with ``*``."""
    wanted = params.get("types") or ([params["type"]] if "type" in params else [])

    delivered = params.get("delivery_success")

    def fits(event: Json) -> bool:
        if delivered is not None and delivered != (event["pending_webhooks"] == 0):
            return False
        return not wanted or any(
            event["type"] == kind or (kind.endswith("*") and event["type"].startswith(kind[:-1]))
            for kind in wanted
        )

    return listing.page(work, "event", params, "/v1/events", fits=fits)


def _local(url: str) -> str:
    try:
        parts = URL(url)
        host = parts.host or ""
        local = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local or parts.scheme not in ("http", "https"):
        raise invalid(
            "Invalid URL: the simulator sends to this machine only.", "url", "url_invalid"
        )
    return url
