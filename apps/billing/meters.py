"""What is counted. Limits of a plan name a meter, and usage counts in its unit."""

from enum import StrEnum


class Meter(StrEnum):
    """One thing that is counted, in the unit its name says."""

    MESSAGES = "messages"
    TOKENS = "tokens"
    IMAGES = "images"
    SEARCHES = "searches"
    VOICE_SECONDS = "voice_seconds"
    BATCH_TOKENS = "batch_tokens"
    CONCURRENCY = "concurrency"  # answers at the same time; no window
    SPENDING = "spending"  # money for API calls, micro-units: what a person caps for themselves, no plan does
    USAGE_CHARGES = (
        "usage_charges"  # of it, what the month's end charges because credit was spent; sorts, and locks, last
    )


NOT_FOR_PLANS = (Meter.CONCURRENCY, Meter.SPENDING, Meter.USAGE_CHARGES)
LIMITED = tuple(meter for meter in Meter if meter not in NOT_FOR_PLANS)  # what the catalogue may limit per window
