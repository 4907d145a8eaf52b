"""The figures of the golden year, worked out from the plain list of what happened: slowly, and without the reports."""

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from math import ceil, floor
from types import SimpleNamespace as Move

from apps.reporting.days import Period
from tests.reporting import golden
from tests.reporting.golden import day_of, end_of

DAY, HOUR, CENT = timedelta(days=1), timedelta(hours=1), 10_000  # a cent in micro-units
CURRENCIES = ("", "usd", "eur")
MOVED = ("at", "type", "cause", "delta_micro", "after_micro", "subscription_id", "from_plan", "to_plan",
         "paid_at_start", "is_first_loss")  # fmt: skip
SEED, PEOPLE, NOW = 2026, 90, datetime(2027, 1, 5, 12, 0, tzinfo=UTC)
FIRSTS = [date(2026, month, 1) for month in range(1, 13)] + [date(2027, 1, 1)]
MONTHS = [Period(first, following - DAY) for first, following in pairwise(FIRSTS)]
ENDS = [first - DAY for first in FIRSTS]
TEST_DATA = ("staff", "internal", "live")
PER_MONTH = {"month": Fraction(1), "year": Fraction(1, 12), "week": Fraction(52, 12), "day": Fraction(365, 12)}
CUSTOMERS = {"new": "new_customers", "reactivation": "reactivated_customers", "churn": "churned_customers"}

BALANCES = (
    "mrr", "subscriptions", "paying_customers", "free_accounts", "at_risk", "active_day", "active_week",
    "active_month", "active_keys", "first_token_p50", "first_token_p95", "queue_wait_p95",
)  # fmt: skip
DERIVED = {  # of what is summed over a month, and of what stands at its start and end
    "margin": lambda m: m.sum(*ALL_EARNED) - m.sum(*SPENT),
    "margin_ratio": lambda m: ratio(m.sum(*ALL_EARNED) - m.sum(*SPENT), m.sum(*ALL_EARNED)),
    "arr": lambda m: 12 * m.end("mrr"),
    "arpa": lambda m: ratio(m.end("mrr"), 10**6 * m.end("paying_customers")),
    "customer_churn": lambda m: ratio(m.sum("lost_of_start"), m.start("paying_customers")),
    "stripe_churn": lambda m: ratio(
        m.sum("churned_customers"), m.start("paying_customers") + m.sum("new_customers", "reactivated_customers")
    ),
    "gross_mrr_churn": lambda m: ratio(m.sum(*LOST), m.start("mrr")),
    "net_mrr_churn": lambda m: ratio(m.sum(*LOST) - m.sum("mrr_expansion", "mrr_reactivation"), m.start("mrr")),
    "grr": lambda m: ratio(m.start("mrr") - m.sum(*LOST_OF_START), m.start("mrr")),
    "nrr": lambda m: ratio(m.start("mrr") - m.sum(*LOST_OF_START) + m.sum("start_expansion"), m.start("mrr")),
    "quick_ratio": lambda m: ratio(m.sum(*WON, "mrr_reactivation"), m.sum(*LOST)),
    "quick_ratio_without": lambda m: ratio(m.sum(*WON), m.sum(*LOST)),
    "net_cash": lambda m: m.sum("charged") - m.sum("refunded", "disputed", "payment_fees"),
    "payment_recovery": lambda m: ratio(m.sum("recovered_renewals"), m.sum("failed_renewals")),
}
INFRASTRUCTURE = 700  # micro-units an answer
ALL_EARNED, SPENT = ("recognised_revenue", "api_revenue"), ("model_cost", "payment_fees", "infrastructure")
EARNED, WON, LOST = "recognised_revenue", ("mrr_new", "mrr_expansion"), ("mrr_churn", "mrr_contraction")
LOST_OF_START = ("start_churn", "start_contraction")
CASES = {  # type of a movement → its causes
    "new": "checkout", "reactivation": "checkout coupon recovered resumed",
    "expansion": "checkout price_migration quantity upgrade", "contraction": "coupon downgrade quantity voluntary",
    "churn": "coupon dispute paused payment_failed staff voluntary",
}  # fmt: skip
NOT_WORKED_OUT = {}  # slug → why it cannot be worked out from the list


def ratio(part, whole):
    """Millionths, rounded half up; n/a where there is no whole."""
    return floor(Fraction(part * 10**6, whole) + Fraction(1, 2)) if whole > 0 else None


def mrr_of(state):
    """Micro-units a month: price × quantity × factor, less coupons that last for ever, rounded once, half to even."""
    if state.status not in ("active", "past_due") or state.is_paused:
        return 0
    cents = Fraction(state.cents * state.quantity)
    if state.is_forever:
        cents = max(cents * (100 - state.percent_off) / 100 - state.cents_off, Fraction(0))
    return round(cents * PER_MONTH[state.interval] / state.count * CENT)


