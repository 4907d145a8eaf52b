# ruff: noqa: E501  the sentences stand here as they are said
"""A catalogue that makes no sense stops the start, with file, line and key."""

import pytest

from apps.billing import plans
from apps.billing.errors import CatalogueError

SMALL = """\
mode = "freemium"
default_plan = "free"
currencies = ["usd", "eur"]
grace_days = 7

[policy]
trialing = "plan"
active = "plan"
past_due = "grace"
unpaid = "default"
paused = "default"
canceled = "default"
incomplete = "default"
incomplete_expired = "default"

[backends.local]
provider = "openai"
base_url = "setting:MODEL_BASE_URL"
api_key = "setting:MODEL_API_KEY"

[models.small]
name = "Small"
backends = { local = "tiny" }
context_tokens = 2048
currency = "usd"
cost = { input = 1, output = 2 }
price = { usd = { input = 3, output = 4 }, eur = { input = 5, output = 6 } }

[models.large]
name = "Large"
backends = { local = "big" }
context_tokens = 2048
currency = "usd"
cost = { input = 1, output = 2 }
price = { usd = { input = 3, output = 4 }, eur = { input = 5, output = 6 } }

[plans.free]
name = "Free"
rank = 0
models = ["small"]
queue = "runs.free"
concurrency = 1
context_tokens = 1024
output_tokens = 256
api_requests_per_minute = 20
api_tokens_per_minute = 20_000

[[plans.free.limit]]
meter = "messages"
models = ["small"]
amount = 20
window = "3h"
when_spent = "refuse"

[plans.pro]
name = "Pro"
rank = 10
models = ["small", "large"]
queue = "runs.premium"
concurrency = 3
context_tokens = 1024
output_tokens = 256
api_requests_per_minute = 20
api_tokens_per_minute = 20_000
features = ["priority"]
prices = { month = { usd = 800, eur = 900 } }

[[plans.pro.limit]]
meter = "messages"
models = ["large"]
amount = "unlimited"
window = "7d"
when_spent = "fallback:small"

[developer]
starter_credit = { usd = 1_000_000 }
models = ["small"]
"""
FREE_LIMIT = SMALL[SMALL.index("[[plans.free.limit]]") : SMALL.index("[plans.pro]")]
BAD = [
    # what stands there → what stands there instead, and what is said
    ("amount = 20", "amount = -1", "line 51, plans.free.limit[1].amount: is -1; it takes a whole number from 0 up, or “unlimited”"),
    ("amount = 20", 'amount = "many"', "line 51, plans.free.limit[1].amount: is “many”; it takes a whole number from 0 up, or “unlimited”"),
    ("amount = 20\n", "", "line 48, plans.free.limit[1].amount: is missing"),
    ('window = "3h"\n', "", "line 48, plans.free.limit[1].window: is missing"),
    ('window = "3h"', 'window = "3 hours"', "line 52, plans.free.limit[1].window: is “3 hours”; it takes a number with m, h or d, such as 3h or 7d"),
    ('meter = "messages"', 'meter = "letters"', "line 49, plans.free.limit[1].meter: is “letters”; it takes one of messages, tokens, images, searches, voice_seconds, batch_tokens"),
    ('meter = "messages"', 'meter = "concurrency"', "line 49, plans.free.limit[1].meter: is “concurrency”; it takes one of messages, tokens, images, searches, voice_seconds, batch_tokens"),
    (FREE_LIMIT, FREE_LIMIT * 2, "line 55, plans.free.limit[2]: says again what another limit of this plan says (same meter, models and window)"),
    ('models = ["small"]\namount', 'models = ["large"]\namount', "line 50, plans.free.limit[1].models: names “large”; it takes small"),
    ('models = ["small"]\nqueue', 'models = ["tiny"]\nqueue', "line 40, plans.free.models: names “tiny”; it takes small, large"),
    ('models = ["small"]\nqueue', "models = []\nqueue", "line 50, plans.free.limit[1].models: names “small”; it takes nothing"),
    ("fallback:small", "fallback:tiny", "line 73, plans.pro.limit[1].when_spent: falls back to “tiny”, which this plan does not include"),
    ("fallback:small", "fallback:large", "line 73, plans.pro.limit[1].when_spent: falls back to “large”, which this limit counts as well"),
    ("fallback:small", "wait", "line 73, plans.pro.limit[1].when_spent: is “wait”; it takes refuse, or fallback: and a model"),
    ("usd = 800", "usd = -800", "line 66, plans.pro.prices.month.usd: is -800; it takes a whole number from 1 up"),
    ("usd = 800", "usd = 8.0", "line 66, plans.pro.prices.month.usd: is 8.0; it takes a whole number from 1 up"),
    ("usd = 800, eur = 900", "usd = 800", "line 66, plans.pro.prices.month.eur: is missing"),
    ("eur = 900 }", "eur = 900, gbp = 700 }", "line 66, plans.pro.prices.month.gbp: is not known here; known are eur, usd"),
    ("prices = { month", "prices = { week", "line 66, plans.pro.prices.week: is not an interval; known are month, year"),
    ("rank = 10", "rank = 0", "line 57, plans.pro.rank: is 0, which another plan has; ranks decide between plans and must differ"),
    ('features = ["priority"]', 'features = ["gold"]', "line 65, plans.pro.features: names “gold”; it takes priority, longer_answers, most_messages"),
    ('queue = "runs.premium"', 'queue = "runs.fast"', "line 59, plans.pro.queue: is “runs.fast”; it takes one of runs.free, runs.premium, runs.batch"),
    ("concurrency = 3", "concurrency = 0", "line 60, plans.pro.concurrency: is 0; it takes a whole number from 1 up"),
    ("concurrency = 3", "concurrence = 3", "line 55, plans.pro.concurrency: is missing"),
    ("rank = 10", "rank = 10\nrnak = 11", "line 58, plans.pro.rnak: is not known here; known are api_requests_per_minute, api_tokens_per_minute, concurrency, context_tokens, features, limit, models, name, output_tokens, prices, queue, rank, trial_days"),
    ("price = { usd = { input = 3, output = 4 }, eur = { input = 5, output = 6 } }\n", "", "line 21, models.small.price: is missing"),
    ("cost = { input = 1, output = 2 }\n", "", "line 21, models.small.cost: is missing"),
    ("usd = { input = 3", "usd = { input = -3", "line 27, models.small.price.usd.input: is -3; it takes a whole number from 0 up"),
    ("usd = { input = 3, ", "usd = { ", "line 27, models.small.price.usd.input: is missing"),
    ("usd = { input = 3", "usd = { input = 3.0", "line 27, models.small.price.usd.input: is 3.0; it takes a whole number from 0 up"),
    (", eur = { input = 5, output = 6 }", "", "line 27, models.small.price.eur: is missing"),
    ("eur = { input = 5, output = 6 } }", "eur = { input = 5, output = 6 }, gbp = {} }", "line 27, models.small.price.gbp: is not known here; known are eur, usd"),
    ("usd = { input = 3", "usd = { cached_input = -1, input = 3", "line 27, models.small.price.usd.cached_input: is -1; it takes a whole number from 0 up"),
    ("usd = { input = 3", "usd = { cached = 1, input = 3", "line 27, models.small.price.usd.cached: is not known here; known are cache_write, cached_input, image_input, input, output"),
    ("cost = { input = 1", "cost = { image_input = true, input = 1", "line 26, models.small.cost.image_input: is True; it takes a whole number from 0 up"),
    ('currency = "usd"', 'currency = "gbp"', "line 25, models.small.currency: is “gbp”; it takes one of usd, eur"),
    ('currency = "usd"', 'tokenizer = "words"\ncurrency = "usd"', "line 25, models.small.tokenizer: is “words”; it takes one of o200k_base, cl100k_base"),
    ('provider = "openai"', 'provider = "openai"\nusage = "mistral"', "line 18, backends.local.usage: is “mistral”; it takes one of openai, xai, deepseek, anthropic"),
    ('{ local = "tiny" }', '{ cloud = "tiny" }', "line 23, models.small.backends.cloud: is not a back end; known are local"),
    ('{ local = "tiny" }', "{}", "line 23, models.small.backends: is empty; a model needs a back end that serves it"),
    ('provider = "openai"\n', "", "line 16, backends.local.provider: is missing"),
    ('default_plan = "free"\n', "", "line 1, default_plan: is missing"),
    ('default_plan = "free"', 'default_plan = "gratis"', "line 2, default_plan: is “gratis”; it takes one of free, pro"),
    ('default_plan = "free"', 'default_plan = "pro"', "line 2, default_plan: is “pro”, which has prices; people who pay nothing need a plan without"),
    ('mode = "freemium"', 'mode = "premium"', "line 1, mode: is “premium”; it takes one of freemium, paid_only, internal"),
    ('["usd", "eur"]', "[]", "line 3, currencies: is empty; it takes at least one currency"),
    ('["usd", "eur"]', '["usd", "usd"]', "line 3, currencies: names something twice"),
    ('["usd", "eur"]', '["usd", "EUR"]', "line 3, currencies: names “EUR”; a currency is three small letters, such as “usd”"),
    ("grace_days = 7", "grace_days = true", "line 4, grace_days: is True; it takes a whole number from 0 up"),
    ("grace_days = 7", "grace_days = 7\ngrace_weeks = 1", "line 5, grace_weeks: is not known here; known are backends, currencies, default_plan, developer, existing_subscribers, grace_days, mode, models, plans, policy"),
    ('past_due = "grace"', 'past_due = "maybe"', "line 9, policy.past_due: is “maybe”; it takes one of plan, grace, default"),
    ('past_due = "grace"\n', "", "line 6, policy.past_due: is missing"),
    ('incomplete = "default"', 'incomplete = "plan"', "line 13, policy.incomplete: is “plan”; nobody has paid yet, so it takes only default"),
    ("starter_credit = { usd", "starter_credit = { gbp", "line 76, developer.starter_credit.gbp: is not a currency of the catalogue; known are usd, eur"),
]  # fmt: skip


