"""What is counted. Limits of a plan name a meter, and usage counts in its unit."""

from enum import StrEnum


class Meter(StrEnum):
    """One thing that is counted, in the unit its name says. Credit is money and no meter."""

    MESSAGES = "messages"
    TOKENS = "tokens"
    IMAGES = "images"
    SEARCHES = "searches"
    VOICE_SECONDS = "voice_seconds"
    BATCH_TOKENS = "batch_tokens"
    CONCURRENCY = "concurrency"  # answers at the same time; no window


LIMITED = tuple(meter for meter in Meter if meter is not Meter.CONCURRENCY)  # what the catalogue may limit per window
