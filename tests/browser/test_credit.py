"""Credit in a real browser: bought on Stripe's page, then recharged by itself and charged at the month's end."""

import os
import re

import pytest
from playwright.sync_api import expect

from tests.browser.test_paying import fill_card

WORDS = {
    "en": {
        "title": "API credit", "save": "Save my card", "pay": "Go to payment",
        "thanks": "Thank you: the credit is yours",
        "recharge": "Turn on auto-recharge", "charges": "Turn on usage charges", "saved": "Saved.", "off": "Turn off",
        "amount": "Choose a whole amount from 5 to 1000 USD.", "other": "Or another amount",
        "card": "Visa •••• 4242 in this way", "bought": "What you bought",
    },
    "fr": {
        "title": "Crédit d’API", "save": "Enregistrer ma carte", "pay": "Passer au paiement",
        "thanks": "Merci : le crédit est à vous", "recharge": "Activer la recharge automatique",
        "charges": "Activer la facturation à l’usage", "saved": "Enregistré", "off": "Désactiver",
        "amount": "Choisissez un montant entier de 5 à 1000 USD.", "other": "Ou un autre montant",
        "card": "Visa •••• 4242 de cette façon", "bought": "Vos achats",
    },
}  # fmt: skip
SHOTS = os.environ.get("SCREENSHOTS", "")


def keep_look(page, name):
    """Where somebody wants to look: the page at three widths in both themes."""
    for scheme in ("light", "dark") if SHOTS else ():
        page.emulate_media(color_scheme=scheme)
        for width in (360, 768, 1440):
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=f"{SHOTS}/{name}-{scheme}-{width}.png", full_page=True)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_credit_is_bought_and_more_comes_by_itself(new_page, sign_up, running_product, language):
    page, words = new_page(locale="en-GB"), WORDS[language]
    sign_up(page, f"credit_{language}@example.org")
    page.goto("/settings/credit/")
    if language == "fr":
        page.get_by_role("button", name="Français").click()
        page.goto("/settings/credit/")
    expect(page.get_by_role("heading", name=words["title"], exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    keep_look(page, f"empty-{language}")
    page.get_by_label(words["other"]).fill("3")
    page.get_by_role("button", name=words["pay"]).click()
    expect(page.get_by_text(words["amount"])).to_be_visible()
    keep_look(page, f"refused-{language}")
    page.get_by_label(words["other"]).fill("")
    page.get_by_label(re.compile(words["save"])).check()
    page.get_by_role("button", name=words["pay"]).click()
    fill_card(page)
    page.get_by_role("button", name=re.compile("^Pay|^Payer")).click()
    expect(page.get_by_text(words["thanks"])).to_be_visible()
    expect(page.get_by_role("heading", name=words["bought"])).to_be_visible()
    page.get_by_role("button", name=words["recharge"]).click()
    expect(page.get_by_text(words["card"])).to_be_visible()
    page.get_by_role("button", name=words["charges"]).click()
    expect(page.get_by_role("button", name=words["off"])).to_have_count(2)
    keep_look(page, f"on-{language}")
    begun = "SELECT 1 FROM billing_overage o JOIN billing_subscriptionmirror m USING (stripe_subscription_id)"
    running_product.wait_for(lambda: running_product.rows(f"{begun} WHERE m.status = 'active'"), seconds=60)
    page.goto("/settings/usage/")
    keep_look(page, f"usage-{language}")
