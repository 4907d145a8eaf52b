from apps.stripe_sandbox import dunning

DAY = 86400


def test_spreads_eight_retries_evenly_over_two_weeks():
    moments = [dunning.next_attempt(0, count) for count in range(1, 9)]
    assert moments == [int(n * 1.75 * DAY) for n in range(1, 9)]


def test_ends_after_the_eighth_retry():
    assert dunning.next_attempt(0, 9) is None
