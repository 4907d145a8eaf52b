from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.forms import DecimalField, ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from apps.billing import plans
from apps.core.money import MICRO
from apps.reporting.models import ExchangeRate


class ExchangeRateForm(ModelForm):  # type: ignore[type-arg]
    rate = DecimalField(
        label=_("Rate"),
        min_value=0,
        max_digits=12,
        decimal_places=6,
        help_text=_("What one unit of it is worth in the reporting currency, from this day on: 1.08"),
    )

    class Meta:
        model = ExchangeRate
        fields = ("day", "currency")

    def clean_currency(self) -> str:
        currency, known = str(self.cleaned_data["currency"]).lower(), plans.catalogue().currencies[1:]
        if currency not in known:
            sentence = _("A rate is for one of the other currencies of the catalogue: %(known)s.")
            raise ValidationError(sentence, params={"known": ", ".join(known) or "–"})
        return currency

    def clean(self) -> dict[str, Any] | None:
        found = super().clean()
        self.instance.rate_micro = int(self.cleaned_data.get("rate", 0) * MICRO)
        if "rate" in self.cleaned_data and not self.instance.rate_micro:
            self.add_error("rate", _("A rate is above nothing."))
        return found


@admin.register(ExchangeRate)
class ExchangeRateAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    form = ExchangeRateForm
    list_display = ("day", "currency", "shown")
    list_filter = ("currency",)
    ordering = ("-day", "currency")

    @admin.display(description=_("Rate"))
    def shown(self, row: ExchangeRate) -> str:
        return f"{row.rate_micro / MICRO:.6f}"

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return obj is None and super().has_change_permission(request)  # a wrong one is removed and entered anew
