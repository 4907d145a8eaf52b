"""What a newcomer does in the first ten minutes, in a real browser, against the whole product."""

import re

import pytest
from playwright.sync_api import expect

from tests.support import till
from tests.support.product import FREE_MESSAGES
from tests.support.provider import GREETING_TEXT


def ask(page, text):
    page.get_by_label("Your message").fill(text)
    page.get_by_role("button", name="Send").click()


def ask_and_wait(page, text):
    """Ask, and wait until the composer takes the next question."""
    ask(page, text)
    expect(page.get_by_text(text, exact=True).last).to_be_visible()
    expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(0)
    expect(page.get_by_role("button", name="Send")).to_be_visible()


def spend_everything(page):
    for number in range(FREE_MESSAGES):
        ask_and_wait(page, f"Question {number + 1}")


@pytest.fixture
def chat(page, sign_up, request):
    """A chat page of someone new, ready for the first question."""
    sign_up(page, f"{request.node.originalname}@example.org")
    expect(page.get_by_label("Your message")).to_be_visible()
    return page


def test_a_question_is_answered_and_the_conversation_stays(chat):
    expect(chat.get_by_text(f"{FREE_MESSAGES} of {FREE_MESSAGES} left")).to_be_visible()
    ask(chat, "Good morning!")
    expect(chat.get_by_text(GREETING_TEXT)).to_be_visible()
    expect(chat).to_have_url(re.compile(r"/chat/[0-9a-f-]{36}/$"))
    sidebar = chat.get_by_role("navigation", name="Conversations")
    expect(sidebar.get_by_role("link", name="Good morning!")).to_be_visible()
    expect(chat.get_by_text(f"{FREE_MESSAGES - 1} of {FREE_MESSAGES} left")).to_be_visible()
    chat.reload()
    expect(chat.get_by_text(GREETING_TEXT)).to_be_visible()


def test_an_answer_is_reported_with_the_keyboard_alone(chat):
    ask(chat, "Good morning!")
    flag = chat.get_by_role("button", name="Report this answer")
    flag.focus()
    chat.keyboard.press("Enter")
    dialog = chat.get_by_role("dialog", name="Report this answer")
    dialog.get_by_label("Dangerous or illegal").focus()
    chat.keyboard.press("ArrowDown")
    chat.keyboard.press("Tab")
    chat.keyboard.type("Rude.")
    chat.keyboard.press("Tab")
    chat.keyboard.press("Tab")
    chat.keyboard.press("Enter")
    expect(chat.get_by_text("Somebody will look at this answer")).to_be_visible()
    chat.keyboard.press("Escape")
    expect(flag).to_be_focused()


def test_a_reload_in_the_middle_loses_nothing(chat, running_product):
    gate = running_product.provider.gate()
    running_product.provider.answer("The first half,", gate, " and the second.")
    ask(chat, "Take your time")
    expect(chat.get_by_text("The first half,")).to_be_visible()
    chat.reload()
    expect(chat.get_by_text("The first half,")).to_be_visible()
    gate.open()
    expect(chat.get_by_text("The first half, and the second.")).to_be_visible()
    expect(chat.get_by_role("button", name="Stop", exact=True)).to_have_count(0)


def test_stop_keeps_what_was_said(chat, running_product):
    running_product.provider.answer("As far as this", running_product.provider.gate(), " and no further.")
    ask(chat, "Go on and on")
    expect(chat.get_by_text("As far as this")).to_be_visible()
    chat.get_by_role("button", name="Stop", exact=True).click()
    expect(chat.get_by_text("You stopped this answer.")).to_be_visible()
    expect(chat.get_by_text("As far as this")).to_be_visible()
    running_product.wait_for(lambda: running_product.provider.broken_off)


def test_two_tabs_at_the_last_message_one_is_answered(chat, running_product):
    for number in range(FREE_MESSAGES - 1):
        ask_and_wait(chat, f"Question {number + 1}")
    other = chat.context.new_page()
    other.goto("/chat/")
    for tab in (chat, other):
        tab.get_by_label("Your message").fill("The last one")
    for tab in (chat, other):
        tab.get_by_role("button", name="Send").click(no_wait_after=True)
    refusals = running_product.wait_for(lambda: chat.locator(".refusal").count() + other.locator(".refusal").count())
    assert refusals == 1
    assert len(running_product.provider.requests) == FREE_MESSAGES


def test_at_the_limit_a_declined_card_changes_nothing_and_a_good_one_lifts_it(chat, new_page, running_product):
    spend_everything(chat)
    ask(chat, "One more")
    refusal = chat.get_by_role("alert")
    expect(refusal).to_contain_text(f"You have used your {FREE_MESSAGES} messages for now")
    expect(refusal.locator("time")).to_be_visible()
    expect(refusal.get_by_role("link", name="Upgrade to Premium")).to_be_visible()
    assert len(running_product.provider.requests) == FREE_MESSAGES
    conversation = chat.url

    till.choose(chat)
    till.pay(chat, till.DECLINED)
    expect(chat.get_by_text("Your card was declined.")).to_be_visible()
    assert chat.context.request.get(f"{running_product.url}/api/v1/billing/state").json()["plan"]["key"] == "free"

    till.pay(chat)
    chat.wait_for_url(f"{running_product.url}/**")
    expect(chat.get_by_role("heading", name="Premium is on")).to_be_visible()
    chat.goto(conversation)
    ask(chat, "Now then?")
    expect(chat.get_by_text(GREETING_TEXT).last).to_be_visible()

    staff = new_page()
    staff.goto("/admin/login/?next=/admin/reports/")
    staff.get_by_label("E-mail").fill(running_product.staff["email"])
    staff.get_by_label("Password").fill(running_product.staff["password"])
    staff.get_by_role("button", name=re.compile("log in|sign in", re.IGNORECASE)).click()
    by_plan = staff.locator('[data-table="by-plan"]').get_by_role("rowheader", name="Premium", exact=True)
    running_product.wait_for(lambda: staff.reload() and by_plan.is_visible())  # facts are 5 s old at the most
    shown = staff.locator('[data-metric="mrr"][data-currency="usd"] .number').inner_text()
    ((mrr,),) = running_product.rows("SELECT sum(mrr_micro) FROM billing_subscriptionmirror WHERE status = 'active'")
    assert re.sub(r"[^\d.]", "", shown) == f"{mrr // 1_000_000}.00"


@pytest.mark.parametrize("path", ["/admin/", "/admin/accounts/user/", "/admin/reports/"])
def test_admin_pages_keep_to_their_policy(new_page, running_product, path):
    staff = new_page()
    staff.goto(f"/admin/login/?next={path}")
    staff.get_by_label("E-mail").fill(running_product.staff["email"])
    staff.get_by_label("Password").fill(running_product.staff["password"])
    staff.get_by_role("button", name=re.compile("log in|sign in", re.IGNORECASE)).click()
    expect(staff).to_have_url(f"{running_product.url}{path}")
    staff.wait_for_load_state("networkidle")
