import pytest

from apps.reporting.models import Annotation, SavedView
from tests import build, cast

pytestmark = pytest.mark.django_db
PASSWORD = "a quiet room with good light"


@pytest.fixture
def demo(settings):
    """As CAUSERIE_DEMO=1 makes it."""
    settings.IS_DEMO = True
    at = settings.MIDDLEWARE.index("project.middleware.GuestMiddleware")
    settings.MIDDLEWARE = [*settings.MIDDLEWARE[:at], "project.demo.DemoMiddleware", *settings.MIDDLEWARE[at:]]


def test_everything_can_be_looked_at(client, demo):
    client.force_login(cast.dana())
    page = client.get("/admin/reports/").content.decode()
    assert "Demonstration" in page
    assert client.get("/admin/reports/revenue/").status_code == 200


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("/admin/reports/notes/write/", {"text": "x"}),
        ("/admin/reports/views/usage/save/", {"name": "x"}),
        ("/accounts/signup/", {"email": "new@example.org"}),
        ("/api/v1/messages", {}),
        ("/v1/chat/completions", {}),
        ("/billing/checkout/", {}),
    ],
)
def test_nothing_can_be_changed(client, demo, url, sent):
    client.force_login(cast.dana())
    response = client.post(url, sent)
    assert response.status_code == 403
    assert "nothing can be changed" in response.content.decode()
    assert not Annotation.objects.exists()
    assert not SavedView.objects.exists()


def test_one_can_come_and_go_and_read_in_another_language(client, demo):
    person = build.person(email="dana@example.org", is_staff=True, is_superuser=True)
    person.set_password(PASSWORD)
    person.save(update_fields=["password"])
    client.post("/admin/login/", {"username": person.email, "password": PASSWORD})
    assert client.get("/admin/reports/").status_code == 200
    assert client.post("/i18n/setlang/", {"language": "fr"}).status_code in (204, 302)
    assert "Démonstration" in client.get("/admin/reports/").content.decode()
    client.post("/admin/logout/")
    assert client.get("/admin/reports/").status_code == 302


def test_elsewhere_nothing_is_refused(client):
    client.force_login(cast.dana())
    assert "Demonstration" not in client.get("/admin/reports/").content.decode()
    assert client.post("/admin/reports/views/usage/save/", {"name": "x"}).status_code == 302
