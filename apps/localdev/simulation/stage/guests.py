"""Simulated people in the product: they join by the rules of sign-up, and are found again by their address."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.db import transaction

from apps.accounts import signup
from apps.accounts.models import User
from apps.billing import entitlements
from apps.billing.models import BillingAccount, SubscriptionMirror
from apps.developer import keys
from apps.developer.models import ApiKey
from apps.inference.models import Run
from apps.localdev.simulation.parameters import Parameters
from apps.localdev.simulation.population import Person
from apps.localdev.simulation.subscribers import Subscription
from apps.usage import credits
from apps.usage.models import CreditGrant

GIFT_MICRO = 10_000_000
GIFTED = 5  # every fifth developer
KEY_NAME = "Simulated"


@dataclass(frozen=True)
class Guest:
    """A person with their rows."""

    person: Person
    account: BillingAccount

    @property
    def owner(self) -> User:
        owner: User = self.account.owner
        return owner

    def subscription(self) -> SubscriptionMirror | None:
        """What they pay for; who never bought anything is not looked up."""
        if self.account.stripe_customer_id is None:
            return None
        found: SubscriptionMirror | None = self.account.subscriptions.live().order_by("started_at").last()
        return found


def find(person: Person, parameters: Parameters) -> Guest | None:
    """The person's rows; None before they joined."""
    accounts = BillingAccount.objects.select_related("owner")
    account = accounts.filter(owner__email=parameters.email_of(person.number)).first()
    return Guest(person, account) if account else None


def join(person: Person, parameters: Parameters) -> Guest:
    """Sign up, with what the form asks. Inside `acts.whole`."""

    def make() -> User:
        user = User.objects.create_user(
            parameters.email_of(person.number),
            name=person.name,
            language=person.home.language,
            country=person.home.country,
            time_zone=person.home.time_zone,
        )
        user.date_joined = person.joined_at
        user.save(update_fields=["date_joined"])  # making a row sets the real time
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        return user

    user = signup.join(make, allows_training=person.allows_training)
    account = entitlements.account_for(user, now=person.joined_at + timedelta(seconds=20))
    return Guest(person, account)


def open_api(guest: Guest, parameters: Parameters, *, now: datetime) -> None:
    """Make a key, which brings the starter credit; some are given more. Once. Inside `acts.whole`."""
    if ApiKey.objects.filter(account=guest.account).exists():
        return
    keys.make_key(guest.account, KEY_NAME, now=now)
    if guest.person.number % GIFTED == 0:
        reference = f"simulation:{parameters.seed}:{guest.person.number}"
        currency = credits.currency_of(guest.account)
        with transaction.atomic(durable=True):
            credits.grant(guest.account, CreditGrant.Source.SUPPORT, reference, GIFT_MICRO, currency, now=now)


def reached(guest: Guest) -> tuple[datetime, bool]:
    """Up to when a person's rows go, and whether the last of them is a refusal: a killed run goes on from there."""
    last = Run.objects.filter(account=guest.account).order_by("-created_at").first()
    moments = [guest.account.created_at, guest.account.last_synced_at, last and last.created_at]
    latest = max(moment for moment in moments if moment)
    return latest, last is not None and last.created_at == latest and last.refusal is not None


def as_subscription(mirror: SubscriptionMirror) -> Subscription:
    """What of a mirrored subscription decides about what happens next."""
    account: BillingAccount = mirror.account
    [item] = mirror.items.select_related("price").all()
    assert mirror.current_period_end is not None  # noqa: S101 every plan renews
    return Subscription(
        plan=str(mirror.plan_id),
        interval=item.price.interval,
        started_at=mirror.started_at,
        period_end=mirror.current_period_end,
        is_leaving=mirror.cancel_at_period_end,
        late_since=account.delinquent_since,
        seen_at=account.last_synced_at or mirror.started_at,
    )
