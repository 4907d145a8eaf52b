import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from project import liveness, metrics, readiness
from tests import cast

pytestmark = pytest.mark.django_db
TOKEN = "scraper-token"


@pytest.fixture
def workers():
    """As if workers served every queue."""
    for queue in liveness.SERVED:
        liveness.valkey().set(f"{liveness.PREFIX}{queue}", "1", ex=5)
    yield
    liveness.valkey().delete(*(f"{liveness.PREFIX}{queue}" for queue in liveness.SERVED))


@pytest.fixture
def dead_valkey(settings):
    """An address at which nobody listens."""
    settings.VALKEY_URL = "redis://127.0.0.1:9/0"
    liveness.valkey.cache_clear()
    yield
    liveness.valkey.cache_clear()


def test_alive_asks_nobody(client, dead_valkey):
    assert client.get("/healthz").json() == {"status": "ok"}


def test_ready_when_everything_answers(client, workers):
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["checks"] == dict.fromkeys(("database", "migrations", "valkey", "workers"), "ok")


def test_not_ready_without_workers_and_says_for_which_queues(client, workers):
    liveness.valkey().delete(f"{liveness.PREFIX}runs.free", f"{liveness.PREFIX}billing")
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["workers"] == "no worker serves runs.free, billing"
    assert response.json()["checks"]["database"] == "ok"


def test_not_ready_without_valkey(client, dead_valkey):
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {
        "status": "not ready",
        "checks": {"database": "ok", "migrations": "ok", "valkey": "does not answer", "workers": "unknown"},
    }


def test_not_ready_while_a_migration_is_missing(client, workers):
    readiness.migrated.clear()
    recorder = MigrationRecorder(connection)
    newest = max(name for app, name in recorder.applied_migrations() if app == "chat")
    recorder.record_unapplied("chat", newest)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["migrations"] == "not applied"


def test_metrics_do_not_exist_for_strangers(client, settings):
    settings.METRICS_TOKEN = TOKEN
    assert client.get("/metrics", headers={"accept": "application/json"}).status_code == 404
    wrong = client.get("/metrics", headers={"accept": "application/json", "authorization": "Bearer wrong"})
    assert wrong.status_code == 404
    assert b"causerie_http" not in wrong.content


def test_metrics_do_not_exist_for_a_person_who_is_not_staff(client):
    client.force_login(cast.mallory())
    assert client.get("/metrics", headers={"accept": "application/json"}).status_code == 404


def test_an_empty_token_opens_nothing(client, settings):
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"authorization": "Bearer "}).status_code == 404


def test_metrics_count_requests_by_route_for_the_scraper(client, settings):
    settings.METRICS_TOKEN = TOKEN
    before = metrics.REQUESTS.labels("GET", "healthz", 200)._value.get()
    client.get("/healthz")
    body = client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"}).content.decode()
    assert f'causerie_http_requests_total{{method="GET",route="healthz",status="200"}} {before + 1}' in body


def test_metrics_are_open_to_staff(client):
    client.force_login(cast.dana())
    assert client.get("/metrics").status_code == 200


def test_each_answer_carries_the_id_of_its_request(client):
    assert client.get("/healthz", headers={"x-request-id": "from-a-proxy-1"})["X-Request-ID"] == "from-a-proxy-1"
    made = client.get("/healthz", headers={"x-request-id": "<script>"})["X-Request-ID"]
    assert len(made) == 36
