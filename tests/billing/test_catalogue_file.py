# ruff: noqa: E501  the sentences stand here as they are said
"""A catalogue that makes no sense stops the start, with file, line and key."""

import pytest

from apps.billing import plans
from apps.billing.errors import CatalogueError
from apps.billing.terms import Attachments

SMALL = """\
mode = "freemium"
default_plan = "free"
guest_plan = "guest"
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

[[plans.pro.limit]]
meter = "messages"
models = ["small"]
amount = 100
window = "3h"
when_spent = "refuse"

[plans.guest]
name = "Guest"
rank = 1
models = []
queue = "runs.free"
concurrency = 1
context_tokens = 1024
output_tokens = 256
api_requests_per_minute = 0
api_tokens_per_minute = 0

[plans.coder]
name = "Coder"
rank = 5
models = ["small"]
queue = "runs.premium"
concurrency = 9
context_tokens = 1024
output_tokens = 256
api_requests_per_minute = 90
api_tokens_per_minute = 90_000

[developer]
plan = "coder"
starter_credit = { usd = 1_000_000 }
"""
FREE_LIMIT = SMALL[SMALL.index("[[plans.free.limit]]") : SMALL.index("[plans.pro]")]
PRO_LIMITS = SMALL[SMALL.index("[[plans.pro.limit]]") : SMALL.index("[plans.guest]")]
SMALL_OF_PRO = PRO_LIMITS[PRO_LIMITS.rindex("[[plans.pro.limit]]") :]
LARGE_OF_PRO = PRO_LIMITS.removesuffix(SMALL_OF_PRO)
BAD = [
    # what stands there → what stands there instead, and what is said
    ("amount = 20", "amount = -1", "line 52, plans.free.limit[1].amount: is -1; it takes a whole number from 0 up, or “unlimited”"),
    ("amount = 20", 'amount = "many"', "line 52, plans.free.limit[1].amount: is “many”; it takes a whole number from 0 up, or “unlimited”"),
    ("amount = 20\n", "", "line 49, plans.free.limit[1].amount: is missing"),
    ('window = "3h"\n', "", "line 49, plans.free.limit[1].window: is missing"),
    ('window = "3h"', 'window = "3 hours"', "line 53, plans.free.limit[1].window: is “3 hours”; it takes a number with m, h or d, such as 3h or 7d"),
    ('meter = "messages"', 'meter = "letters"', "line 50, plans.free.limit[1].meter: is “letters”; it takes one of messages, tokens, images, searches, voice_seconds, batch_tokens"),
    ('meter = "messages"', 'meter = "concurrency"', "line 50, plans.free.limit[1].meter: is “concurrency”; it takes one of messages, tokens, images, searches, voice_seconds, batch_tokens"),
    (FREE_LIMIT, FREE_LIMIT * 2, "line 56, plans.free.limit[2]: says again what another limit of this plan says (same meter, models and window)"),
    ('models = ["small"]\namount', 'models = ["large"]\namount', "line 51, plans.free.limit[1].models: names “large”; it takes small"),
    ('models = ["small"]\nqueue', 'models = ["tiny"]\nqueue', "line 41, plans.free.models: names “tiny”; it takes small, large"),
    ('models = ["small"]\nqueue', "models = []\nqueue", "line 51, plans.free.limit[1].models: names “small”; it takes nothing"),
    ("fallback:small", "fallback:tiny", "line 74, plans.pro.limit[1].when_spent: falls back to “tiny”, which this plan does not include"),
    ("fallback:small", "fallback:large", "line 74, plans.pro.limit[1].when_spent: falls back to “large”, which this limit counts as well"),
    ("fallback:small", "wait", "line 74, plans.pro.limit[1].when_spent: is “wait”; it takes refuse, or fallback: and a model"),
    ("usd = 800", "usd = -800", "line 67, plans.pro.prices.month.usd: is -800; it takes a whole number from 1 up"),
    ("usd = 800", "usd = 8.0", "line 67, plans.pro.prices.month.usd: is 8.0; it takes a whole number from 1 up"),
    ("usd = 800, eur = 900", "usd = 800", "line 67, plans.pro.prices.month.eur: is missing"),
    ("eur = 900 }", "eur = 900, gbp = 700 }", "line 67, plans.pro.prices.month.gbp: is not known here; known are eur, usd"),
    ("prices = { month", "prices = { week", "line 67, plans.pro.prices.week: is not an interval; known are month, year"),
    ("rank = 10", "rank = 0", "line 58, plans.pro.rank: is 0, which another plan has; ranks decide between plans and must differ"),
    ('features = ["priority"]', 'features = ["gold"]', "line 66, plans.pro.features: names “gold”; it takes priority, longer_answers, most_messages"),
    ('queue = "runs.premium"', 'queue = "runs.fast"', "line 60, plans.pro.queue: is “runs.fast”; it takes one of runs.free, runs.premium, runs.batch"),
    ("concurrency = 3", "concurrency = 0", "line 61, plans.pro.concurrency: is 0; it takes a whole number from 1 up"),
    ("concurrency = 3", "concurrence = 3", "line 56, plans.pro.concurrency: is missing"),
    ("rank = 10", "rank = 10\nrnak = 11", "line 59, plans.pro.rnak: is not known here; known are api_requests_per_minute, api_tokens_per_minute, attachments, concurrency, context_tokens, features, limit, models, name, output_tokens, prices, queue, rank, trial_days"),
    ("price = { usd = { input = 3, output = 4 }, eur = { input = 5, output = 6 } }\n", "", "line 22, models.small.price: is missing"),
    ("cost = { input = 1, output = 2 }\n", "", "line 22, models.small.cost: is missing"),
    ("usd = { input = 3", "usd = { input = -3", "line 28, models.small.price.usd.input: is -3; it takes a whole number from 0 up"),
    ("usd = { input = 3, ", "usd = { ", "line 28, models.small.price.usd.input: is missing"),
    ("usd = { input = 3", "usd = { input = 3.0", "line 28, models.small.price.usd.input: is 3.0; it takes a whole number from 0 up"),
    (", eur = { input = 5, output = 6 }", "", "line 28, models.small.price.eur: is missing"),
    ("eur = { input = 5, output = 6 } }", "eur = { input = 5, output = 6 }, gbp = {} }", "line 28, models.small.price.gbp: is not known here; known are eur, usd"),
    ("usd = { input = 3", "usd = { cached_input = -1, input = 3", "line 28, models.small.price.usd.cached_input: is -1; it takes a whole number from 0 up"),
    ("usd = { input = 3", "usd = { cached = 1, input = 3", "line 28, models.small.price.usd.cached: is not known here; known are cache_write, cached_input, image_input, input, output"),
    ("cost = { input = 1", "cost = { image_input = true, input = 1", "line 27, models.small.cost.image_input: is True; it takes a whole number from 0 up"),
    ('currency = "usd"', 'currency = "gbp"', "line 26, models.small.currency: is “gbp”; it takes one of usd, eur"),
    ('currency = "usd"', 'tokenizer = "words"\ncurrency = "usd"', "line 26, models.small.tokenizer: is “words”; it takes one of o200k_base, cl100k_base"),
    ('provider = "openai"', 'provider = "openai"\nusage = "mistral"', "line 19, backends.local.usage: is “mistral”; it takes one of openai, openai_responses, xai, deepseek, anthropic"),
    ('provider = "openai"', 'provider = "mistral"', "line 18, backends.local.provider: is “mistral”; it takes one of openai, openai_responses, anthropic"),
    ('{ local = "tiny" }', '{ cloud = "tiny" }', "line 24, models.small.backends.cloud: is not a back end; known are local"),
    ('{ local = "tiny" }', "{}", "line 24, models.small.backends: is empty; a model needs a back end that serves it"),
    ('provider = "openai"\n', "", "line 17, backends.local.provider: is missing"),
    ('default_plan = "free"\n', "", "line 1, default_plan: is missing"),
    ('default_plan = "free"', 'default_plan = "gratis"', "line 2, default_plan: is “gratis”; it takes one of free, pro, guest, coder"),
    ('default_plan = "free"', 'default_plan = "pro"', "line 2, default_plan: is “pro”, which has prices; people who pay nothing need a plan without"),
    ('mode = "freemium"', 'mode = "premium"', "line 1, mode: is “premium”; it takes one of freemium, paid_only, internal"),
    ('["usd", "eur"]', "[]", "line 4, currencies: is empty; it takes at least one currency"),
    ('["usd", "eur"]', '["usd", "usd"]', "line 4, currencies: names something twice"),
    ('["usd", "eur"]', '["usd", "EUR"]', "line 4, currencies: names “EUR”; a currency is three small letters, such as “usd”"),
    ("grace_days = 7", "grace_days = true", "line 5, grace_days: is True; it takes a whole number from 0 up"),
    ("grace_days = 7", "grace_days = 7\ngrace_weeks = 1", "line 6, grace_weeks: is not known here; known are backends, checkout, currencies, default_plan, developer, existing_prices, existing_subscribers, grace_days, guest_plan, mode, models, plans, policy"),
    ('past_due = "grace"', 'past_due = "maybe"', "line 10, policy.past_due: is “maybe”; it takes one of plan, grace, default"),
    ('past_due = "grace"\n', "", "line 7, policy.past_due: is missing"),
    ('incomplete = "default"', 'incomplete = "plan"', "line 14, policy.incomplete: is “plan”; nobody has paid yet, so it takes only default"),
    ("starter_credit = { usd", "starter_credit = { gbp", "line 107, developer.starter_credit.gbp: is not a currency of the catalogue; known are usd, eur"),
    ('features = ["priority"]', 'features = ["priority"]\nattachments = 4', "line 67, plans.pro.attachments: is 4; it takes a table"),
    ('features = ["priority"]', 'features = ["priority"]\nattachments = { count = -1 }', "line 67, plans.pro.attachments.count: is -1; it takes a whole number from 0 up"),
    ('features = ["priority"]', 'features = ["priority"]\nattachments = { count = 2 }', "line 67, plans.pro.attachments.megabytes: is missing"),
    ('features = ["priority"]', 'features = ["priority"]\nattachments = { count = 2, megabytes = 0, types = ["pdf"] }', "line 67, plans.pro.attachments.megabytes: is 0; it takes a whole number from 1 up"),
    ('features = ["priority"]', 'features = ["priority"]\nattachments = { count = 2, megabytes = 5 }', "line 67, plans.pro.attachments.types: is missing"),
    ('features = ["priority"]', 'features = ["priority"]\nattachments = { count = 2, megabytes = 5, types = [] }', "line 67, plans.pro.attachments.types: is empty; it takes at least one of image, pdf, text, or count = 0 for no files"),
    ('features = ["priority"]', 'features = ["priority"]\nattachments = { count = 2, megabytes = 5, types = ["film"] }', "line 67, plans.pro.attachments.types: names “film”; it takes image, pdf, text"),
    ('features = ["priority"]', 'features = ["priority"]\nattachments = { count = 2, megabytes = 5, types = ["pdf"], pages = 3 }', "line 67, plans.pro.attachments.pages: is not known here; known are count, megabytes, types"),
    ('guest_plan = "guest"\n', "", "line 1, guest_plan: is missing"),
    ('guest_plan = "guest"', 'guest_plan = "visitor"', "line 3, guest_plan: is “visitor”; it takes one of free, pro, guest, coder"),
    ('guest_plan = "guest"', 'guest_plan = "pro"', "line 3, guest_plan: is “pro”, which has prices; guests pay nothing and need a plan without"),
    ('guest_plan = "guest"', 'guest_plan = "free"', "line 3, guest_plan: is “free”, as default_plan is; guests need a plan of their own"),
    ('plan = "coder"\n', "", "line 105, developer.plan: is missing"),
    ('plan = "coder"', 'plan = "hacker"', "line 106, developer.plan: is “hacker”; it takes one of free, pro, guest, coder"),
    ('plan = "coder"', 'plan = "pro"', "line 106, developer.plan: is “pro”, which has prices; pay as you go is paid from credit and needs a plan without"),
    ('plan = "coder"', 'plan = "guest"', "line 106, developer.plan: is “guest”, which people chat with; pay as you go needs a plan of its own"),
    ('plan = "coder"', 'plan = "free"', "line 106, developer.plan: is “free”, which has limits; every call is paid from credit, so it takes none"),
    ('plan = "coder"\n', 'plan = "coder"\nmodels = ["small"]\n', "line 107, developer.models: is not known here; known are credit, plan, starter_credit, usage_charges"),
    ("rank = 5", "rank = 10", "line 96, plans.coder.rank: is 10, which another plan has; ranks decide between plans and must differ"),
    ("grace_days = 7", 'grace_days = 7\nexisting_prices = "raise"', "line 6, existing_prices: is “raise”; it takes one of keep, move"),
    ("amount = 100\n", "amount = 0\n", "line 74, plans.pro.limit[1].when_spent: falls back to “small”, of which no limit of this plan gives anything; say how much it includes"),
    ('amount = 100\nwindow = "3h"\nwhen_spent = "refuse"', 'amount = 100\nwindow = "3h"\nwhen_spent = "fallback:large"', "line 74, plans.pro.limit[1].when_spent: falls back in a circle (large → small → large); the last model of a chain takes refuse"),
    ('amount = "unlimited"\nwindow = "7d"', 'amount = 5\nwindow = "7d"\nwhen_spent = "refuse"\n\n[[plans.pro.limit]]\nmeter = "messages"\nmodels = ["large"]\namount = 6\nwindow = "3h"', "line 79, plans.pro.limit[2].amount: gives 6 every 3h, though 5 every 7d is the most this plan allows of the same; give less here, or more there"),
    ('amount = "unlimited"\nwindow = "7d"', 'amount = 5\nwindow = "7d"\nwhen_spent = "refuse"\n\n[[plans.pro.limit]]\nmeter = "messages"\nmodels = ["large"]\namount = "unlimited"\nwindow = "3h"', "line 79, plans.pro.limit[2].amount: gives unlimited every 3h, though 5 every 7d is the most this plan allows of the same; give less here, or more there"),
    (PRO_LIMITS, "\n", "line 56, plans.pro: has prices and no limit, so nothing of it could be used; it takes at least one [[limit]], with amount = “unlimited” for what is not counted"),
    (SMALL_OF_PRO, "", "line 74, plans.pro.limit[1].when_spent: falls back to “small”, of which no limit of this plan gives anything; say how much it includes"),
    (LARGE_OF_PRO, "", "line 59, plans.pro.models: names “large”, of which no limit of this plan gives anything; say how much it includes"),
]  # fmt: skip


