"""What each letter says, in both languages and both forms."""

import re

import pytest

from apps.billing import emails
from tests import build

pytestmark = pytest.mark.django_db
MONEY = {"amount_minor": "800", "currency": "usd"}
PRICE = {"price_minor": "800", "currency": "usd", "interval": "month"}
UNTIL = {"until": "2026-03-09T12:00:00+00:00"}
CARD = {"brand": "visa", "last4": "4242"}
FACTS = {
    "receipt": {
        **MONEY, **CARD, "number": "A-1", "what": "Premium", "paid_at": "2026-03-02T09:00:00+00:00",
        "period_start": "2026-03-02T09:00:00+00:00", "period_end": "2026-04-02T09:00:00+00:00",
    },
    "plan_started": {"plan": "Premium", **PRICE},
    "plan_changed": {"plan": "Premium+", "before": "Premium", **PRICE},
    "change_planned": {"plan": "Premium+", "after": "Premium", "starts": UNTIL["until"], **PRICE},
    "plan_ending": {"plan": "Premium", **UNTIL},
    "plan_resumed": {"plan": "Premium", **UNTIL},
    "plan_ended": {"plan": "Premium"},
    "trial_ending": {"plan": "Premium", **UNTIL, **PRICE, **CARD},
    "renewal_reminder": {"plan": "Premium", **UNTIL, **PRICE, **CARD},
    "payment_failed": {"plan": "Premium", **UNTIL, **MONEY},
    "action_required": {"plan": "Premium", **UNTIL, **MONEY, "action_url": "https://invoice.stripe.com/i/1"},
    "grace_ending": {"plan": "Premium", **UNTIL, **MONEY},
    "plan_lost": {"plan": "Premium", **MONEY},
    "payment_recovered": {"plan": "Premium"},
    "refund_made": {**MONEY, "number": "A-1"},
    "card_expiring": {"plan": "Premium", **UNTIL, **CARD, "expiry": "2026-03"},
    "price_move": {"plan": "Premium", "before_minor": "700", "starts": UNTIL["until"], **PRICE},
    "plan_held": MONEY,
    "recharged": {**MONEY, **CARD},
    "recharge_failed": {**MONEY, "reason": "card_declined"},
    "recharge_month_full": MONEY,
    "spending_alert": {
        "scope": "account", "percent": "80", "used_micro": "4000000", "limit_micro": "5000000", "currency": "USD",
        "until": UNTIL["until"],
    },
    "limit_reached": {"count": "20", "resets_at": "2026-03-09T12:30:00+00:00"},
}  # fmt: skip
SUBJECTS = {
    "limit_reached": ("Your messages are used up for now", "Vos messages sont épuisés pour le moment"),
    "receipt": ("Your receipt for $8", "Votre reçu de 8 $"),
    "plan_started": ("Premium is on", "Premium est activé"),
    "plan_changed": ("Your plan is now Premium+", "Votre formule est maintenant Premium+"),
    "change_planned": ("Your plan changes on 9 March 2026", "Votre formule change le 9 mars 2026"),
    "plan_ending": ("Premium ends on 9 March 2026", "Premium se termine le 9 mars 2026"),
    "plan_resumed": ("Premium goes on", "Premium continue"),
    "plan_ended": ("Premium has ended", "Premium est terminé"),
    "trial_ending": ("Your trial of Premium ends on 9 March 2026", "Votre essai de Premium se termine le 9 mars 2026"),
    "renewal_reminder": ("Premium renews on 9 March 2026", "Premium se renouvelle le 9 mars 2026"),
    "payment_failed": ("Your payment for Premium did not go through", "Votre paiement pour Premium n’a pas abouti"),
    "action_required": ("Please confirm your payment for Premium", "Veuillez confirmer votre paiement pour Premium"),
    "grace_ending": ("You keep Premium until 9 March 2026", "Vous gardez Premium jusqu’au 9 mars 2026"),
    "plan_lost": ("Premium has stopped", "Premium est arrêté"),
    "payment_recovered": ("Paid: Premium goes on", "Payé : Premium continue"),
    "refund_made": ("We gave back $8", "Nous vous avons remboursé 8 $"),
    "card_expiring": (
        "Your card expires before Premium renews", "Votre carte expire avant le renouvellement de Premium"
    ),
    "price_move": (
        "Premium will cost $8 a month from 9 March 2026", "Premium coûtera 8 $ par mois à partir du 9 mars 2026"
    ),
    "plan_held": ("Your payment is disputed", "Votre paiement est contesté"),
    "recharged": ("Your API credit was recharged", "Votre crédit d’API a été rechargé"),
    "recharge_failed": (
        "Auto-recharge is off: nothing could be charged",
        "La recharge automatique est désactivée : rien n’a pu être débité",
    ),
    "recharge_month_full": (
        "Auto-recharge has reached your maximum for this month",
        "La recharge automatique a atteint votre maximum pour ce mois",
    ),
    "spending_alert": ("80 % of your spending cap is used", "80 % de votre plafond de dépenses sont utilisés"),
}  # fmt: skip


