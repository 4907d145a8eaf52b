"""A year of a made-up business: a list of what happened. `golden_rows` has the rows that the product keeps of it.

The list is the truth: `golden_truth` works out every figure from it, and the test compares them with the reports'.
Each life is one way in which a customer's year may go; the same seed makes the same year. Things happen on six days of
a month (`DAYS`), which are numbered through the year: 0 is 1 January, 5 is 31 January, 71 is 31 December.
"""

import calendar
from datetime import UTC, datetime, time, timedelta
from functools import partial
from random import Random
from types import SimpleNamespace as Event
from uuid import UUID
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Berlin")  # not UTC: days begin at 22:00 or 23:00, and two of them have 23 and 25 hours
YEAR, DAYS, LAST = 2026, (1, 5, 12, 19, 25, None), 71  # None: the last day of a month
HOURS = (0, 6, 12, 20)
CENTS = {"month": {"premium": 8_00, "premium_plus": 40_00}, "year": {"premium": 84_00, "premium_plus": 396_00},
         "week": {"premium": 2_50}, "day": {"premium": 1_00}}  # fmt: skip
KINDS = ("person", "guest", "staff", "internal", "live")  # the last three are test data
TERMS = {"status": "active", "plan": "premium", "interval": "month", "count": 1, "quantity": 1, "percent_off": 0,
         "cents_off": 0, "is_forever": False, "is_paused": False}  # fmt: skip


class Book:
    """Who is there, and what happened, by kind."""

    def __init__(self):
        self.customers = []
        self.events = {}

    def write(self, kind, who, at, **facts):
        event = Event(who=who, at=at, **facts)
        self.events.setdefault(kind, []).append(event)
        return event


def moment(number, hour, minute):
    """A moment of a numbered day, in UTC."""
    month, day = number // len(DAYS) + 1, DAYS[number % len(DAYS)]
    day = day or calendar.monthrange(YEAR, month)[1]
    return datetime(YEAR, month, day, hour, minute, tzinfo=ZONE).astimezone(UTC)


def day_of(at):
    return at.astimezone(ZONE).date()


def end_of(day):
    return datetime.combine(day + timedelta(days=1), time.min, tzinfo=ZONE).astimezone(UTC)


