"""Who may read the reports: staff whose role has them, signed in."""

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.errors import NotAllowed

View = Callable[..., HttpResponseBase]


def staff_only(view: View) -> View:
    """Let staff in, ask strangers to sign in at the admin, and refuse everybody else."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path(), reverse("admin:login"))
        if not (request.user.is_staff and request.user.has_perm("reporting.view_reports")):
            raise NotAllowed(
                _("The reports are for those who look after money. Ask an administrator if you should see them.")
            )
        return view(request, *args, **kwargs)

    return guarded


def staff_of(request: HttpRequest) -> User:
    """The signed-in member of staff; only behind `staff_only`."""
    if not isinstance(request.user, User):
        raise NotAllowed(_("Please sign in first."))
    return request.user
