"""The admin's side bar: the reports first, then what each room keeps."""

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

Link = dict[str, object]
Group = dict[str, object]


def list_groups(request: HttpRequest) -> list[Group]:
    """Groups of links, as unfold reads them; only what this person may see. Apps of the same name share a group."""
    first: list[Link] = []
    if request.user.has_perm("reporting.view_reports"):
        first.append({"title": _("Reports"), "link": reverse("reporting:overview"), "icon": "monitoring"})
    if request.user.has_perm("staff.find_customer"):
        first.append({"title": _("Customers"), "link": reverse("staff:search"), "icon": "person_search"})
    if request.user.has_perm("inference.watch_fleet"):
        first.append({"title": _("Back ends"), "link": reverse("inference:fleet"), "icon": "dns"})
    for link in first:
        link["active"] = request.path.startswith(str(link["link"]))
    rooms: dict[str, list[Link]] = {}
    for app in admin.site.get_app_list(request):
        rooms.setdefault(str(app["name"]), []).extend(_links(app))
    groups: list[Group] = [{"title": name, "items": links} for name, links in rooms.items() if links]
    tops: list[Group] = [{"items": first}] if first else []
    return [*tops, *groups]


def _links(app: dict[str, object]) -> list[Link]:
    models = app["models"] if isinstance(app["models"], list) else []
    return [{"title": model["name"], "link": model["admin_url"]} for model in models if model.get("admin_url")]
