"""The admin's side bar: the reports first, then what each room keeps."""

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

Group = dict[str, object]


def list_groups(request: HttpRequest) -> list[Group]:
    """Groups of links, as unfold reads them; only what this person may see."""
    overview: Group = {"title": _("Reports"), "link": reverse("reporting:overview"), "icon": "monitoring"}
    overview["active"] = request.path.startswith(str(overview["link"]))
    rooms = [_room(app) for app in admin.site.get_app_list(request)]
    return [{"items": [overview]}, *(room for room in rooms if room["items"])]


def _room(app: dict[str, object]) -> Group:
    models = app["models"]
    links = [
        {"title": model["name"], "link": model["admin_url"]}
        for model in (models if isinstance(models, list) else [])
        if model.get("admin_url")
    ]
    return {"title": app["name"], "items": links}
