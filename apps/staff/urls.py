from django.urls import path

from apps.staff import views

app_name = "staff"
admin_urls = [
    path("", views.search, name="search"),
    path("<uuid:user_id>/", views.show_customer, name="customer"),
    path("<uuid:user_id>/note/", views.add_note, name="note"),
    path("<uuid:user_id>/block/", views.block, name="block"),
    path("<uuid:user_id>/role/", views.give_role, name="role"),
    path("<uuid:user_id>/look/", views.begin_look, name="look"),
    path("look/end/", views.end_look, name="end-look"),
]
