"""What a simulation needs, and where it refuses to run: money and people that are real have no place near it."""

from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError, connection

from apps.accounts.models import User
from apps.billing.models import Price
from apps.localdev import postgres
from apps.localdev.simulation.checkpoint import Checkpoint
from apps.localdev.simulation.parameters import Parameters
from apps.localdev.simulation.stage.till import Till

LOOPBACK = ("127.0.0.1", "localhost", "::1")
START = "Start the local system first, in another window: uv run manage.py up"


class Unfit(Exception):
    """The simulation cannot run here; the sentence says why, and what to do."""


def require_local_system(*, any_database: bool) -> None:
    """Make sure that the database is the local one and Stripe the local one, and that both are there.

    Raises  Unfit.
    """
    if not (any_database or is_local_database()):
        raise Unfit(
            f"The database “{connection.settings_dict['NAME']}” is not the one that manage.py up starts. A simulation "
            "fills it with people who do not exist; if that is what you want, say --any-database."
        )
    if urlsplit(settings.STRIPE_API_BASE).hostname not in LOOPBACK:
        raise Unfit(f"Stripe is at {settings.STRIPE_API_BASE}, which is not the local one. Nothing was done.")
    till = Till(settings.STRIPE_API_BASE, settings.STRIPE_SECRET_KEY)
    try:
        if not till.is_local():
            raise Unfit(f"The local Stripe does not answer at {settings.STRIPE_API_BASE}. {START}")
    finally:
        till.close()
    if not postgres.answers(settings.DATABASE_URL):
        raise Unfit(f"The database does not answer. {START}")
    try:
        is_published = Price.objects.filter(is_active=True).exists()
    except DatabaseError as error:
        raise Unfit(f"The database has no tables yet. {START}") from error
    if not is_published:
        raise Unfit(f"Nothing is for sale at the local Stripe yet. {START}")


def require_same(checkpoint: Checkpoint, wanted: Parameters, chosen_until: bool) -> Parameters:  # noqa: FBT001 one fact
    """What is to be simulated: what was begun here goes on, and nothing else begins beside it.

    chosen_until  the end was asked for; else the end that was chosen when it began stays.
    Raises        Unfit.
    """
    known = checkpoint.find_parameters()
    people = User.objects.filter(email__startswith=wanted.prefix)
    if known is None:
        if people.exists():
            raise Unfit(
                f"People of seed {wanted.seed} are here already, but the record of their simulation is gone. Choose "
                "another --seed, or begin anew: end manage.py up, then start it with --reset."
            )
        return wanted
    same = (known.accounts, known.months, known.seed, known.answers)
    if same != (wanted.accounts, wanted.months, wanted.seed, wanted.answers) or (
        chosen_until and known.until != wanted.until
    ):
        raise Unfit(
            f"Another simulation is here: {command_of(known)}. Go on with that one, or begin anew: end manage.py up, "
            "then start it with --reset."
        )
    if max(checkpoint.days(), default=0) and not people.exists():
        raise Unfit(
            f"The people of this simulation are gone from the database. Delete {checkpoint.folder} to begin anew."
        )
    return known


def command_of(parameters: Parameters) -> str:
    """What one types to go on."""
    return (
        f"manage.py simulate --accounts {parameters.accounts} --months {parameters.months} "
        f"--seed {parameters.seed} --answers {parameters.answers}"
    )


def is_local_database() -> bool:
    """Whether the database is an embedded one, inside our own folder."""
    host = str(connection.settings_dict["HOST"])
    return host.startswith("/") and Path(host).is_relative_to(Path(settings.LOCAL_DIR).resolve())
