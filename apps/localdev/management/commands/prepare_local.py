"""`manage.py prepare_local`: what must be done before the first request, each time `manage.py up` starts."""

from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, call_command
from django.core.management.base import CommandError

from apps.localdev import postgres, staff


class Command(BaseCommand):
    """Run by `up`, as one of its parts."""

    help = "Makes the database and its tables, brings the catalogue to Stripe, and makes the local staff account."
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:  # noqa: ANN401 Django's own signature
        if not settings.LOCAL_TOOLS:
            raise CommandError("This command is for local settings only.")
        postgres.create_database(settings.DATABASE_URL)
        call_command("migrate", interactive=False, stdout=self.stdout)
        call_command("catalogue", "apply", "--yes", stdout=self.stdout)
        staff.ensure(settings.LOCAL_DIR)