class Life:
    """One customer's year while it is written; days count from `begin`, the day of the first purchase."""

    def __init__(self, book, number, random, kind="person"):
        self.book, self.random, self.begin = book, random, random.randrange(1, 44)
        self.times, self.terms, self.paid = {}, {}, None
        joined = max(-self.begin, -random.choice([0, 1, 2, 3, 10]))
        self.who = Event(
            number=number, kind=kind, country=random.choice(["", "DE", "FR", "US"]), erased=None,
            currency="eur" if number % 3 == 2 else "usd", joined=self.at(joined, minutes=-9),
        )  # fmt: skip
        book.customers.append(self.who)

    def at(self, day, *, minutes=0):
        """A moment of a day, the same each time it is asked for, or so many minutes from it."""
        if day not in self.times:
            self.comes(day, self.random.choice(HOURS), self.random.randrange(60))
        return self.times[day] + timedelta(minutes=minutes)

    def comes(self, day, hour, minute):
        """On a day things happen at this time."""
        self.times[day] = moment(min(self.begin + day, LAST), hour, minute)

    def waits(self, day):
        """Begin so many days after the next month's first."""
        self.begin, self.times = self.begin - self.begin % len(DAYS) + len(DAYS) + day, {}

    def goes(self, day):
        """The person leaves for good, and is forgotten."""
        self.who.erased = self.at(day)

    def writes(self, day, kind, *, minutes=0, **facts):
        """Something happens; not after the year. Say whether it did."""
        if self.begin + day > LAST:
            return False
        self.book.write(kind, self.who, self.at(day, minutes=minutes), **facts)
        return True

    def bills(self, day, cause, *, number=1, minutes=0, **changes):
        """A subscription changes; what is not said stays as it was."""
        terms = {**TERMS, **self.terms.get(number, {}), **changes}
        if "cents" not in changes and ({"plan", "interval"} & set(changes) or "cents" not in terms):
            cents = CENTS[terms["interval"]][terms["plan"]]
            terms["cents"] = cents * 11 // 10 if self.who.currency == "eur" else cents
        self.terms[number] = terms
        seen = self.random.choice([0, 2, 45, 3000])  # minutes later: by an event, or by the reconciler
        self.writes(
            day, "state", minutes=minutes, subscription=self.subscription(number), cause=cause, seen=seen, **terms
        )

    def pays(self, day, cents, *, number=1, reason="subscription_cycle", days=30, after=0, **fields):
        """An invoice of a subscription and, where it is paid, the payment; `after`: so many days later.

        gone  it is given up, so many days later; what is not paid then is void or uncollectible
        """
        is_paid = fields.setdefault("status", "paid") == "paid" and self.begin + day + after <= LAST
        gone = fields.pop("gone", None)
        is_given_up = gone is not None and self.begin + day + gone <= LAST
        facts = {
            "failed": None, "paid": self.at(day + after, minutes=5) if is_paid else None,
            "given_up": self.at(day + gone, minutes=30) if is_given_up else None,
            "until": self.at(day) + timedelta(days=days) if days else None, **fields,
        }  # fmt: skip
        if not is_paid:
            lost = "uncollectible" if fields["status"] == "paid" else fields["status"]
            facts["status"] = lost if is_given_up else "open"
        invoice = {"cents": cents, "reason": reason, "subscription": self.subscription(number) if number else ""}
        tax = cents // 6 if self.who.currency == "eur" else 0  # within the price
        if self.writes(day, "invoice", tax=tax, **invoice, **facts) and cents > 0:
            payment = {"cents": cents, "of": self.book.events["invoice"][-1]}
            if facts["failed"]:
                self.writes(day, "payment", minutes=3, status="failed", **payment)
            if is_paid:
                self.writes(day + after, "payment", minutes=5, status="succeeded", **payment)
                self.paid = self.book.events["payment"][-1]

    def gets_back(self, day, kind, **facts):
        """Some of the last payment goes back."""
        self.writes(day, kind, of=self.paid, **facts)

    def fails(self, day, cents, **fields):
        """A renewal that is not paid at the first try."""
        self.pays(day, cents, failed=self.at(day, minutes=3), **fields)

    def buys(self, day, *, number=1, minutes=0, **terms):
        self.writes(day, "checkout", minutes=minutes - 3)
        self.bills(day, "checkout", number=number, minutes=minutes, **terms)
        now = self.terms[number]
        cents = now["cents"] * now["quantity"] * (100 - now["percent_off"]) // 100
        days = {"year": 365, "week": 7, "day": 1}.get(now["interval"], 30 * now["count"])
        self.pays(day, cents, number=number, reason="subscription_create", days=days)

    def ends(self, day, cause="voluntary", **fields):
        self.bills(day, cause, status="canceled", **fields)

    def renews(self, day, until=LAST):
        """A month's price on this day of each month."""
        for later in range(day, until + 1, len(DAYS)):
            self.pays(later, self.terms[1]["cents"])

    def subscription(self, number):
        return f"sub_{self.who.number:03}_{number}"


def step(name, *words, **facts):
    return partial(getattr(Life, name), **facts), words