def held(states):
    """What each subscription bills after these states, where it bills anything; the largest last."""
    latest = {state.subscription: state for state in states}
    return sorted((state for state in latest.values() if mrr_of(state)), key=mrr_of)


def total(states):
    return sum(mrr_of(state) for state in states)


class Truth:
    """The facts of a year: (day, metric, dimensions) → value. Balances are those of the days that are asked for."""

    def __init__(self, book, balance_days):
        self.book, self.facts, self.moves = book, Counter(), []
        self.customers = [who for who in book.customers if who.kind not in TEST_DATA]
        for source in (usage_of, cash_of, revenue_earned, growth_of, trust_of, operations_of, movements_of):
            self.add(source(self))
        for source, days in balance_days.items():
            self.add(fact for day in days for fact in source(self, day))

    def add(self, facts):
        for day, slug, value, named in facts:
            if ENDS[0] <= day <= ENDS[-1]:
                key = frozenset((name, word) for name, word in named.items() if word)
                self.facts[day, slug, key] += value

    def of(self, kind):
        return [one for one in self.book.events[kind] if one.who.kind not in TEST_DATA]

    @cached_property
    def states(self):
        """Each customer's states in the order in which they became true."""
        found = defaultdict(list)
        for one in sorted(self.of("state"), key=lambda state: (state.at, state.at + timedelta(minutes=state.seen))):
            found[one.who.number].append(one)
        return found

    @cached_property
    def daily(self):
        """(metric, currency) → day → value; the currency is empty for all of it."""
        found = defaultdict(Counter)
        for (day, slug, named), value in self.facts.items():
            for currency in {"", dict(named).get("currency", "")}:
                found[slug, currency][day] += value
        return found


class Month:
    """The figures of a month in one currency, or in none."""

    def __init__(self, truth, period, currency):
        self.truth, self.period, self.currency = truth, period, currency

    def start(self, slug):
        return self.truth.daily[slug, self.currency][self.period.first - DAY]

    def end(self, slug):
        return self.truth.daily[slug, self.currency][self.period.last]

    def sum(self, *slugs):
        days = [item for slug in slugs for item in self.truth.daily[slug, self.currency].items()]
        return sum(value for day, value in days if self.period.first <= day <= self.period.last)

    def value(self, slug):
        return DERIVED[slug](self) if slug in DERIVED else self.end(slug) if slug in BALANCES else self.sum(slug)


def usage_of(truth):
    """Settled answers, what they read, wrote, cost and, in the API, brought; and the first of each account."""
    settled = [one for one in truth.of("answer") if one.entry == "settle"]
    for one in settled:
        day = day_of(one.at)
        named = {name: getattr(one, name) for name in ("plan", "model", "backend", "channel", "provenance")}
        yield day, "answers", 1, named
        yield from ((day, slug, getattr(one, slug), named) for slug in ("messages", "input_tokens", "output_tokens"))
        costs = {"model_cost": one.cost, "infrastructure": INFRASTRUCTURE}
        costs |= {"free_model_cost": one.cost} if one.plan == "free" else {}
        yield from ((day, slug, cost, named | {"currency": "usd"}) for slug, cost in costs.items())
        if one.channel != "chat":
            yield day, "usage_revenue", one.price, named | {"currency": one.who.currency}
            by_key = {"model": one.model, "channel": one.channel, "reason": str(one.key)}
            yield day, "api_answers", 1, by_key
            yield day, "api_tokens", one.input_tokens + one.output_tokens, by_key
            yield day, "api_price", one.price, by_key | {"currency": one.who.currency}
    for one in truth.of("answer"):
        yield day_of(one.at), "api_revenue", one.earned, {"plan": one.plan, "currency": one.who.currency}
    for who in truth.customers:
        days = [day_of(one.at) for one in settled if one.who is who]
        if days and who.kind != "guest":
            yield min(days), "first_answers", 1, {}


def active_at(truth, day):
    for slug, length in (("active_day", 1), ("active_week", 7), ("active_month", 28)):
        settled = [one for one in truth.of("answer") if one.entry == "settle"]
        yield day, slug, len({one.who.number for one in settled if day - length * DAY < day_of(one.at) <= day}), {}


def keys_at(truth, day):
    asked = [one for one in truth.of("answer") if one.entry == "settle" and one.key and day_of(one.at) == day]
    yield day, "active_keys", len({one.key for one in asked}), {}


