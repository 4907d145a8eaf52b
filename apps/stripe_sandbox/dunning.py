"""When a failed payment is tried again, and when it is no use. The even spacing is ours: Stripe's is not published."""

RETRIES = 8
SPAN_S = 14 * 86400

# After these the same card is not asked again; the tries are counted until a new card is there.
HOPELESS = frozenset(
    {
        "incorrect_number",
        "lost_card",
        "pickup_card",
        "stolen_card",
        "revocation_of_authorization",
        "revocation_of_all_authorizations",
        "authentication_required",
        "highest_risk_level",
        "transaction_not_allowed",
    }
)


def next_attempt(first_failure: int, attempt_count: int) -> int | None:
    """Say when to try again after so many attempts (the first is 1), or nothing when all retries are used up."""
    if attempt_count > RETRIES:
        return None
    return first_failure + attempt_count * SPAN_S // RETRIES
