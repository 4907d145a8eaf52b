"""The whole way without a browser: sign up, chat, reach the limit, upgrade, chat on; then what staff sees of it."""

import re
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

from tests.support.product import FREE_MESSAGES
from tests.support.provider import GREETING_TEXT

CARD = {"expiry": "12 / 34", "cvc": "123", "name": "Ana", "country": "FR", "postal_code": "75001"}
GOOD, DECLINED = "4242 4242 4242 4242", "4000 0000 0000 0002"
FORM_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')
BUYING = {"plan": "premium", "interval": "month", "currency": "usd"}


def plan_of(person):
    return person.get("/api/v1/billing/state").json()["plan"]["key"]


def left_of(person):
    balance, _week = person.get("/api/v1/balances").json()["balances"]
    return balance["left"]


def pay(person, checkout, card):
    """Fill in the hosted page; the answer is its page again, or the way back to us."""
    token = FORM_TOKEN.search(person.get(checkout).text).group(1)
    fields = {**CARD, "number": card, "csrfmiddlewaretoken": token}
    return person.http.post(checkout, data=fields, headers={"Referer": checkout})


def figures(report):
    """Premium subscriptions and USD of MRR, as the overview shows them; nothing before the first."""
    plans = re.search(r'<th scope="row">Premium</th>.*?<td class="count"><a [^>]*>(\d+)</a>', report, re.DOTALL)
    mrr = re.search(r'data-metric="mrr" data-currency="usd".*?class="number"[^>]*>[^\d-]*([\d.,]+)', report, re.DOTALL)
    return int(plans.group(1)) if plans else 0, Decimal(mrr.group(1).replace(",", "")) if mrr else Decimal(0)


def test_from_sign_up_to_the_report(running_product):
    dana = running_product.person().sign_in_as_staff(running_product)
    subscriptions, mrr = figures(dana.get("/admin/reports/").text)
    ana = running_product.person().sign_up(running_product, "ana@example.org")
    said, conversation = ana.answered("Good morning!")
    assert said == GREETING_TEXT
    for _ in range(FREE_MESSAGES - 1):
        assert ana.answered("And again!", conversation=conversation)[0] == GREETING_TEXT
    assert left_of(ana) == 0

    refused = ana.ask("One more", conversation=conversation)
    assert refused.status_code == 429
    error = refused.json()["error"]
    assert (error["code"], error["limit"], error["lifted_by"]) == ("limit_reached", FREE_MESSAGES, "premium")
    assert len(running_product.provider.requests) == FREE_MESSAGES

    checkout = ana.buy(BUYING)
    declined = pay(ana, checkout, DECLINED)
    assert declined.status_code in (200, 402)
    assert "Your card was declined." in declined.text
    assert plan_of(ana) == "free"
    assert ana.ask("One more", conversation=conversation).status_code == 429

    back = pay(ana, checkout, GOOD)
    assert back.status_code == 303
    # Where the webhook was quicker, its job holds the account for a moment; the page then says that it looks again.
    running_product.wait_for(lambda: "Premium is on" in ana.get(back.headers["Location"]).text)
    assert plan_of(ana) == "premium"
    assert ana.answered("Now then?", conversation=conversation)[0] == GREETING_TEXT

    expected = (subscriptions + 1, mrr + Decimal("8.00"))
    running_product.wait_for(lambda: figures(dana.get("/admin/reports/").text) == expected)  # 5 s old at the most


def test_two_tabs_at_the_last_message_one_is_answered(running_product):
    bo = running_product.person().sign_up(running_product, "bo@example.org")
    for _ in range(FREE_MESSAGES - 1):
        bo.answered("Hello")
    tabs = [running_product.person() for _ in range(2)]
    for tab in tabs:
        tab.http.cookies = bo.http.cookies
    with ThreadPoolExecutor(2) as threads:
        sent = list(threads.map(lambda tab: tab.ask("The last one"), tabs))
    ends = []
    for tab, answer in zip(tabs, sent, strict=True):
        if answer.status_code == 201:
            *_, (_, name, data) = tab.follow(answer.json()["reply"]["run"])
            ends.append((name, data.get("code")))
        else:
            ends.append((answer.status_code, answer.json()["error"]["code"]))
    assert sorted(str(end[0]) for end in ends) in (["429", "run.finished"], ["run.failed", "run.finished"])
    assert {code for _, code in ends} - {None} <= {"limit_reached", "too_many_at_once"}
    assert left_of(bo) == 0
    assert len(running_product.provider.requests) == FREE_MESSAGES


def test_stop_reaches_the_worker_and_keeps_what_was_said(running_product):
    chloe = running_product.person().sign_up(running_product, "chloe@example.org")
    running_product.provider.answer("As far as this", running_product.provider.gate(), " and no further")
    run = chloe.ask("Go on and on")
    events = chloe.follow(run.json()["reply"]["run"])
    for _, name, _ in events:
        if name == "run.delta":
            break
    events.close()
    assert chloe.send("POST", f"/api/v1/runs/{run.json()['reply']['run']['id']}/stop").status_code == 202
    *_, (_, name, _) = chloe.follow(run.json()["reply"]["run"])
    assert name == "run.stopped"
    messages = chloe.get(f"/api/v1/conversations/{run.json()['conversation']['id']}").json()["messages"]
    assert messages[-1]["text"] == "As far as this"


def test_who_comes_back_in_the_middle_gets_the_rest_and_nothing_twice(running_product):
    dora = running_product.person().sign_up(running_product, "dora@example.org")
    gate = running_product.provider.gate()
    running_product.provider.answer("one ", "two ", gate, "three")
    run = dora.ask("Count")
    first, seen = [], None
    stream = dora.follow(run.json()["reply"]["run"])
    for event_id, name, data in stream:
        if name == "run.delta":
            first.append(data["text"])
            seen = event_id
        if "".join(first) == "one two ":
            break
    stream.close()
    gate.open()
    rest = [
        data["text"] for _, name, data in dora.follow(run.json()["reply"]["run"], after=seen) if name == "run.delta"
    ]
    assert "".join(first + rest) == "one two three"
    assert left_of(dora) == FREE_MESSAGES - 1


def test_a_strangers_conversation_is_not_there(running_product):
    eve = running_product.person().sign_up(running_product, "eve@example.org")
    mallory = running_product.person().sign_up(running_product, "mallory@example.org")
    _, conversation = eve.answered("A secret")
    assert mallory.get(f"/api/v1/conversations/{conversation}").status_code == 404
    assert mallory.get(f"/chat/{conversation}/").status_code == 404
    assert eve.get(f"/chat/{conversation}/").status_code == 200
