"""Each way in, in a real browser: a code by mail, a passkey of its own, an authenticator app; signing out elsewhere."""

import re

import pytest
from allauth.mfa.totp.internal import auth as totp
from playwright.sync_api import expect

from apps.core import clock

HOSTS = ("127.0.0.1", "localhost")  # passkeys belong to names: the same product, called by its name


@pytest.fixture
def name(running_product):
    return running_product.url.replace(*HOSTS)


def keep_passkeys(page):
    """A device that keeps passkeys and always knows its owner."""
    cdp = page.context.new_cdp_session(page)
    cdp.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    options |= {"isUserVerified": True, "automaticPresenceSimulation": True}
    cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def sign_out(page):
    page.goto("/settings/profile/")
    page.get_by_role("navigation", name="Settings").get_by_role("link", name="Sign out").click()
    page.get_by_role("button", name="Sign out").click()


def test_signs_in_in_french_by_a_code(new_page, running_product):
    running_product.person().sign_up(running_product, "code@example.org")
    page = new_page(locale="fr-FR")
    page.goto("/accounts/login/")
    page.get_by_role("link", name="Recevoir un code par e-mail").click()
    page.get_by_label("E-mail").fill("code@example.org")
    before = running_product.letter_to("code@example.org").key
    page.get_by_role("button", name="Envoyer le code").click()
    running_product.wait_for(lambda: running_product.letter_to("code@example.org").key != before)
    page.get_by_label("Code").fill(running_product.code_for("code@example.org"))
    page.get_by_role("button", name="Continuer").click()
    page.wait_for_url("**/chat/")


def test_signs_up_and_in_with_a_passkey_and_no_password(new_page, running_product, name):
    page = new_page(base_url=name)
    keep_passkeys(page)
    page.goto("/accounts/signup/")
    page.get_by_role("link", name="Sign up with a passkey").click()
    page.get_by_label("E-mail").fill("passkey@example.org")
    page.get_by_label("I accept").check()
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Code").fill(running_product.code_for("passkey@example.org"))
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Name of this passkey").fill("Desk")
    page.get_by_role("button", name="Make the passkey").click()
    page.wait_for_url("**/chat/")
    page.goto("/settings/security/")
    expect(page.get_by_text("Desk", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Set a password")).to_be_visible()
    sign_out(page)
    page.goto("/accounts/login/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/chat/")


def test_an_app_is_set_up_and_asked_for_and_other_sessions_are_ended(new_page, running_product, sign_up):
    page = new_page()
    sign_up(page, "totp@example.org")
    page.goto("/settings/security/")
    page.get_by_role("link", name="Set up an authenticator app").click()
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Go on").click()
    page.get_by_text("It cannot scan?").click()
    secret = page.locator("[data-secret]").inner_text()
    step = int(clock.now().timestamp()) // 30
    page.get_by_label("Code").fill(totp.format_hotp_value(totp.hotp_value(secret, step)))
    page.get_by_role("button", name="Turn it on").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    codes = page.locator(".codes").inner_text().split()

    other = new_page()
    other.goto("/accounts/login/")
    other.get_by_label("E-mail").fill("totp@example.org")
    other.get_by_label("Password").fill("correct horse battery")
    other.get_by_role("button", name="Sign in", exact=True).click()
    expect(other.get_by_role("heading", name="One more step")).to_be_visible()
    other.get_by_label("Code").fill(codes[0])
    other.get_by_role("button", name="Sign in", exact=True).click()
    other.wait_for_url("**/chat/")

    page.goto("/settings/security/")
    expect(page.get_by_text("9 codes are left")).to_be_visible()
    page.get_by_role("button", name="Sign out everywhere else").click()
    expect(page.get_by_text("Signed out everywhere else.")).to_be_visible()
    other.goto("/settings/security/")
    expect(other).to_have_url(re.compile("/accounts/login/"))


def test_a_new_password_is_judged_while_it_is_typed(page):
    page.goto("/accounts/signup/")
    field = page.get_by_label("Password", exact=True)
    field.fill("azerty12")
    expect(page.get_by_role("status").filter(has_text="easy to guess")).to_be_visible()
    field.fill("ocre lune radeau 8")
    expect(page.get_by_role("status").filter(has_text="very strong")).to_be_visible()


def test_signs_up_and_in_with_an_account_elsewhere(new_page, running_product, oidc):
    oidc.knows("lea", email="lea@example.org", email_verified=True, name="Léa")
    page = new_page(locale="fr-FR")
    page.goto("/accounts/login/")
    page.get_by_role("button", name="Continuer avec Work").click()
    page.get_by_placeholder("sub").fill("lea")
    page.get_by_role("button", name="Authorize").click()
    expect(page.get_by_label("E-mail")).to_have_value("lea@example.org")
    page.get_by_label("J’accepte").check()
    page.get_by_role("button", name="Créer le compte").click()
    page.wait_for_url("**/chat/")
    again = new_page(locale="fr-FR")
    again.goto("/accounts/login/")
    again.get_by_role("button", name="Continuer avec Work").click()
    again.get_by_placeholder("sub").fill("lea")
    again.get_by_role("button", name="Authorize").click()
    again.wait_for_url("**/chat/")


def test_leaves_and_comes_back_by_signing_in(new_page, running_product, sign_up):
    page = new_page()
    sign_up(page, "departing@example.org")
    page.goto("/settings/data/")
    page.get_by_role("link", name="Delete my account").click()
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Type departing@example.org to be sure").fill("departing@example.org")
    page.get_by_role("button", name="Delete my account").click()
    expect(page.get_by_role("heading", name="Your account is closed")).to_be_visible()
    assert "will be erased on" in running_product.letter_to("departing@example.org").subject
    page.goto("/accounts/login/")
    page.get_by_label("E-mail").fill("departing@example.org")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Keep my account").click()
    expect(page.get_by_text("Your account stays as it was.")).to_be_visible()


def test_a_guest_asks_on_the_landing_page_and_takes_it_along(new_page, running_product):
    page = new_page(locale="fr-FR")
    page.goto("/")
    page.get_by_label("Votre question").fill("Pourquoi le ciel est-il bleu ?")
    page.get_by_role("button", name="Demander").click()
    page.wait_for_url(re.compile("/chat/.+"))
    expect(page.locator(".answer")).not_to_be_empty()
    page.reload()
    expect(page.get_by_text("Pourquoi le ciel est-il bleu ?").first).to_be_visible()
    address = page.url
    page.get_by_role("link", name="S’inscrire").first.click()
    page.get_by_label("E-mail").fill("invitee@example.org")
    page.get_by_label("Mot de passe", exact=True).fill("ocre lune radeau 8")
    page.get_by_label("J’accepte").check()
    page.get_by_role("button", name="Créer le compte").click()
    page.get_by_label("Code").fill(running_product.code_for("invitee@example.org"))
    page.get_by_role("button", name="Continuer").click()
    page.wait_for_url("**/chat/")
    page.goto(address)
    expect(page.get_by_text("Pourquoi le ciel est-il bleu ?").first).to_be_visible()
