"""Who of the staff may open a page: asked by the permission of their role."""

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.core.errors import NotAllowed

View = Callable[..., HttpResponseBase]


def staff_may(permission: str) -> Callable[[View], View]:
    """Let staff in whose role may do this; ask strangers to sign in at the admin."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path(), reverse("admin:login"))
            if not (request.user.is_staff and request.user.has_perm(permission)):
                raise NotAllowed(_("Your role does not include this. Ask an administrator."))
            return view(request, *args, **kwargs)

        return guarded

    return guard


def staff_of(request: HttpRequest) -> User:
    """The signed-in member of staff; only behind `staff_may`."""
    if not isinstance(request.user, User):
        raise NotAllowed(_("Please sign in first."))
    return request.user
