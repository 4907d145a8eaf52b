from typing import cast

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.billing import account_state, entitlements, inbox
from apps.billing.errors import ForgedEvent
from apps.core import clock


class PlanNamedSerializer(serializers.Serializer[object]):
    key = serializers.CharField()
    name = serializers.CharField()


class CardSerializer(serializers.Serializer[object]):
    brand = serializers.CharField()
    last4 = serializers.CharField()
    exp_month = serializers.IntegerField(allow_null=True)
    exp_year = serializers.IntegerField(allow_null=True)


class RenewalSerializer(serializers.Serializer[object]):
    amount_minor = serializers.IntegerField(help_text="What the next renewal charges, in minor units, tax included.")
    tax_minor = serializers.IntegerField()
    currency = serializers.CharField()


class ComingChangeSerializer(serializers.Serializer[object]):
    kind = serializers.ChoiceField(choices=[account_state.PLANNED, account_state.UNPAID])
    plan = PlanNamedSerializer(allow_null=True)
    interval = serializers.CharField()
    at = serializers.DateTimeField(help_text="From when on it holds; while it is unpaid: until when it can be paid.")


class LimitSerializer(serializers.Serializer[object]):
    meter = serializers.CharField()
    models = serializers.ListField(child=serializers.CharField())
    amount = serializers.IntegerField(allow_null=True)
    window_s = serializers.IntegerField(allow_null=True)


class BillingStateSerializer(serializers.Serializer[object]):
    plan = PlanNamedSerializer()
    source = serializers.CharField()  # type: ignore[assignment]  # DRF fields have an attribute of this name
    status = serializers.CharField()
    trial_ends_at = serializers.DateTimeField(allow_null=True)
    renews_at = serializers.DateTimeField(allow_null=True)
    renewal = RenewalSerializer(allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True)
    change = ComingChangeSerializer(allow_null=True)
    card = CardSerializer(allow_null=True)
    is_confirming = serializers.BooleanField()
    limits = LimitSerializer(many=True)


@extend_schema(responses=BillingStateSerializer)
@api_view(["GET"])
def show_state(request: Request) -> Response:
    now = clock.now()
    account = entitlements.account_for(cast(User, request.user), now=now)
    return Response(BillingStateSerializer(account_state.state_for(account, now=now)).data)


@csrf_exempt
@require_POST
def receive_event(request: HttpRequest) -> HttpResponse:
    try:
        inbox.store(request.body, request.headers.get("Stripe-Signature", ""), now=clock.now())
    except ForgedEvent:
        return HttpResponse(status=400)
    except (OperationalError, InterfaceError):  # the database is down: Stripe will send it again
        return HttpResponse(status=503)
    return HttpResponse(status=200)
