"""Two questions at a time, where the plan writes one answer at a time, in a real browser."""

import pytest
from playwright.sync_api import expect

from tests.browser.test_journey import ask
from tests.support.provider import GREETING_TEXT

WAITS = "Waits until your other answer is finished"


@pytest.fixture
def tabs(page, sign_up, running_product, request):
    """Two tabs of somebody new; the first one's answer is half written, as long as the gate is shut."""
    sign_up(page, f"{request.node.originalname[:40]}@example.org")
    gate = running_product.provider.gate()
    running_product.provider.answer("Once upon", gate, " a time.")
    ask(page, "Tell me a story")
    gate.wait_reached()
    other = page.context.new_page()
    other.goto("/chat/")
    return page, other, gate


def test_the_second_question_says_that_it_waits_and_is_answered_without_a_reload(tabs, running_product):
    first, second, gate = tabs
    ask(second, "And another one?")
    expect(second.get_by_text(WAITS)).to_be_visible()
    assert len(running_product.provider.requests) == 1
    gate.open()
    expect(second.get_by_text(GREETING_TEXT)).to_be_visible()
    expect(second.get_by_text(WAITS)).to_have_count(0)
    expect(first.get_by_text("Once upon a time.")).to_be_visible()


def test_stopped_while_it_waits_it_ends_at_once(tabs, running_product):
    first, second, gate = tabs
    ask(second, "And another one?")
    expect(second.get_by_text(WAITS)).to_be_visible()
    second.get_by_role("button", name="Stop", exact=True).click()
    expect(second.get_by_text(WAITS)).to_have_count(0)
    expect(second.get_by_role("button", name="Stop", exact=True)).to_have_count(0)
    gate.open()
    expect(first.get_by_text("Once upon a time.")).to_be_visible()
    assert len(running_product.provider.requests) == 1
