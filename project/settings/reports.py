"""What the operator sees: where the reports cut days, who may scrape figures, and whether this is a demonstration."""

from project import env

REPORTING_TIMEZONE = env.text("CAUSERIE_REPORTING_TIMEZONE", "UTC")
# What one answer costs besides the model: servers, storage and mail, in millionths of the reporting currency.
INFRASTRUCTURE_MICRO_PER_ANSWER = env.integer("CAUSERIE_INFRASTRUCTURE_MICRO_PER_ANSWER", 0)
METRICS_TOKEN = env.text("CAUSERIE_METRICS_TOKEN", "")
# In a demonstration everything can be looked at and nothing changed; `manage.py up --demo` makes one.
IS_DEMO = env.flag("CAUSERIE_DEMO", default=False)
DEMO_MIDDLEWARE = ["project.demo.DemoMiddleware"] if IS_DEMO else []