def cash_of(truth):
    """Money as it came and went, and renewals that failed."""
    for slug, kind in (("charged", "payment"), ("refunded", "refund"), ("disputed", "dispute")):
        for one in truth.of(kind):
            if one.status in ("succeeded", "lost", "needs_response"):
                named = {"currency": one.who.currency, "reason": getattr(one, "reason", "")}
                yield day_of(one.at), slug, one.cents * CENT, named
    for one in truth.of("payment"):
        if one.status == "succeeded":
            named = {"currency": one.who.currency, "plan": plan_of(truth, one.of, one.at)}
            yield day_of(one.at), "payment_fees", golden.fee_of(one) * CENT, named
    for one in renewals_that_failed(truth):
        slugs = ["failed_renewals"] + ["recovered_renewals"] * bool(one.paid)
        yield from ((day_of(one.failed), slug, one.cents * CENT, {"currency": one.who.currency}) for slug in slugs)


def renewals_that_failed(truth):
    return [one for one in truth.of("invoice") if one.failed and one.reason != "subscription_create"]


def at_risk_at(truth, day):
    for one in renewals_that_failed(truth):
        if one.failed < end_of(day) <= min(filter(None, (one.paid, one.given_up)), default=end_of(day)):
            yield day, "at_risk", one.cents * CENT, {"currency": one.who.currency}


def revenue_earned(truth):
    """Paid invoices of subscriptions by the day, less what was given back; of both what is not tax."""
    for one in truth.of("invoice"):
        if one.paid and one.subscription:
            first = day_of(one.at)
            length = max((day_of(one.until) - first).days, 1) if one.until else 1
            parts = (Decimal((one.cents - one.tax) * served) / length for served in range(length + 1))
            rounded = [int(part.quantize(Decimal(1), ROUND_HALF_UP)) for part in parts]
            for served, (before, after) in enumerate(pairwise(rounded)):
                named = {"currency": one.who.currency, "plan": plan_of(truth, one, one.at)}
                yield first + served * DAY, EARNED, (after - before) * CENT, named
    for kind, status in (("refund", "succeeded"), ("dispute", "lost")):
        gone = Counter()
        for one in sorted((back for back in truth.of(kind) if back.status == status), key=lambda back: back.at):
            bill = one.of.of
            untaxed = Fraction(bill.cents - bill.tax, bill.cents)
            gone[id(bill)] += one.cents
            through = gone[id(bill)]
            parts = [floor(cents * untaxed + Fraction(1, 2)) for cents in (through - one.cents, through)]
            named = {"currency": one.who.currency, "plan": plan_of(truth, bill, one.at)}
            yield day_of(one.at), EARNED, (parts[0] - parts[1]) * CENT, named


def plan_of(truth, invoice, at):
    """The plan that an invoice paid, at a moment: that of its subscription at the latest an hour after it."""
    states = [one for one in truth.states[invoice.who.number] if one.subscription == invoice.subscription]
    known = [one.plan for one in states if one.at <= at + HOUR]
    return known[-1] if known else ""


def growth_of(truth):
    """Who comes, goes to the till, meets a limit and buys: each account once a day."""
    for who in truth.customers:
        if who.kind != "guest":
            yield day_of(who.joined), "sign_ups", 1, {"country": who.country}
    for one in truth.book.events["visit"]:  # nobody knows who they are
        yield day_of(one.at), "visits" if one.page == "home" else "pricing_visits", 1, {"reason": one.source}
    for day, _number in {(day_of(one.at), one.who.number) for one in truth.of("checkout")}:
        yield day, "checkouts", 1, {}
    limits = [one for one in truth.of("limit") if one.percent == 100]
    for slug, found in (("limits_met", limits), ("upgrades_after_limit", [one for one in limits if buys(truth, one)])):
        for day, meter, _number in {(day_of(one.at), one.meter, one.who.number) for one in found}:
            yield day, slug, 1, {"reason": meter}


def buys(truth, limit):
    """Whether a subscription bills more within a day of a limit, by what its owner did."""
    billed = defaultdict(int)
    for one in truth.states[limit.who.number]:
        is_soon, is_more = limit.at < one.at <= limit.at + 24 * HOUR, mrr_of(one) > billed[one.subscription]
        if is_soon and is_more and one.cause in ("checkout", "upgrade", "quantity"):
            return True
        billed[one.subscription] = mrr_of(one)
    return False


def trust_of(truth):
    for one in truth.of("consent"):
        slug = "consents_given" if one.is_given else "consents_withdrawn"
        yield day_of(one.at), slug, 1, {"reason": one.paper}
    for one in truth.of("report"):
        yield day_of(one.at), "content_reports", 1, {"reason": one.reason}
    for one in truth.book.events["request"]:
        yield from [(day_of(one.at), "erasures_asked", 1, {})] * (one.paper == "erasure")
        yield day_of(one.done), "erasures" if one.paper == "erasure" else "data_exports", 1, {}
    for one in truth.book.events["act"]:
        slugs = ["staff_acts"] * one.by_staff + ["staff_looks"] * (one.action == "customer.look")
        slugs += ["content_reports_judged"] * one.action.startswith("content_report.")
        yield from ((day_of(one.at), slug, 1, {"reason": one.action}) for slug in slugs)