def compose(kind, language, **facts):
    reader = build.person(email=f"{language}@example.org", name="Ana", language=language)
    return emails.compose(kind, {**FACTS[kind], **facts}, reader)


def plain(text):
    """Without the spaces that do not break."""
    return text.replace("\u202f", " ").replace("\u00a0", " ")


def test_every_letter_is_tried_here():
    kinds = {
        value for name, value in vars(emails).items() if name.isupper() and isinstance(value, str) and value.islower()
    }
    assert kinds - {emails.TEXT, emails.HTML, emails.SUBJECT} == set(FACTS) == set(SUBJECTS)


@pytest.mark.parametrize("kind", FACTS)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_subject_words_and_one_thing_to_do_are_there_in_both_forms(kind, language):
    letter = compose(kind, language)
    assert plain(letter.subject) == SUBJECTS[kind][language == "fr"]
    assert letter.text.startswith("Hello Ana," if language == "en" else "Bonjour Ana,")
    for form in (letter.text, letter.html):
        assert "http" in form
        assert not re.search(r"\{\{|\{%|None|%\(", form)
    assert f'<html lang="{language}">' in letter.html
    links = 3 if kind in emails.OPTIONAL else 2  # what to do, who writes, and how to end what one can do without
    assert letter.html.count("<a href=") == links
    assert not re.search(r"<p(?: [^>]*)?>\s*</p>", letter.html)
    assert "\n\n\n" not in letter.text


def test_the_whole_text_of_a_letter():
    assert compose("payment_failed", "en").text == (
        "Hello Ana,\n\n"
        "Your card was refused when we tried to renew Premium, so $8 is still open.\n\n"
        "You keep Premium until 9 March 2026. Please pay with this card once more, or with another one.\n\n"
        "Pay $8:\nhttp://testserver/billing/pay/\n\n"
        "Your conversations stay, whatever happens.\n\n"
        "Causerie\nhttp://testserver\n"
    )


@pytest.mark.parametrize(("is_credit", "what"), [("yes", "API credit"), ("", "API usage")])
def test_a_receipt_without_a_plan_says_what_else_was_paid_and_no_period_of_one_day(is_credit, what):
    at = {"period_start": "2026-03-02T09:00:00+00:00", "period_end": "2026-03-02T09:00:00+00:00"}
    text = compose("receipt", "en", what="", is_credit=is_credit, **at).text
    assert f"For: {what}" in text
    assert "Period" not in text


def test_a_receipt_lists_what_was_paid():
    text = plain(compose("receipt", "fr").text)
    for line in (
        "Montant: 8 $", "Payé le: 2 mars 2026", "Facture: A-1", "Pour: Premium",
        "Période: 2 mars 2026 – 2 avril 2026", "Carte: Visa •••• 4242",
    ):  # fmt: skip
        assert line in text
    assert "<dd>A-1</dd>" in compose("receipt", "en").html


def test_only_the_bank_s_question_is_answered_at_an_address_that_lets_anybody_in():
    for kind, facts in FACTS.items():
        letter = emails.compose(kind, facts, build.person(email=f"{kind}@example.org"))
        assert ("invoice.stripe.com" in letter.text) is (kind == "action_required")


def test_what_a_person_is_called_is_text_and_never_markup():
    reader = build.person(name="<b>Ana</b>")
    letter = emails.compose("plan_ended", FACTS["plan_ended"], reader)
    assert "Hello <b>Ana</b>," in letter.text
    assert "Hello &lt;b&gt;Ana&lt;/b&gt;," in letter.html


@pytest.mark.parametrize(("facts", "says"), [
    ({"last4": ""}, "There is no card on file: add one to keep Premium for $8 a month."),
    ({}, "If you do nothing, you keep it and pay $8 a month, with the card Visa •••• 4242."),
])  # fmt: skip
def test_a_trial_that_ends_says_what_happens_with_and_without_a_card(facts, says):
    assert says in compose("trial_ending", "en", **facts).text