def write(tmp_path, text):
    path = tmp_path / "catalogue.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_good_one_is_read(tmp_path):
    catalogue = plans.load(write(tmp_path, SMALL))
    assert catalogue.currencies == ("usd", "eur")
    assert catalogue.plans["pro"].prices == {("month", "usd"): 800, ("month", "eur"): 900}
    assert [limit.key for limit in catalogue.plans["pro"].limits] == ["messages:large:7d", "messages:small:3h"]
    assert catalogue.plans["pro"].limits[0].fallback_model == "small"
    assert catalogue.developer.starter_credit_micro == {"usd": 1_000_000}
    assert (catalogue.moves_subscribers, catalogue.moves_prices) == (True, False)
    assert (catalogue.guest_plan, catalogue.developer.plan.key, catalogue.developer.models) == (
        "guest",
        "coder",
        ("small",),
    )
    assert catalogue.never_held == ("guest", "coder")


@pytest.mark.parametrize(("there", "instead", "said"), BAD)
def test_says_what_is_wrong_and_where(tmp_path, there, instead, said):
    assert there in SMALL
    with pytest.raises(CatalogueError) as problem:
        plans.load(write(tmp_path, SMALL.replace(there, instead, 1)))
    assert str(problem.value) == f"catalogue.toml, {said}."


