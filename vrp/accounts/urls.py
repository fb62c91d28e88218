"""Routes of signing in, one's own account and a tenant's people, below ``/ops/``."""

from django.urls import URLPattern, path

from vrp.accounts.console import account, doors, people

urlpatterns: list[URLPattern] = [
    path("sign-in/", doors.SignIn.as_view(), name="sign-in"),
    path("sign-in/code/", doors.code, name="sign-in-code"),
    path("sign-out/", doors.SignOut.as_view(), name="sign-out"),
    path(
        "set-password/<uidb64>/<token>/",
        doors.SetPassword.as_view(),
        name="set-password",
    ),
    path("account/", account.home, name="account"),
    path("account/password/", account.password, name="account-password"),
    path("account/confirm/", account.confirm, name="account-confirm"),
    path(
        "account/sign-out-everywhere/",
        account.sign_out_everywhere,
        name="sign-out-everywhere",
    ),
    path("account/second-factor/", account.second_factor, name="second-factor"),
    *(
        path(
            f"account/second-factor/{what}/",
            account.second_factor_change,
            {"what": what},
            f"second-factor-{what}",
        )
        for what in ("remove", "replace", "recovery")
    ),
    path("people/", people.everybody, name="people"),
    path("people/new/", people.new, name="person-new"),
    path("people/rule/", people.rule, name="people-rule"),
    path("people/<int:pk>/", people.person, name="person"),
    *(
        path(
            f"people/<int:pk>/{what}/",
            people.change,
            {"what": what},
            f"person-{what}",
        )
        for what in people.CHANGES
    ),
]
