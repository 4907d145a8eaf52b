from collections.abc import Callable
from uuid import UUID

from allauth.account.decorators import reauthentication_required
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts import notes, roles
from apps.accounts.gates import staff_may, staff_of
from apps.accounts.models import User
from apps.core import clock
from apps.core.errors import Conflict, Invalid
from apps.staff import blocking, customers, impersonation
from apps.staff.tables import tables_of

SESSION_KEY = "look"
FIND, MONEY = "staff.find_customer", "staff.money_customer"
NOTE, BLOCK, ROLE = "staff.note_customer", "staff.block_customer", "staff.role_customer"


@require_safe
@staff_may(FIND)
def search(request: HttpRequest) -> HttpResponse:
    words = request.GET.get("q", "")
    found = customers.search(words)
    if len(found) == 1 and customers.is_meant(found[0], words):
        return redirect("staff:customer", found[0].pk)
    context = {"title": _("Customers"), "words": words, "found": found}
    return render(request, "staff/search.html", {**admin.site.each_context(request), **context})


@never_cache
@require_safe
@staff_may(FIND)
def show_customer(request: HttpRequest, user_id: UUID) -> HttpResponse:
    person, staff = customers.get_person(user_id), staff_of(request)
    customer = customers.read(person, now=clock.now())
    context = {
        "title": person.email,
        "customer": customer,
        "sections": tables_of(customer, with_money=staff.has_perm(MONEY)),
        "may_money": staff.has_perm(MONEY),
        "may_note": staff.has_perm(NOTE),
        "may_block": staff.has_perm(BLOCK) and not person.is_staff,
        "may_look": staff.has_perm(impersonation.MAY) and person.is_active and not person.is_staff,
        "roles": User.Role.choices if staff.has_perm(ROLE) and staff.pk != person.pk else (),
    }
    return render(request, "staff/customer.html", {**admin.site.each_context(request), **context})


@require_POST
@staff_may(NOTE)
def add_note(request: HttpRequest, user_id: UUID) -> HttpResponse:
    person = customers.get_person(user_id)
    return _answer(
        request, person, lambda: notes.add(person, _told(request, "text"), by=staff_of(request), now=clock.now())
    )


@require_POST
@staff_may(BLOCK)
def block(request: HttpRequest, user_id: UUID) -> HttpResponse:
    person = customers.get_person(user_id)
    act = blocking.unblock if person.blocked_at else blocking.block
    return _answer(
        request, person, lambda: act(person, reason=_told(request, "reason"), by=staff_of(request), now=clock.now())
    )


@require_POST
@staff_may(ROLE)
@reauthentication_required  # type: ignore[untyped-decorator]  # allauth ships no types
def give_role(request: HttpRequest, user_id: UUID) -> HttpResponse:
    person, role, reason = customers.get_person(user_id), _told(request, "role"), _told(request, "reason")
    return _answer(
        request, person, lambda: roles.give(person, role, reason=reason, by=staff_of(request), now=clock.now())
    )


@require_http_methods(["GET", "HEAD", "POST"])
@staff_may(impersonation.MAY)
@reauthentication_required  # type: ignore[untyped-decorator]  # allauth ships no types
def begin_look(request: HttpRequest, user_id: UUID) -> HttpResponse:
    person = customers.get_person(user_id)
    if request.method != "POST":  # back from proving oneself
        return redirect("staff:customer", person.pk)
    try:
        told = impersonation.begin(person, reason=_told(request, "reason"), by=staff_of(request), now=clock.now())
    except (Invalid, Conflict) as error:
        messages.error(request, str(error.sentence))
        return redirect("staff:customer", person.pk)
    request.session.cycle_key()
    request.session[SESSION_KEY] = told
    return redirect("billing:plan")


@require_POST
@staff_may(FIND)
def end_look(request: HttpRequest) -> HttpResponse:
    now = clock.now()
    told = request.session.pop(SESSION_KEY, None)
    request.session.cycle_key()
    look = impersonation.find(told, staff_of(request), now=now)
    if look is None:
        return redirect("staff:search")
    impersonation.end(look, now=now)
    return redirect("staff:customer", look.person.pk)


def _answer(request: HttpRequest, person: User, act: Callable[[], object]) -> HttpResponse:
    try:
        act()
    except (Invalid, Conflict) as error:
        messages.error(request, str(error.sentence))
    else:
        messages.success(request, _("Done, and written down."))
    return redirect("staff:customer", person.pk)


def _told(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "")