@pytest.mark.parametrize(
    ("there", "instead", "said"),
    [
        ("grace_days = 7", "grace_days = ", "catalogue.toml, line 5, grace_days: this is not TOML (Invalid value)."),
        ("rank = 10", "rank = 10\nrank = 11", "catalogue.toml, line 59, plans.pro.rank: this is not TOML (Cannot overwrite a value)."),
        ("[policy]", "[policy", "catalogue.toml, line 7, grace_days: this is not TOML (Expected ']' at the end of a table declaration)."),
    ],
)  # fmt: skip
def test_says_where_it_is_not_toml(tmp_path, there, instead, said):
    with pytest.raises(CatalogueError) as problem:
        plans.load(write(tmp_path, SMALL.replace(there, instead, 1)))
    assert str(problem.value) == said


def test_no_attachments_are_said_in_two_ways(tmp_path):
    text = SMALL.replace('features = ["priority"]', "attachments = { count = 0 }")
    catalogue = plans.load(write(tmp_path, text))
    assert catalogue.plans["pro"].attachments == catalogue.plans["free"].attachments == Attachments(0, 0, ())


def test_attachments_are_read(tmp_path):
    there = 'attachments = { count = 5, megabytes = 10, types = ["image", "pdf"] }'
    catalogue = plans.load(write(tmp_path, SMALL.replace('features = ["priority"]', there)))
    assert catalogue.plans["pro"].attachments == Attachments(5, 10, ("image", "pdf"))


def test_a_cap_over_all_models_counts_for_each(tmp_path):
    cap = '[[plans.pro.limit]]\nmeter = "messages"\namount = 99\nwindow = "7d"\nwhen_spent = "refuse"\n\n'
    with pytest.raises(CatalogueError, match=r"limit\[3\]\.amount: gives 100 every 3h, though 99 every 7d is the most"):
        plans.load(write(tmp_path, SMALL.replace("[[plans.pro.limit]]", f"{cap}[[plans.pro.limit]]", 1)))


def test_a_cap_of_another_model_or_meter_says_nothing(tmp_path):
    cap = '[[plans.pro.limit]]\nmeter = "tokens"\namount = 9\nwindow = "7d"\nwhen_spent = "refuse"\n\n'
    assert plans.load(write(tmp_path, SMALL.replace("[[plans.pro.limit]]", f"{cap}[[plans.pro.limit]]", 1)))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(CatalogueError, match=r"none\.toml: cannot be read"):
        plans.load(tmp_path / "none.toml")


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "catalogue.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(CatalogueError, match=r"catalogue\.toml: cannot be read"):
        plans.load(path)
