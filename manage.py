#!/usr/bin/env python
"""The command line of Causerie: `manage.py up` runs everything on one machine."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line


def main() -> None:
    """Run one command; a setting or catalogue that makes no sense ends in one sentence, not in a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings.local")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as problem:
        sys.exit(f"Causerie cannot start: {problem}")


if __name__ == "__main__":
    main()
