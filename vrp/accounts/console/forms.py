"""Forms of signing in and of people."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.password_validation import (
    password_validators_help_texts,
    validate_password,
)
from django.core.exceptions import ValidationError

from vrp.accounts.enums import Role
from vrp.accounts.services.sign_in import check_password
from vrp.accounts.throttle import MustWait
from vrp.accounts.visitor import visitor_of
from vrp.tenancy.enums import SecondFactorRule

CODE = forms.TextInput(attrs={"autocomplete": "one-time-code", "autofocus": True})


class SignInForm(AuthenticationForm):
    """Name and password; one message for whatever is wrong, another for too many tries."""

    must_wait: MustWait | None = None

    def clean(self) -> dict[str, Any]:
        name = self.cleaned_data.get("username")
        password = self.cleaned_data.get("password")
        if not name or not password or self.request is None:
            return self.cleaned_data
        try:
            self.user_cache = check_password(
                request=self.request,
                username=name,
                password=password,
                visitor=visitor_of(self.request),
            )
        except MustWait as error:
            self.must_wait = error
            raise ValidationError(error.words) from error
        if self.user_cache is None:
            raise self.get_invalid_login_error()
        return self.cleaned_data


class CodeForm(forms.Form):
    """A code of the app, or a recovery code."""

    code = forms.CharField(label="Code", max_length=40, widget=CODE)


class AppCodeForm(forms.Form):
    """The first code of an app that is being set up."""

    code = forms.CharField(
        label="Code that the app shows",
        max_length=10,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}
        ),
    )


class ProofForm(forms.Form):
    """Is it still you: the code for those who have a second factor, else the password."""

    proof = forms.CharField(max_length=200)

    def __init__(self, *args: Any, by_code: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["proof"]
        if by_code:
            field.label, field.widget = "Code", CODE
        else:
            field.label = "Password"
            field.strip = False  # type: ignore[attr-defined]
            field.widget = forms.PasswordInput(
                attrs={"autocomplete": "current-password", "autofocus": True}
            )


class PasswordForm(forms.Form):
    """The old password and the new one, twice."""

    old = forms.CharField(
        label="Present password",
        strip=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    new = forms.CharField(
        label="New password",
        strip=False,
        max_length=200,
        help_text=" ".join(password_validators_help_texts()),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label="New password, again",
        strip=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_new(self) -> str:
        password = str(self.cleaned_data["new"])
        validate_password(password, self.user)
        return password

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if given.get("new") and given.get("again") not in (None, given["new"]):
            self.add_error("again", "The two are not the same.")
        return given


class RoleForm(forms.Form):
    """A role, and for field workers their regions."""

    # None is chosen beforehand: the first one may do most.
    role = forms.ChoiceField(choices=[("", "Choose one"), *Role.choices])
    regions = forms.CharField(
        required=False,
        max_length=600,
        help_text="Field workers only: whose workshops they may open, separated by "
        "commas.",
    )

    def clean_regions(self) -> list[str]:
        names = [part.strip() for part in self.cleaned_data["regions"].split(",")]
        return [name[:60] for name in names if name]


class InviteForm(RoleForm):
    """A new person."""

    field_order = ["first_name", "last_name", "username", "role", "regions"]
    first_name = forms.CharField(label="First name", max_length=150)
    last_name = forms.CharField(label="Last name", max_length=150, required=False)
    username = forms.CharField(
        label="Sign-in name",
        max_length=150,
        help_text="Letters, digits and @ . + - _ only.",
        widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "off"}),
    )


class RuleForm(forms.Form):
    """Whom the tenant asks for a second factor."""

    rule = forms.ChoiceField(
        label="Who has to", choices=SecondFactorRule.choices, widget=forms.RadioSelect
    )
