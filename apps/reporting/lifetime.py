"""What a customer will have brought by the time they leave. Pure."""

from apps.reporting.metrics.base import WHOLE

FEWEST = 20  # customers: a rate of fewer says little


def months_of(churn: int | None) -> int | None:
    """How many months a customer stays, in millionths, at a monthly churn in millionths; None without churn."""
    return None if not churn or churn < 0 else (2 * WHOLE * WHOLE + churn) // (2 * churn)


def ltv(arpa_micro: int | None, margin: int | None, churn: int | None, customers: int) -> int | None:
    """Lifetime value: ARPA × gross margin ÷ monthly customer churn, in micro-units.

    margin, churn  ratios in millionths. None (n/a): without churn, without a margin, or with fewer than 20 customers.
    """
    if arpa_micro is None or margin is None or not churn or churn < 0 or customers < FEWEST:
        return None
    return (2 * arpa_micro * margin + churn) // (2 * churn)


def mean(values: list[int | None]) -> int | None:
    """The mean, rounded half up; None where one of them is n/a."""
    known = [value for value in values if value is not None]
    if not values or len(known) < len(values):
        return None
    return (2 * sum(known) + len(known)) // (2 * len(known))
