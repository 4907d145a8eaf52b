"""What is simulated: how many people, for how long, and the seed that all chance comes from. Pure."""

import calendar
import random
import re
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta

MOST = {"accounts": 200_000, "months": 60, "answers": 1_000, "workers": 16}
HIGHEST_SEED = 999_999
DOMAIN = "simulated.invalid"  # RFC 2606: no such domain will ever exist
ADDRESS = re.compile(rf"sim-(\d+)-(\d+)@{re.escape(DOMAIN)}")
MONTHS_PER_YEAR = 12


@dataclass(frozen=True)
class Parameters:
    """The same parameters give the same people, days, questions and purchases.

    answers  mean of the answers that an active account gets in a month.
    until    the period ends at this instant, so that the product goes on from there in real time.
    """

    accounts: int
    months: int
    seed: int
    answers: int
    until: datetime

    @property
    def first_day(self) -> date:
        """The day on which the first people join."""
        last, back = self.until.date(), self.until.month - 1 - self.months
        year, month = last.year + back // MONTHS_PER_YEAR, back % MONTHS_PER_YEAR + 1
        return date(year, month, min(last.day, calendar.monthrange(year, month)[1]))

    @property
    def days(self) -> int:
        """How many days the period has; the last one may be a part of a day."""
        return (self.until - datetime.combine(self.first_day, time.min, tzinfo=UTC)) // timedelta(days=1) + 1

    @property
    def prefix(self) -> str:
        """How the addresses of these people begin."""
        return f"sim-{self.seed}-"

    def day(self, number: int) -> date:
        """The day with this number, the first is 0."""
        return self.first_day + timedelta(days=number)

    def email_of(self, number: int) -> str:
        """The address of a person; nobody real can have it."""
        return f"{self.prefix}{number:06}@{DOMAIN}"

    def dice(self, *words: object) -> random.Random:
        """Chance of its own for each question that is decided, so that none depends on the order of the others."""
        name = "/".join(str(word) for word in (self.seed, *words))
        return random.Random(name)  # noqa: S311 repeatable by design, keeps no secret

    def as_json(self) -> dict[str, object]:
        """For the checkpoint."""
        return {**asdict(self), "until": self.until.isoformat()}

    @classmethod
    def from_json(cls, stored: dict[str, object]) -> "Parameters":
        """Read back what `as_json` wrote."""
        numbers = {name: int(str(stored[name])) for name in ("accounts", "months", "seed", "answers")}
        return cls(**numbers, until=datetime.fromisoformat(str(stored["until"])))


def number_of(email: str) -> int:
    """The number of the simulated person with this address."""
    found = ADDRESS.fullmatch(email)
    if found is None:
        raise ValueError(f"{email} is nobody simulated.")
    return int(found[2])
