from typing import cast

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.billing import entitlements
from apps.core import clock
from apps.usage import balances


class PlanNameSerializer(serializers.Serializer[object]):
    key = serializers.CharField()
    name = serializers.CharField()


class BalanceSerializer(serializers.Serializer[object]):
    meter = serializers.CharField()
    models = serializers.ListField(child=serializers.CharField())
    limit = serializers.IntegerField(allow_null=True)
    used = serializers.IntegerField()
    left = serializers.IntegerField(allow_null=True)
    resets_at = serializers.DateTimeField(allow_null=True)
    window_s = serializers.IntegerField(allow_null=True)
    fallback_model = serializers.CharField(allow_null=True)
    plan_that_lifts = serializers.CharField(allow_null=True)


class BalancesSerializer(serializers.Serializer[object]):
    plan = PlanNameSerializer()
    balances = BalanceSerializer(many=True)


@extend_schema(responses=BalancesSerializer)
@api_view(["GET"])
def list_balances(request: Request) -> Response:
    now = clock.now()
    account = entitlements.account_for(cast(User, request.user), now=now)
    plan = entitlements.plan_for(account, now=now)
    rows = [
        {
            "meter": str(balance.meter),
            "models": balance.models,
            "limit": balance.limit,
            "used": balance.used,
            "left": balance.left,
            "resets_at": balance.resets_at,
            "window_s": balance.window_s,
            "fallback_model": balance.fallback_model,
            "plan_that_lifts": balances.lifting_plan(plan, balance),
        }
        for balance in balances.shown(account, plan=plan, now=now)
    ]
    return Response(BalancesSerializer({"plan": {"key": plan.key, "name": plan.name}, "balances": rows}).data)