def operations_of(truth):
    """Answers that are over, and how long people waited: of so many per cent none waited longer."""
    waits = defaultdict(list)
    for one in truth.of("run"):
        day, named = day_of(one.at), {"model": one.model, "backend": one.backend, "channel": one.channel}
        if one.state == "running":
            continue
        yield day, "answers_over", 1, named
        if one.state == "failed":
            yield day, "failed_answers", 1, named | {"reason": one.error}
        if one.attempts > 1:
            yield day, "taken_up_again", 1, named
        waits["first_token_p50", 50, day].append(one.first_us)
        waits["first_token_p95", 95, day].append(one.first_us)
        waits["queue_wait_p95", 95, day].append(one.waited_us)
    for (slug, percent, day), all_of_them in waits.items():
        known = sorted(wait for wait in all_of_them if wait is not None)
        if known:
            yield day, slug, known[ceil(Fraction(percent * len(known), 100)) - 1] // 1000, {}


def standing_at(truth, day):
    """What subscriptions bill at the end of a day, who pays, and who is there without paying."""
    end = end_of(day)
    for who in truth.customers:
        about = {"country": who.country, "age": "new" if who.joined >= end - 30 * DAY else "old"}
        billing = held(one for one in truth.states[who.number] if one.at < end)
        for one in billing:
            named = {"plan": one.plan, "interval": one.interval, "currency": who.currency, **about}
            yield day, "mrr", mrr_of(one), named
            yield day, "subscriptions", 1, named
        if billing:
            yield day, "paying_customers", 1, named
        elif who.kind != "guest" and who.joined < end and not (who.erased and who.erased < end):
            yield day, "free_accounts", 1, about


def movements_of(truth):
    """Movements as facts; who paid when the month began is told from what was held then."""
    for who in truth.customers:
        lost_in = set()
        for move in moves_of(truth.states[who.number]):
            month = day_of(move.at).replace(day=1)
            start = end_of(month - DAY)
            move.paid_at_start = bool(held(one for one in truth.states[who.number] if one.at < start))
            move.is_first_loss = move.type == "churn" and month not in lost_in
            if move.type == "churn":
                lost_in.add(month)
            truth.moves.append(move)
            age = "new" if who.joined >= move.at - 30 * DAY else "old"
            named = {"plan": move.plan, "interval": move.interval, "currency": who.currency, "country": who.country,
                     "age": age, "reason": move.cause}  # fmt: skip
            yield from ((day_of(move.at), slug, value, named) for slug, value in counted_in(move))


def counted_in(move):
    yield f"mrr_{move.type}", abs(move.delta_micro)
    if move.type in CUSTOMERS:
        yield CUSTOMERS[move.type], 1
    if move.paid_at_start and move.type in ("churn", "contraction", "expansion"):
        yield f"start_{move.type}", abs(move.delta_micro)
    if move.is_first_loss and not move.paid_at_start:
        yield "joined_and_left", 1
    if move.paid_at_start and move.is_first_loss:
        yield "lost_of_start", 1


def moves_of(states):
    """A customer's movements: changes within an hour of the first of them, and on its day, are one."""
    windows = []
    for place, state in enumerate(states):
        change = total(held(states[: place + 1])) - total(held(states[:place]))
        first = windows[-1][0][1] if windows else None
        if change and first and state.at < first.at + HOUR and day_of(state.at) == day_of(first.at):
            windows[-1].append((place, state, change))
        elif change:
            windows.append([(place, state, change)])
    found = []
    for window in windows:
        before, after = held(states[: window[0][0]]), held(states[: window[-1][0] + 1])
        if delta := total(after) - total(before):
            deciding = [state for _place, state, change in window if change * delta > 0][-1]
            found.append(move_from(before, after, delta, deciding, has_moved=bool(found)))
    return found


def move_from(before, after, delta, deciding, *, has_moved):
    if not before:
        kind = "reactivation" if has_moved else "new"
    else:
        kind = ("expansion" if delta > 0 else "contraction") if after else "churn"
    largest = (after or before)[-1]
    return Move(
        at=deciding.at, type=kind, cause=deciding.cause, delta_micro=delta, after_micro=total(after),
        plan=largest.plan, interval=largest.interval, subscription_id=deciding.subscription,
        from_plan=before[-1].plan if before else "", to_plan=after[-1].plan if after else "",
    )  # fmt: skip
