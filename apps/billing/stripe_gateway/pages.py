"""Pages that Stripe hosts: checkout and the portal."""

from apps.billing import stripe_facts as facts
from apps.billing.stripe_gateway.calls import Calls, Params

PORTAL_MARK = {"managed_by": "causerie"}


class PageCalls(Calls):
    """Pages that Stripe hosts: checkout and the portal."""

    def create_session(self, params: Params, *, key: str) -> facts.Session:
        """Open a checkout session; the same key gives the same session."""
        return facts.read_session(self._ask(self._client.v1.checkout.sessions.create, params, key=key))

    def fetch_session(self, session: str) -> facts.Session:
        """Read a checkout session."""
        return facts.read_session(self._ask(self._client.v1.checkout.sessions.retrieve, {}, session))

    def expire_session(self, session: str, *, key: str) -> facts.Session:
        """Close a checkout session that is open."""
        return facts.read_session(self._ask(self._client.v1.checkout.sessions.expire, {}, session, key=key))

    def find_promotion(self, code: str) -> facts.Promotion | None:
        """What stands behind a code that somebody has; None where it is nothing, or over."""
        params = {"code": code, "active": True, "expand": ["data.promotion.coupon"]}
        return next(map(facts.read_promotion, self._pages(self._client.v1.promotion_codes.list, params)), None)

    def create_portal_session(self, params: Params, *, key: str) -> str:
        """Let a customer into the portal: an address that is a bearer credential."""
        return str(self._ask(self._client.v1.billing_portal.sessions.create, params, key=key)["url"])

    def find_portal_configuration(self) -> tuple[str, Params] | None:
        """The portal's settings that publication made: id and features."""
        listed = self._pages(self._client.v1.billing_portal.configurations.list, {"active": True})
        ours = (raw for raw in listed if PORTAL_MARK.items() <= (raw.get("metadata") or {}).items())
        return next(((str(raw["id"]), raw["features"]) for raw in ours), None)

    def save_portal_configuration(self, configuration: str | None, features: Params, *, key: str) -> None:
        """Make or change the portal's settings."""
        calls = self._client.v1.billing_portal.configurations
        if configuration is None:
            self._ask(calls.create, {"features": features, "metadata": PORTAL_MARK}, key=key)
        else:
            self._ask(calls.update, {"features": features}, configuration, key=key)
