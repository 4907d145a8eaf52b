"""axe-core on every page, in both themes: nothing serious for whoever reads with something else than eyes and mouse."""

import pytest

from apps.localdev.assets import ROOT

AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = ("serious", "critical")
OPEN = (
    "/", "/pricing/", "/terms/", "/privacy/", "/accounts/login/", "/accounts/signup/", "/accounts/signup/passkey/",
    "/accounts/login/code/", "/accounts/password/reset/", "/accounts/inactive/",
)  # fmt: skip
OWN = (
    "/chat/", "/settings/profile/", "/settings/email/", "/settings/security/", "/settings/personalization/",
    "/settings/notifications/", "/settings/plan/", "/settings/usage/", "/settings/keys/", "/settings/credit/",
    "/settings/data/", "/settings/data/delete/", "/accounts/password/change/", "/accounts/2fa/totp/activate/",
    "/accounts/2fa/webauthn/add/", "/accounts/3rdparty/", "/terms/accept/",
)  # fmt: skip
STAFF = ("/admin/reports/", "/admin/customers/", "/admin/customers/?q=example", "/admin/billing/billingaccount/")


def grave_of(page):
    """What axe finds, each as rule and the first part of the page it is about."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(
        "() => axe.run(document.querySelector('.reports, #content') ?? document, {resultTypes: ['violations']})"
    )
    return [(one["id"], one["nodes"][0]["html"][:120]) for one in found["violations"] if one["impact"] in GRAVE]


def walk(page, addresses):
    told = {}
    for address in addresses:
        page.goto(address)
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            page.wait_for_timeout(100)  # colours that change slowly have changed
            told[f"{address} {theme}"] = grave_of(page)
    return {where: what for where, what in told.items() if what}


@pytest.mark.parametrize("language", ["en-GB", "fr-FR"])
def test_pages_for_everybody(new_page, language):
    assert walk(new_page(locale=language), OPEN) == {}


def test_ones_own_pages(new_page, sign_up):
    page = new_page()
    sign_up(page, "axe@example.org")
    page.goto("/settings/email/")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Go on").click()
    page.wait_for_url("**/settings/email/")
    assert walk(page, OWN) == {}


def test_pages_of_staff(new_page, running_product):
    page = new_page()
    page.goto("/admin/login/?next=/pricing/")
    page.get_by_label("E-mail").fill(running_product.staff["email"])
    page.get_by_label("Password").fill(running_product.staff["password"])
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/pricing/")
    assert walk(page, STAFF) == {}