def write(tmp_path, text):
    path = tmp_path / "catalogue.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_good_one_is_read(tmp_path):
    catalogue = plans.load(write(tmp_path, SMALL))
    assert catalogue.currencies == ("usd", "eur")
    assert catalogue.plans["pro"].prices == {("month", "usd"): 800, ("month", "eur"): 900}
    assert [limit.key for limit in catalogue.plans["pro"].limits] == ["messages:large:7d"]
    assert catalogue.plans["pro"].limits[0].fallback_model == "small"
    assert catalogue.developer.starter_credit_micro == {"usd": 1_000_000}
    assert catalogue.moves_subscribers is True


@pytest.mark.parametrize(("there", "instead", "said"), BAD)
def test_says_what_is_wrong_and_where(tmp_path, there, instead, said):
    assert there in SMALL
    with pytest.raises(CatalogueError) as problem:
        plans.load(write(tmp_path, SMALL.replace(there, instead, 1)))
    assert str(problem.value) == f"catalogue.toml, {said}."


@pytest.mark.parametrize(
    ("there", "instead", "said"),
    [
        ("grace_days = 7", "grace_days = ", "catalogue.toml, line 4, grace_days: this is not TOML (Invalid value)."),
        ("rank = 10", "rank = 10\nrank = 11", "catalogue.toml, line 58, plans.pro.rank: this is not TOML (Cannot overwrite a value)."),
        ("[policy]", "[policy", "catalogue.toml, line 6, grace_days: this is not TOML (Expected ']' at the end of a table declaration)."),
    ],
)  # fmt: skip
def test_says_where_it_is_not_toml(tmp_path, there, instead, said):
    with pytest.raises(CatalogueError) as problem:
        plans.load(write(tmp_path, SMALL.replace(there, instead, 1)))
    assert str(problem.value) == said


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(CatalogueError, match=r"none\.toml: cannot be read"):
        plans.load(tmp_path / "none.toml")


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "catalogue.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(CatalogueError, match=r"catalogue\.toml: cannot be read"):
        plans.load(path)
