"""Refusals in the shape that Stripe gives them (docs.stripe.com/api/errors, /error-codes).

``kept`` says whether the answer is remembered under the request's idempotency key: Stripe keeps
results "only after the execution of an endpoint begins", so what fails validation may be tried
again under the same key (docs.stripe.com/api/idempotent_requests). ``effects`` says whether what
the request did before it was refused stays: a declined payment leaves its failed charge behind.
"""

from typing import Any

Json = dict[str, Any]


class Refused(Exception):
    """The request is answered with an error."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        kept: bool = True,
        effects: bool = False,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status, self.kept, self.effects = status, kept, effects
        self.code = code
        error: Json = {"type": kind, "message": message}
        if code is not None:
            error |= {"code": code, "doc_url": f"https://stripe.com/docs/error-codes/{code}"}
            error["doc_url"] = error["doc_url"].replace("_", "-")
        if param is not None:
            error["param"] = param
        self.error = error | {name: value for name, value in more.items() if value is not None}

    @property
    def body(self) -> Json:
        """The whole answer."""
        return {"error": self.error}


def missing(kind: str, object_id: str, param: str = "id", *, in_path: bool = False) -> Refused:
    """No object of this kind has this id: 404 where the address names it, else 400."""
    return Refused(
        f"No such {kind}: '{object_id[:100]}'",
        status=404 if in_path else 400,
        code="resource_missing",
        param=param,
    )


def invalid(message: str, param: str, code: str | None = None) -> Refused:
    """A parameter that fails validation; its key may be used again."""
    return Refused(message, param=param, code=code, kept=False)


def required(param: str) -> Refused:
    """A parameter that must be given."""
    return Refused(
        f"Missing required param: {param}.", param=param, code="parameter_missing", kept=False
    )


def unexpected_state(what: str, status: str, action: str, **more: Any) -> Refused:
    """The object's life does not allow this any more, or not yet."""
    name = "PaymentIntent" if what == "payment_intent" else "SetupIntent"
    return Refused(
        f"This {name} could not be {action} because it has a status of {status}.",
        code=f"{what}_unexpected_state",
        **more,
    )
