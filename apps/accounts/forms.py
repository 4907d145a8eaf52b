from allauth.account.forms import SignupForm


class SignUpForm(SignupForm):  # type: ignore[misc]  # allauth has no types
    pass
