"""Simulated people in the product: they join by the rules of sign-up, and are found again by their address."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.db import transaction

from apps.accounts import signup, visits
from apps.accounts.models import User
from apps.billing import entitlements
from apps.billing.models import BillingAccount, SubscriptionMirror
from apps.developer import keys
from apps.developer.models import ApiKey
from apps.inference.models import Run
from apps.localdev.simulation import population
from apps.localdev.simulation.parameters import Parameters
from apps.localdev.simulation.population import Person
from apps.localdev.simulation.subscribers import Subscription
from apps.usage import credits
from apps.usage.models import CreditGrant

GIFT_MICRO = 10_000_000
GIFTED = 5  # every fifth developer
KEY_NAME = "Simulated"
PAYS_IN = timedelta(seconds=75)  # from the pricing page to being back from Stripe's


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
    """Sign up, with what the form asks; others look at the public pages and go. Inside `acts.whole`."""

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
    came = population.visitors_beside(person, parameters)
    for page, many in ((visits.HOME, came.home), (visits.PRICING, came.pricing)):
        visits.add(page, came.source, many, now=person.joined_at)
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


@dataclass(frozen=True)
class Reached:
    """How far a person's rows go: where a killed run goes on.

    was_refused  the last thing was a refusal by a worker.
    has_left     the last thing was a purchase that came to nothing.
    """

    at: datetime
    was_refused: bool = False
    has_left: bool = False


def reached(guest: Guest) -> Reached:
    """Read how far a person came, from what their last visit or purchase left."""
    account = guest.account
    run = Run.objects.filter(account=account).order_by("-created_at").first()
    attempt = account.checkout_attempts.order_by("-created_at").first()
    moments = [account.created_at, account.last_synced_at, run and run.created_at]
    at = max(moment for moment in moments if moment)
    is_attempt = attempt is not None and attempt.created_at + PAYS_IN == at
    return Reached(
        at,
        was_refused=run is not None and run.created_at == at and run.refusal is not None,
        has_left=is_attempt and guest.subscription() is None,
    )


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
