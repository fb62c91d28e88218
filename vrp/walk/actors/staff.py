"""One of the ops staff: a browser without scripts, signed in at /ops/."""

from typing import Any
from urllib.parse import urlsplit

from vrp.walk.facts import Facts
from vrp.walk.pages import Form, Page, read
from vrp.walk.problem import NotRight, check
from vrp.walk.web import call, new_session


class Staff:
    """A person by her role in ``demo.json``."""

    def __init__(self, facts: Facts, role: str) -> None:
        check(role in facts.users, f"demo.json names no user for the role {role}.")
        user = facts.users[role]
        self.name = f"{user['username'].capitalize()} ({role.replace('_', ' ')})"
        self._username, self._password = user["username"], user["password"]
        self._base = facts.url
        self._session = new_session()
        self._in = False

    def close(self) -> None:
        self._session.close()

    def _request(self, method: str, path: str, **more: Any) -> Page:
        url = path if path.startswith("http") else self._base + path
        answer = call(self._session, method, url, **more)
        page = Page(answer.url, answer.status_code, read(answer.text))
        if not answer.ok:
            said = " ".join([page.title, *page.said]) or page.top.text[:200]
            detail = page.main.text[:300]
            raise NotRight(
                f"{method} {urlsplit(url).path} answered HTTP {answer.status_code} "
                f"to {self.name}: {said}. {detail}"
            )
        return page

    def sign_in(self) -> Page:
        """Sign in once; returns the Today page."""
        if self._in:
            return self._request("GET", "/ops/")
        page = self._request("GET", "/ops/sign-in/")
        values: dict[str, str | list[str]] = {
            "username": self._username,
            "password": self._password,
        }
        page = self.submit(page.form("/ops/sign-in/"), values)
        check(
            page.path != "/ops/sign-in/",
            f"{self._username} could not sign in: {page.main.text[:200]}",
        )
        self._in = True
        return page

    def open(self, path: str, **query: str) -> Page:
        """Read a page of the console."""
        if not self._in:
            self.sign_in()
        page = self._request("GET", path, params=query)
        check("sign-in" not in page.path, f"{path} asked {self.name} to sign in.")
        return page

    def submit(
        self,
        form: Form,
        values: dict[str, str | list[str]] | None = None,
        button: str = "",
    ) -> Page:
        """Send a form as it stands but for ``values``; returns the page that follows."""
        data = form.filled(values or {}, button)
        referer = {"Referer": self._base + "/ops/"}
        if form.method == "get":
            return self._request("GET", form.action, params=data)
        return self._request("POST", form.action, data=data, headers=referer)

    def repeat(
        self, form: Form, values: dict[str, str | list[str]], button: str = ""
    ) -> Page:
        """A double click: the same form twice, at its first page's tokens."""
        self.submit(form, values, button)
        return self.submit(form, values, button)
