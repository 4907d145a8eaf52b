"""The system's Chromium, driven by Playwright. Its own fixtures, so that the driver ends with each module:
while it runs, Django's ORM in this process would think itself inside an event loop.
"""

import os
import re
import shutil
from http import HTTPStatus

import pytest
from playwright.sync_api import expect, sync_playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE_MS = 15_000
NOT_FOUND = f"no Chromium found ({', '.join(PROGRAMS)}): browser tests were left out"


def pytest_collection_modifyitems(items):
    for item in items:
        if "/browser/" in item.path.as_posix():
            item.add_marker("browser")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """All skips for want of a browser have one place, so that they are one line in the summary."""
    report = yield
    if report.skipped and NOT_FOUND in str(report.longrepr):
        report.longrepr = (__file__, 0, f"Skipped: {NOT_FOUND}")
    return report


@pytest.fixture(scope="session", autouse=True)
def chromium():
    """Where the browser is; without one these tests are skipped, and fail where they were promised."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None:
        pytest.fail(NOT_FOUND) if os.environ.get("CI") == "true" else pytest.skip(NOT_FOUND)
    return found


@pytest.fixture(scope="module")
def browser(chromium):
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield browser
        browser.close()


def note_loss(request, complaints):
    """Left out: who went on before all had come; a browser without scripts, which calls every script forbidden."""
    if "/static/" in request.url and request.failure not in ("csp", "net::ERR_ABORTED"):
        complaints.append(f"{request.url} did not come: {request.failure}")


def note_refusal(response, complaints):
    if "/static/" in response.url and response.status >= HTTPStatus.BAD_REQUEST:
        complaints.append(f"{response.url} was refused: {response.status}")


@pytest.fixture
def new_page(browser, running_product):
    """Makes pages of people who do not know each other; what a page complains about fails the test."""
    contexts, complaints = [], []

    def make(**options):
        context = browser.new_context(**{"base_url": running_product.url, "locale": "en-GB", **options})
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: note_loss(request, complaints))
        page.on("response", lambda response: note_refusal(response, complaints))
        page.on(
            "console", lambda said: complaints.append(said.text) if "Content Security Policy" in said.text else None
        )
        return page

    yield make
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def page(new_page):
    return new_page()


@pytest.fixture
def sign_up(running_product):
    """Signs up as a person does, up to the chat page."""

    def go(page, email):
        page.goto("/")
        page.get_by_role("link", name="Create an account").click()
        page.get_by_label("E-mail").fill(email)
        page.get_by_label("Password", exact=True).fill("correct horse battery")
        page.get_by_label("I accept").check()
        page.get_by_role("button", name="Create account").click()
        expect(page).to_have_url(re.compile("/accounts/confirm-email/"))
        page.get_by_label("Code").fill(running_product.code_for(email))
        page.get_by_role("button", name="Go on").click()
        page.wait_for_url("**/chat/")

    return go
