"""A stateful local Stripe: its own Django site, settings, SQLite file and process, for sandbox money only.

It imports nothing of the other apps and they import nothing of it; the product meets it over HTTP, like Stripe.
Start it with `python -m apps.stripe_sandbox`. What it leaves out it refuses: an unknown parameter is an error.
"""
