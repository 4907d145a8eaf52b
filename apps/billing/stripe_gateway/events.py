"""Events: those that Stripe lists, and those that it delivers."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime

from apps.billing import stripe_facts as facts
from apps.billing.errors import ForgedEvent
from apps.billing.stripe_gateway.calls import Calls, is_signed

SKEW_S = 300


class EventCalls(Calls):
    """Events: those that Stripe lists, and those that it delivers."""

    def list_events(self, *, since: datetime) -> Iterator[facts.Event]:
        """Read the events of the last hours, the newest first."""
        params = {"created": {"gte": int(since.timestamp())}}
        return map(facts.read_event, self._pages(self._client.v1.events.list, params))


def read_event(raw_body: bytes, signature: str, secrets: Iterable[str], *, now: datetime) -> tuple[facts.Event, str]:
    """Verify and read a delivered event, signed with any of the secrets, not more than five minutes off either way.

    The secret that fits is given too: while one replaces another, one wants to know who still uses the old one.

    Raises  ForgedEvent: anything else; nobody is told what.
    """
    try:
        signed_at = int(next(part for part in signature.split(",") if part.startswith("t="))[2:])
        fitting = (secret for secret in secrets if is_signed(raw_body, signature, secret))
        secret = next(fitting, None) if abs(now.timestamp() - signed_at) <= SKEW_S else None
        if secret is None:
            raise ForgedEvent
        return facts.read_event(json.loads(raw_body)), secret
    except (ValueError, KeyError, TypeError, AttributeError, StopIteration, OverflowError, RecursionError) as error:
        raise ForgedEvent from error
