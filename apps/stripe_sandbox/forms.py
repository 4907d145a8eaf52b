import json
import re
from datetime import UTC, datetime

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.stripe_sandbox import cards, dashboard, faults
from apps.stripe_sandbox.checkout import Payment
from apps.stripe_sandbox.documents import Document

COUNTRIES = [
    ("FR", _("France")),
    ("BE", _("Belgium")),
    ("CA", _("Canada")),
    ("DE", _("Germany")),
    ("ES", _("Spain")),
    ("GB", _("United Kingdom")),
    ("IT", _("Italy")),
    ("CH", _("Switzerland")),
    ("US", _("United States")),
]


REASONS = {
    "too_expensive": _("It is too expensive"),
    "missing_features": _("Something is missing"),
    "switched_service": _("I use something else"),
    "unused": _("I do not use it"),
    "customer_service": _("The support was not good"),
    "too_complex": _("It is too complicated"),
    "low_quality": _("The quality is not good"),
    "other": _("Another reason"),
}


class CardForm(forms.Form):
    email = forms.EmailField(label=_("E-mail"), widget=forms.EmailInput(attrs={"autocomplete": "email"}))
    number = forms.CharField(
        label=_("Card number"),
        max_length=30,
        widget=forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": "cc-number", "placeholder": "4242 4242 4242 4242"}
        ),
    )
    expiry = forms.CharField(
        label=_("Expiry (MM / YY)"),
        max_length=9,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "cc-exp", "placeholder": "12 / 34"}),
    )
    cvc = forms.CharField(
        label=_("Security code"),
        min_length=3,
        max_length=4,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "cc-csc", "placeholder": "123"}),
    )
    name = forms.CharField(
        label=_("Name on the card"), max_length=100, widget=forms.TextInput(attrs={"autocomplete": "cc-name"})
    )
    country = forms.ChoiceField(
        label=_("Country"), choices=COUNTRIES, widget=forms.Select(attrs={"autocomplete": "country"})
    )
    postal_code = forms.CharField(
        label=_("Postcode"),
        max_length=12,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "postal-code"}),
    )
    tax_id = forms.CharField(label=_("Tax number, for companies"), max_length=30, required=False)

    def __init__(
        self,
        *args: object,
        now: int,
        email: str | None,
        needs_card: bool = True,
        takes_tax_id: bool = False,
        **kwargs: object,
    ) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # Django's own arguments, handed on
        self.label_suffix = ""
        self.now = now
        self.known_email = email
        if email:
            del self.fields["email"]
        if not takes_tax_id:
            del self.fields["tax_id"]
        if not needs_card:
            for name in ("number", "expiry", "cvc"):
                del self.fields[name]
            self.fields["name"].label = _("Name")

    def clean_number(self) -> str:
        number = re.sub(r"[\s-]", "", self.cleaned_data["number"])
        if not number.isdigit() or not cards.has_valid_checksum(number):
            raise forms.ValidationError(_("Your card number is invalid."), code="incorrect_number")
        if number not in cards.BY_NUMBER:
            raise forms.ValidationError(_("Only test cards work here. Choose one from the list above."), code="unknown")
        return number

    def clean_expiry(self) -> tuple[int, int]:
        found = re.fullmatch(r"\s*(\d{1,2})\s*/?\s*(\d{2}|\d{4})\s*", self.cleaned_data["expiry"])
        if not found or not 1 <= int(found[1]) <= 12:  # noqa: PLR2004  months
            raise forms.ValidationError(_("Write month and year, such as 12 / 34."), code="invalid_expiry")
        month, year = int(found[1]), int(found[2])
        year += 2000 if year < 100 else 0  # noqa: PLR2004  two digits
        today = datetime.fromtimestamp(self.now, UTC)
        if (year, month) < (today.year, today.month):
            raise forms.ValidationError(_("Your card's expiration date is in the past."), code="expired")
        return month, year

    def clean_cvc(self) -> str:
        code: str = self.cleaned_data["cvc"]
        if not code.isdigit():
            raise forms.ValidationError(_("The security code has three or four digits."), code="invalid_cvc")
        return code

    def payment(self) -> Payment:
        """Give what was typed, once it is valid."""
        values = self.cleaned_data
        month, year = values.get("expiry", (1, 1970))
        return Payment(
            card=cards.BY_NUMBER[values["number"]] if "number" in values else None,
            exp_month=month,
            exp_year=year,
            email=values.get("email") or self.known_email or "",
            name=values["name"],
            country=values["country"],
            postal_code=values["postal_code"],
            tax_id=values.get("tax_id", ""),
        )


class CodeForm(forms.Form):
    promotion_code = forms.CharField(
        label=_("Promotion code"), max_length=60, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # Django's own arguments, handed on
        self.label_suffix = ""


class LeaveForm(forms.Form):
    comment = forms.CharField(label=_("Anything to add?"), max_length=500, required=False)

    def __init__(self, *args: object, options: list[str], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # Django's own arguments, handed on
        self.label_suffix = ""
        if not options:
            self.fields.clear()
            return
        choices = [("", _("I would rather not say")), *((each, REASONS[each]) for each in options)]
        self.fields["feedback"] = forms.ChoiceField(label=_("Why do you leave?"), required=False, choices=choices)
        self.order_fields(["feedback", "comment"])


class FaultForm(forms.Form):
    kind = forms.ChoiceField(label=_("What goes wrong"), choices=[(kind, kind) for kind in faults.KINDS])
    count = forms.IntegerField(label=_("How often"), min_value=1, max_value=1000)
    match = forms.CharField(
        label=_("Only for (part of a call, an event type or a customer)"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "POST /v1/checkout/sessions"}),
    )
    params = forms.CharField(
        label=_("More, as JSON"),
        required=False,
        widget=forms.TextInput(attrs={"placeholder": '{"seconds": 5}'}),
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # Django's own arguments, handed on
        self.label_suffix = ""

    def clean_params(self) -> Document:
        try:
            given = json.loads(self.cleaned_data["params"] or "{}")
        except ValueError:
            given = None
        if not isinstance(given, dict):
            raise forms.ValidationError(_('Write an object, such as {"seconds": 5}.'), code="no_object")
        return given

    def clean(self) -> Document:
        values: Document = super().clean() or {}
        action = (values.get("params") or {}).get("action")
        if values.get("kind") == "dashboard" and action not in dashboard.ACTIONS:
            listed = ", ".join(dashboard.ACTIONS)
            self.add_error("params", _('Say which action: {"action": "…"}, one of %(actions)s.') % {"actions": listed})
        return values
