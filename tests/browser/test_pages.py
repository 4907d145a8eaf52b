"""How pages hold up: on a phone, in the dark, without scripts, by keyboard, in French; what an answer may not do."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.support.provider import GREETING_TEXT

PHONE = {"width": 360, "height": 740}
OPEN_PAGES = [
    "/",
    "/pricing/",
    "/accounts/signup/",
    "/accounts/login/",
    "/accounts/password/reset/",
    "/terms/",
    "/gone/",
]
OWN_PAGES = [*(f"/settings/{name}/" for name in ("profile", "plan", "usage", "keys", "data")), "/chat/"]
NAMELESS = """[...document.querySelectorAll('input:not([type=hidden]), select, textarea, button, a[href]')].filter(
    (one) => one.checkVisibility({visibilityProperty: true})
        && !one.ariaLabel && !one.labels?.length && !one.innerText?.trim()
).map((one) => one.outerHTML)"""
OVERFLOW = "document.documentElement.scrollWidth - innerWidth"
PICTURE = "https://elsewhere.example/spy.png"


@pytest.fixture
def sign_in(page, sign_up, request):
    """A page of someone new, already in."""
    sign_up(page, f"{re.sub(r'[^a-z]', '', request.node.name)}@example.org")
    return page


def ask(page, text):
    page.get_by_label("Your message").fill(text)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("button", name="Another answer").last).to_be_visible()


def look(page, path):
    page.goto(path)
    expect(page.locator("h1").first).to_be_attached()
    assert page.evaluate(OVERFLOW) <= 0, f"{path} is wider than a phone"
    assert page.evaluate(NAMELESS) == [], f"{path} has controls without a name"
    assert page.title().endswith("Causerie")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_open_pages_fit_a_phone_in_both_themes_without_scripts(new_page, theme):
    page = new_page(viewport=PHONE, color_scheme=theme, java_script_enabled=False)
    grounds = set()
    for path in OPEN_PAGES:
        look(page, path)
        expect(page.locator("h1")).to_have_count(1)
        grounds.add(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))
    (ground,) = grounds
    lightness = float(re.search(r"oklch\(([\d.]+)", ground).group(1))
    assert (lightness > 0.9) == (theme == "light")


def test_ones_own_pages_fit_a_phone_and_load_nothing_from_elsewhere(sign_in, running_product):
    hosts = set()
    sign_in.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    sign_in.set_viewport_size(PHONE)
    for path in OWN_PAGES:
        look(sign_in, path)
    assert hosts == {urlsplit(running_product.url).netloc}


def test_the_pages_of_staff_fit_a_phone_in_french(new_page, running_product):
    page = new_page(viewport=PHONE)
    page.goto("/admin/login/?next=/pricing/")
    page.get_by_label("E-mail").fill(running_product.staff["email"])
    page.get_by_label("Password").fill(running_product.staff["password"])
    page.get_by_role("button", name=re.compile("log in|sign in", re.IGNORECASE)).click()
    page.get_by_role("button", name="Français").click()
    expect(page.get_by_role("link", name="Réglages")).to_be_visible()
    for path in ("/pricing/", "/settings/usage/"):
        look(page, path)
    page.get_by_role("link", name="Rapports").click()
    expect(page).to_have_url(re.compile("/admin/reports/"))


def test_the_first_tab_leads_past_the_navigation(page):
    page.goto("/pricing/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_french_follows_the_browser_and_english_can_be_chosen(new_page):
    page = new_page(locale="fr-FR")
    page.goto("/accounts/signup/")
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    assert page.url.endswith("/accounts/signup/")


def test_an_answer_runs_nothing_and_loads_nothing(sign_in, running_product):
    asked = []
    sign_in.on("request", lambda request: asked.append(request.url))
    running_product.provider.answer(
        f"![cat]({PICTURE})\n\n<img src=x onerror=document.title='owned'>",
        "\n\n[here](javascript:document.title='owned') and [there](https://elsewhere.example/)",
    )
    ask(sign_in, "Show me")
    answer = sign_in.locator(".answer")
    expect(answer.get_by_role("link", name="cat")).to_have_attribute("href", PICTURE)
    expect(answer.get_by_role("link", name="there")).to_have_attribute("rel", "noopener noreferrer nofollow")
    assert answer.locator("img").count() == 0
    assert answer.locator("[href^=javascript]").count() == 0
    assert "owned" not in sign_in.title()
    assert [url for url in asked if "elsewhere" in url or url.endswith("/x")] == []


def test_another_answer_stands_beside_the_first(sign_in, running_product):
    running_product.provider.answer("The first answer.")
    ask(sign_in, "Twice, please")
    running_product.provider.answer("The second answer.")
    sign_in.get_by_role("button", name="Another answer").click()
    expect(sign_in.get_by_text("The second answer.")).to_be_visible()
    expect(sign_in.get_by_text("The first answer.")).to_have_count(0)
    sign_in.get_by_role("button", name="Previous answer").click()
    expect(sign_in.get_by_text("The first answer.")).to_be_visible()
    expect(sign_in.get_by_text("2/2")).to_have_count(0)
    expect(sign_in.get_by_text("1/2")).to_be_visible()


def test_a_conversation_is_renamed_and_deleted_on_a_phone(sign_in):
    sign_in.set_viewport_size(PHONE)
    ask(sign_in, "A passing thought")
    sign_in.get_by_role("button", name="Conversations").click()
    sign_in.get_by_role("button", name="More for “A passing thought”").click()
    sign_in.get_by_role("button", name="Rename", exact=True).click()
    sign_in.get_by_label("Title").fill("A lasting thought")
    sign_in.keyboard.press("Enter")
    expect(sign_in.get_by_role("link", name="A lasting thought")).to_be_visible()
    sign_in.reload()
    sign_in.get_by_role("button", name="Conversations").click()
    sign_in.get_by_role("button", name="More for “A lasting thought”").click()
    sign_in.get_by_role("button", name="Delete", exact=True).click()
    sign_in.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(sign_in.get_by_role("link", name="A lasting thought")).to_have_count(0)
    assert sign_in.url.endswith("/chat/")


def test_reading_is_not_disturbed_while_the_answer_grows(sign_in, running_product):
    gate = running_product.provider.gate()
    running_product.provider.answer("One more line.\n\n" * 60, gate, "The end.\n\n" * 20)
    sign_in.get_by_label("Your message").fill("At length")
    sign_in.get_by_role("button", name="Send").click()
    thread = sign_in.locator(".thread")
    expect(sign_in.get_by_text("One more line.").last).to_be_in_viewport()
    thread.evaluate("(thread) => (thread.scrollTop = 100)")
    expect(sign_in.get_by_role("button", name="To the end")).to_be_visible()
    gate.open()
    expect(sign_in.get_by_role("button", name="Another answer")).to_be_attached()
    assert thread.evaluate("(thread) => thread.scrollTop") == 100
    sign_in.get_by_role("button", name="To the end").click()
    expect(sign_in.get_by_text("The end.").last).to_be_in_viewport()


def test_going_back_shows_what_was_there_before(sign_in):
    ask(sign_in, "The first thing")
    sign_in.get_by_role("link", name="New chat").first.click()
    expect(sign_in.get_by_text(GREETING_TEXT)).to_have_count(0)
    sign_in.go_back()
    expect(sign_in.get_by_text(GREETING_TEXT)).to_be_visible()