comes, waits, goes, writes, bills, pays, fails, gets_back, buys, ends, renews = (
    partial(step, name)
    for name in ("comes", "waits", "goes", "writes", "bills", "pays", "fails", "gets_back", "buys", "ends", "renews")
)
PLUS, CREATE, UPDATE = "premium_plus", "subscription_create", "subscription_update"
LIMIT = {"percent": 100, "meter": "messages"}
LIVES = {
    "stays": [buys(0), renews(6)],
    "pays by the year": [writes(0, "limit", minutes=-25 * 60, **LIMIT), buys(0, interval="year")],
    "pays by the week": [buys(0, interval="week", count=2, quantity=3), bills(9, "quantity", quantity=2)],
    "pays by the day": [buys(0, interval="day"), bills(4, "downgrade", interval="month", count=3, cents=30_00)],
    "tries and pays": [
        writes(0, "checkout", minutes=-3), bills(0, "checkout", status="trialing"), pays(0, 0, reason=CREATE),
        bills(3, "checkout", status="active"), renews(3),
    ],
    "tries and leaves": [bills(0, "checkout", status="trialing", plan=PLUS), pays(0, 0, reason=CREATE), ends(3)],
    "grows after limits": [
        buys(0), writes(4, "limit", minutes=-180, **LIMIT), writes(4, "limit", minutes=-120, **LIMIT),
        writes(4, "limit", minutes=-60, percent=100, meter="output_tokens"), bills(4, "upgrade", plan=PLUS),
        pays(4, 27_35, reason=UPDATE, days=20), writes(9, "limit", minutes=-30, **LIMIT),
        bills(9, "quantity", quantity=3), writes(15, "limit", minutes=-30, **LIMIT), bills(15, "quantity", quantity=2),
    ],
    "shrinks": [  # and is given back what is left of the year
        buys(0, plan=PLUS, interval="year"), bills(7, "downgrade", plan="premium", interval="month"),
        pays(7, -123_45, reason=UPDATE, days=301), renews(13),
    ],
    "has a coupon for ever": [  # then one that is larger than the price
        buys(0, percent_off=25, is_forever=True), bills(6, "coupon", percent_off=0, cents_off=333),
        bills(12, "coupon", cents_off=99_00), bills(18, "coupon", cents_off=0, interval="year"),
    ],
    "has a coupon once": [buys(0, percent_off=50), bills(6, "coupon", percent_off=0), renews(6)],
    "leaves and comes back": [buys(0), renews(6, 12), ends(18), buys(24, number=2, plan=PLUS), ends(30, number=2)],
    "recovers": [
        buys(0), bills(6, "payment_failed", status="past_due"), fails(6, 8_00, after=2),
        bills(8, "recovered", status="active"), fails(12, 8_00),
    ],
    "is given up": [
        buys(0, plan=PLUS), bills(6, "payment_failed", status="past_due"),
        fails(6, 40_00, status="uncollectible", gone=3), fails(7, 1_00, status="void", reason=UPDATE, gone=0),
        ends(9, "payment_failed"),
    ],
    "is unpaid for weeks": [
        buys(0), fails(6, 8_00, after=11, gone=4), bills(6, "payment_failed", status="past_due"),
        bills(9, "payment_failed", status="unpaid"), bills(17, "recovered", status="active"),
        fails(23, 8_00, status="open"),
    ],
    "never gets through": [
        bills(0, "checkout", status="incomplete"), fails(0, 8_00, status="open", reason=CREATE),
        bills(1, "payment_failed", status="incomplete_expired"),
    ],
    "pauses": [buys(0, interval="year", plan=PLUS), bills(8, "paused", is_paused=True),
               bills(20, "resumed", is_paused=False)],
    "has two": [buys(0, interval="year"), buys(3, number=2, plan=PLUS), ends(10, number=2), ends(22, "staff")],
    "swaps within an hour": [
        comes(6, 12, 0), buys(0), ends(6), buys(6, number=2, minutes=20, plan=PLUS),
        bills(6, "quantity", number=2, minutes=59, quantity=2), bills(6, "quantity", number=2, minutes=61, quantity=5),
    ],
    "swaps slowly": [comes(6, 12, 0), buys(0), ends(6), buys(6, number=2, minutes=90, interval="year")],
    "changes over midnight": [comes(0, 23, 50), buys(0), ends(0, minutes=30)],
    "regrets": [
        comes(0, 12, 0), buys(0), ends(0, minutes=40),
        gets_back(0, "refund", minutes=45, cents=3_17, status="succeeded", reason="requested_by_customer"),
        gets_back(0, "refund", minutes=46, cents=4_83, status="succeeded", reason="requested_by_customer"),
        gets_back(0, "refund", minutes=44, cents=8_00, status="failed", reason=""), buys(8, number=2),
    ],
    "regrets, and buys soon": [waits(0), comes(0, 12, 0), buys(0), ends(0, minutes=59), buys(3, number=2)],
    "joins and leaves": [waits(1), buys(0), ends(3)],
    "joins and leaves twice": [waits(0), buys(0), ends(1), buys(2, number=2), ends(4, number=2)],
    "is lost twice in a month": [buys(0), waits(0), ends(0), buys(2, number=2), ends(4, number=2)],
    "disputes": [
        buys(0), renews(6, 6), gets_back(8, "dispute", minutes=1, cents=8_00, status="lost", reason="fraudulent"),
        gets_back(8, "dispute", minutes=2, cents=7_00, status="won", reason="duplicate"),
        gets_back(8, "dispute", minutes=3, cents=6_00, status="warning_closed", reason="fraudulent"),
        gets_back(8, "dispute", minutes=4, cents=5_00, status="needs_response", reason="duplicate"), ends(9, "dispute"),
    ],
    "pays more for the same": [  # of two looks at one moment the later is right; then no days, and no subscription
        buys(0), writes(10, "limit", minutes=-30, **LIMIT), bills(10, "price_migration", cents=10_00),
        bills(10, "price_migration", cents=9_99), pays(12, 3_00, days=0, reason="manual"),
        pays(13, 20_00, number=0, days=0, reason="manual"),
    ],
    "looks around": [],
    "looks around and goes": [goes(20)],
}  # fmt: skip


