"""All operations of the API, and which one a request means."""

from apps.stripe_sandbox.errors import invalid
from apps.stripe_sandbox.operations import Operation
from apps.stripe_sandbox.resources import (
    account,
    checkout_sessions,
    core_events,
    coupons,
    credit_notes,
    customers,
    disputes,
    entitlements,
    event_destinations,
    events,
    invoice_previews,
    invoices,
    meters,
    payment_intents,
    payment_methods,
    payments,
    portal,
    prices,
    products,
    promotion_codes,
    refunds,
    subscription_pauses,
    subscription_schedules,
    subscriptions,
    test_clocks,
    webhook_endpoints,
)

RESOURCES = (
    account,
    checkout_sessions,
    core_events,
    credit_notes,
    coupons,
    customers,
    disputes,
    entitlements,
    event_destinations,
    events,
    invoice_previews,
    invoices,
    meters,
    payment_intents,
    payment_methods,
    payments,
    portal,
    prices,
    products,
    promotion_codes,
    refunds,
    subscription_pauses,
    subscription_schedules,
    subscriptions,
    test_clocks,
    webhook_endpoints,
)
OPERATIONS: list[Operation] = [operation for resource in RESOURCES for operation in resource.OPERATIONS]


def find_operation(method: str, path: str) -> tuple[Operation, tuple[str, ...]]:
    """Give the operation a request means, and the ids in its path.

    Raises  StripeError 404: no such route.
    """
    for operation in OPERATIONS:
        if operation.method == method:
            keys = operation.match(path)
            if keys is not None:
                return operation, keys
    raise invalid(f"Unrecognized request URL ({method}: {path}).", status=404)
