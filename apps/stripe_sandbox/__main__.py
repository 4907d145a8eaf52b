"""`python -m apps.stripe_sandbox --port 12111`: the local Stripe as a process of its own."""

import argparse
import os
import signal
import sys
import threading

import django
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

from apps.stripe_sandbox import addresses, environment, ids, server
from apps.stripe_sandbox.environment import Refused

SETTINGS = "apps.stripe_sandbox.settings"


def main(arguments: list[str]) -> int:
    """Start, serve until SIGTERM or Ctrl-C, end cleanly; a refusal is one line and status 2."""
    parser = argparse.ArgumentParser(prog="python -m apps.stripe_sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=12111)
    parser.add_argument("--host", default="127.0.0.1")
    asked = parser.parse_args(arguments)
    try:
        refuse_production()
        run(asked.host, asked.port)
    except Refused as problem:
        print(f"The Stripe sandbox cannot start: {problem}", file=sys.stderr)  # noqa: T201  a command speaks
        return 2
    return 0


def refuse_production() -> None:
    """Stop where the surroundings say production."""
    named = os.environ.get("DJANGO_SETTINGS_MODULE", "")
    if "production" in named:
        raise Refused(f"DJANGO_SETTINGS_MODULE is {named}; sandbox money has no place there.")
    if os.environ.get("STRIPE_SECRET_KEY", "").startswith(("sk_live_", "rk_live_")):
        raise Refused("STRIPE_SECRET_KEY is a live key; sandbox money has no place beside it.")


def run(host: str, port: int) -> None:
    """Prepare the database, listen, and work until told to stop."""
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    settings = environment.read()
    settings.database.parent.mkdir(parents=True, exist_ok=True)
    django.setup()
    listening = server.open_server(host, port, get_wsgi_application())
    addresses.set_base(f"http://{host}:{listening.server_port}")
    call_command("migrate", verbosity=0, interactive=False)

    # Models can be imported only after `django.setup()`.
    from apps.stripe_sandbox import start, validation, worker  # noqa: PLC0415

    start.prepare(settings)
    ids.seed(f"{settings.seed}/{start.objects_kept()}")
    works = worker.Worker(delivers=settings.delivers_by_itself)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=listening.shutdown).start())
    weather = "calm" if settings.is_calm else "rough"
    message = (
        f"Stripe sandbox (sandbox money only) on {addresses.base}, weather {weather}, SANDBOX_SEED={settings.seed}"
    )
    print(message, flush=True)  # noqa: T201  a command speaks
    if not validation.court.of_calls:
        print(start.say_unjudged(settings), flush=True)  # noqa: T201  a command speaks
    works.start()
    try:
        listening.serve_forever(poll_interval=0.1)
    except KeyboardInterrupt:
        pass
    finally:
        works.stop()
        listening.server_close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
