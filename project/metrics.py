"""What Prometheus may count of this process. Rooms add their own where things happen; this is the house's door."""

from django.http import HttpRequest, HttpResponseBase
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest

from apps.billing import gauges
from apps.core import clock

REQUESTS = Counter("causerie_http_requests", "Requests answered.", ["method", "route", "status"])
SECONDS = Histogram("causerie_http_request_seconds", "Seconds until the answer began.", ["route"])
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def count_request(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    """Count one answer under its route, so that ids in addresses do not make a series each."""
    match = request.resolver_match
    route = match.route if match else "none"
    method = request.method if request.method in METHODS else "other"
    REQUESTS.labels(method, route, response.status_code).inc()
    SECONDS.labels(route).observe(seconds)


def exposition() -> tuple[bytes, str]:
    """Everything counted so far, and its content type."""
    gauges.measure(now=clock.now())
    return generate_latest(), CONTENT_TYPE_LATEST