def asks(life):
    """Answers and what comes with them, on some days after the sign-up; on two days everybody asks."""
    random = life.random
    for number in [*random.choices(range(LAST + 1), k=random.randrange(2, 9)), 35, LAST]:
        day, minutes = number - life.begin, random.randrange(20, 200)
        if life.at(day, minutes=minutes) < life.who.joined or (life.who.erased and day > 0):
            continue
        channel, backend = random.choice(["chat", "chat", "api", "batch"]), random.choice(["local", "far"])
        life.writes(
            day, "answer", minutes=minutes, entry=random.choice(["settle"] * 9 + ["adjust"]), channel=channel,
            plan=random.choice(["free", "premium"]), model=random.choice(["chat-small", "chat-large"]), backend=backend,
            provenance=random.choice(["reported", "estimated", "none"]), messages=int(channel == "chat"),
            input_tokens=random.randrange(2000), output_tokens=random.randrange(900), cost=random.randrange(90_000),
            price=random.randrange(1, 150_000),
        )  # fmt: skip
        for answer in life.book.events["answer"][-1:]:
            is_api = answer.channel != "chat"
            answer.key = UUID(int=life.who.number + 1) if is_api else None
            answer.earned = answer.price // 2 if is_api else 0  # half of it was paid with credit that was given
        life.writes(
            day, "run", minutes=minutes, state=random.choice(["succeeded"] * 4 + ["stopped", "failed", "running"]),
            channel=channel, model="chat-small", backend=backend, attempts=random.choice([1, 1, 2]),
            error=random.choice(["overloaded", "cut_off"]), waited_us=random.choice([None, *range(0, 90_000, 9)]),
            first_us=random.choice([None, *range(9000, 9_000_000, 999)]),
        )  # fmt: skip
        if random.random() < 0.3:
            meter = random.choice(["messages", "input_tokens"])
            life.writes(day, "limit", minutes=minutes, percent=random.choice([80, 100]), meter=meter)


def agrees(life):
    """What people agree to, and what staff, or the system in their name, do about them."""
    random = life.random
    life.book.write("consent", life.who, life.who.joined, paper="terms", is_given=True)
    for yes in (True, False)[: random.randrange(3)]:
        life.writes(random.randrange(LAST) - life.begin, "consent", paper="training", is_given=yes)
    page, source = ("home", "direct") if life.who.number % 3 else ("pricing", "news.example.org")
    life.book.write("visit", life.who, life.who.joined, page=page, source=source)
    if life.who.number % 5 == 1:
        life.book.write("request", life.who, life.who.joined, paper="export", done=life.at(1))
    if life.who.erased:
        life.book.write("request", life.who, life.who.erased - timedelta(days=7), paper="erasure", done=life.who.erased)
    if random.random() < 0.3 or life.who.number == 0:
        day, verdict = random.randrange(LAST - 20) - life.begin, random.choice(["open", "upheld", "dismissed"])
        life.writes(day, "report", reason=random.choice(["wrong", "hateful"]), verdict=verdict)
        if verdict != "open":
            action = f"content_report.{random.choice(['uphold', 'dismiss'])}"
            life.writes(day + random.randrange(1, 20), "act", action=action, by_staff=True)
    if random.random() < 0.4:
        action = random.choice(["customer.look", "export.csv", "account.refund"])
        life.writes(random.randrange(LAST) - life.begin, "act", action=action, by_staff=random.random() < 0.8)


def make(*, seed, customers):
    """The book of a year: so many people, one after the other leading one of the lives, and one of each other kind."""
    random, book, lives = Random(seed), Book(), list(LIVES.values())
    for number in range(customers + len(KINDS)):
        kind = KINDS[number] if number < len(KINDS) else "person"
        life = Life(book, number, random, kind)
        for method, (day, *words) in lives[number % len(lives)] if kind == "person" else LIVES["stays"]:
            method(life, day, *words)
        asks(life)
        agrees(life)
    return book


def fee_of(payment):
    """What Stripe keeps of a payment that succeeded: 2.9 % and 30 cents."""
    return round(payment.cents * 29 / 1000) + 30 if payment.status == "succeeded" else None
