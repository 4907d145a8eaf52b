"""`manage.py up`: runs the whole of Causerie on this machine until Ctrl-C."""

import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand
from rich.console import Console

from apps.localdev import addresses
from apps.localdev.display import Display
from apps.localdev.session import Session


class Command(BaseCommand):
    """The command line of `session`."""

    help = "Runs the whole of Causerie on this machine, on the loopback alone, until Ctrl-C."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=addresses.USUAL_WEB_PORT, help="port of the pages (8000)")
        parser.add_argument("--reset", action="store_true", help="begin anew: what this machine kept is deleted")
        parser.add_argument("--demo", action="store_true", help="a year of an invented company, to look at only")

    def handle(self, *_args: Any, port: int, reset: bool, demo: bool, **_options: Any) -> None:  # noqa: ANN401 Django's own signature
        folder = Path(settings.LOCAL_DIR).resolve()
        session = Session(
            folder=folder / "demo" if demo else folder,
            root=Path(settings.ROOT),
            given=os.environ,
            display=Display(Console()),
            is_demo=demo,
        )
        sys.exit(session.run(port, is_reset=reset))
