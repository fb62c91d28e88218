"""The tags that draw the console: right words, nothing unescaped, nothing inline."""

import datetime as dt
import importlib
import re
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

import pytest
from django import forms
from django.db.models import TextChoices
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone

from vrp.console import formats, states, styleguide
from vrp.console.history import event_rows
from vrp.console.templatetags import ui
from vrp.events.models import Event
from vrp.tenancy.models import Tenant

HOSTILE = "\"><script>alert('x')</script><b style=\"x\" onload='y'>&amp;"
NAIROBI = "Africa/Nairobi"


def draw(source: str, **context: Any) -> str:
    return Template("{% load ui %}" + source).render(Context(context))


def text_of(html: str) -> str:
    """What a reader sees: tags away, white space folded."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


class TestMoney:
    @pytest.mark.parametrize(
        ("minor", "currency", "words"),
        [
            (5_152_000, "KES", "KES 51,520"),
            (5_152_050, "KES", "KES 51,520.50"),
            (5, "KES", "KES 0.05"),
            (0, "KES", "KES 0"),
            (-300_000, "KES", "KES −3,000"),
            (-1, "USD", "USD −0.01"),
            (120_000, "UGX", "UGX 120,000"),
            (1_234_567, "KWD", "KWD 1,234.567"),
            (10**18 + 1, "KES", "KES 10,000,000,000,000,000.01"),
        ],
    )
    def test_is_exact(self, minor: int, currency: str, words: str) -> None:
        assert formats.format_money(minor, currency) == words

    def test_shows_cents_in_columns_that_are_added_up(self) -> None:
        assert formats.format_money(5_152_000, "KES", exact=True) == "KES 51,520.00"
        assert formats.format_money(500, "UGX", exact=True) == "UGX 500"

    @pytest.mark.parametrize("amount", [1.5, "100", True, dt.date(2027, 3, 1)])
    def test_refuses_what_cannot_hold_money(self, amount: Any) -> None:
        with pytest.raises(TypeError, match="integer minor units"):
            formats.format_money(amount, "KES")

    def test_unknown_amount_is_a_dash(self) -> None:
        assert text_of(draw("{% money None 'KES' %}")) == "–"

    def test_escapes_the_currency(self) -> None:
        assert "<script" not in draw("{% money 1 c %}", c=HOSTILE).lower()


class TestStateBadge:
    @pytest.mark.parametrize("state", sorted(states.MEANING_OF))
    def test_every_known_state_has_icon_and_words(self, state: str) -> None:
        html = draw("{% state_badge s %}", s=state)
        meaning = states.MEANING_OF[state]
        assert f"badge-{meaning}" in html
        assert f"#{states.ICON_OF[meaning]}" in html
        assert text_of(html)

    def test_unknown_state_is_neutral_and_readable(self) -> None:
        html = draw("{% state_badge 'never_heard_of' %}")
        assert "badge-neutral" in html
        assert text_of(html) == "Never heard of"

    @pytest.mark.parametrize("state", [None, ""])
    def test_no_state_draws_nothing(self, state: Any) -> None:
        assert draw("{% state_badge s %}", s=state) == ""

    def test_takes_a_choice_with_its_label(self) -> None:
        class Sample(TextChoices):
            LATE = "late", "Too late"

        html = draw("{% state_badge s %}", s=Sample.LATE)
        assert text_of(html) == "Too late"
        assert 'data-state="late"' in html

    def test_a_word_may_mean_something_else_for_one_kind(self) -> None:
        assert "badge-good" in draw("{% state_badge 'accepted' of='job' %}")
        assert "badge-waiting" in draw("{% state_badge 'accepted' of='payout' %}")
        assert "badge-bad" in draw("{% state_badge 'accepted' meaning='bad' %}")

    def test_six_meanings_have_six_icons(self) -> None:
        assert len(set(states.ICON_OF.values())) == len(states.Meaning) == 6

    @pytest.mark.parametrize(
        "room", ["orders", "qc", "payments", "matching", "phone", "artisans"]
    )
    def test_every_state_of_the_product_has_a_meaning(self, room: str) -> None:
        module = importlib.import_module(f"{room}.enums")
        kinds = [
            kind
            for name, kind in vars(module).items()
            if isinstance(kind, type)
            and issubclass(kind, TextChoices)
            and name.endswith(("State", "Stage", "Grade", "Answer"))
        ]
        missing = {
            str(value)
            for kind in kinds
            for value in kind.values
            if value not in states.MEANING_OF
        }
        assert missing == set()


class TestPhone:
    def test_is_grouped_and_can_be_called(self) -> None:
        html = draw("{% phone '+254712345678' %}")
        assert 'href="tel:+254712345678"' in html
        assert text_of(html) == "+254 712 345678"

    def test_masked_hides_the_middle_everywhere(self) -> None:
        html = draw("{% phone '+254712345678' masked=True %}")
        assert text_of(html) == "+254 712 ••• 678"
        assert "345" not in html

    def test_masked_text_that_is_no_number_shows_its_end_only(self) -> None:
        assert text_of(draw("{% phone 'not a phone' masked=True %}")) == "••• one"
        assert text_of(draw("{% phone '12' masked=True %}")) == "•••"

    @pytest.mark.parametrize("number", [None, ""])
    def test_none_is_a_dash(self, number: Any) -> None:
        assert text_of(draw("{% phone n %}", n=number)) == "–"


class TestWhen:
    def test_shows_the_readers_zone(self) -> None:
        moment = dt.datetime(2020, 3, 1, 21, 30, tzinfo=dt.UTC)
        with timezone.override(NAIROBI):
            html = draw("{% when m 'short' %}", m=moment)
        assert 'datetime="2020-03-02T00:30:00+03:00"' in html
        assert text_of(html) == "2 Mar 2020, 00:30"

    def test_a_date_needs_no_zone(self) -> None:
        html = draw("{% when d 'date' %}", d=dt.date(2020, 3, 15))
        assert 'datetime="2020-03-15"' in html
        assert text_of(html) == "15 Mar 2020"

    @pytest.mark.parametrize(
        ("days", "words"),
        [
            (0, "today"),
            (1, "tomorrow"),
            (-1, "yesterday"),
            (5, "in 5 days"),
            (-13, "13 days ago"),
            (14, "in 2 weeks"),
            (-59, "8 weeks ago"),
            (60, "in 2 months"),
            (-400, "1 year ago"),
        ],
    )
    def test_days_in_words(self, days: int, words: str) -> None:
        today = dt.date(2027, 3, 1)
        day = today + dt.timedelta(days=days)
        assert formats.relative_day(day, today=today) == words

    @pytest.mark.parametrize(
        ("seconds", "words"),
        [
            (0, "just now"),
            (-59, "just now"),
            (-60, "1 min ago"),
            (3599, "in 59 min"),
            (7200, "in 2 h"),
            (-86_400, "1 day ago"),
        ],
    )
    def test_times_in_words(self, seconds: int, words: str) -> None:
        now = dt.datetime(2027, 3, 1, 9, tzinfo=dt.UTC)
        moment = now + dt.timedelta(seconds=seconds)
        assert formats.relative_time(moment, now=now) == words

    def test_never_is_a_dash(self) -> None:
        assert text_of(draw("{% when None %}")) == "–"


LISTS = [
    "{% todos rows %}",
    "{% facts rows %}",
    "{% flow rows rows.0.label %}",
    "{% timeline rows %}",
    "{% dimensions rows %}",
    "{% bars rows %}",
    "{% split_bar rows label %}",
    "{% grade_counters 10 rows %}",
]
SINGLES = [
    "{% icon x x %}",
    "{% state_badge x %}",
    "{% state_badge x x meaning=x of=x %}",
    "{% phone x %}",
    "{% phone x masked=True %}",
    "{% progress x x x %}",
    "{% empty_state x x x x x %}",
    "{% notice x x x %}",
    "{% stat x x detail=x url=x tone=x icon=x %}",
    "{{ x|number }}",
]
KEYS = [
    *("label", "title", "detail", "url", "action", "tone", "meaning", "value", "text"),
    *("note", "state", "actor", "kind", "name", "key", "hint", "icon", "n"),
]


class Reader(HTMLParser):
    """What a browser makes of the HTML: elements, their attributes, and balance."""

    VOID = frozenset({"input", "br", "link", "meta"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    @property
    def inline(self) -> list[str]:
        """Whatever the content security policy would refuse."""
        return [
            f"{tag} {name}"
            for tag, attributes in self.found
            for name in attributes
            if name == "style" or name.startswith("on")
        ] + [
            tag
            for tag, attributes in self.found
            if tag == "style" or (tag == "script" and "src" not in attributes)
        ]


class TestHostileText:
    def check(self, html: str) -> None:
        read = Reader(html)
        assert "script" not in {tag for tag, _ in read.found}
        assert read.inline == []
        assert read.open == []

    @pytest.mark.parametrize("source", SINGLES)
    def test_is_escaped_in_small_parts(self, source: str) -> None:
        self.check(draw(source, x=HOSTILE))

    @pytest.mark.parametrize("source", LISTS)
    @pytest.mark.parametrize("as_object", [False, True])
    def test_is_escaped_in_lists(self, source: str, as_object: bool) -> None:
        row: Any = dict.fromkeys(KEYS, HOSTILE)
        numbers = {"value": 0.5, "low": 0.1, "high": 0.9}
        rows = [row, row | numbers]
        if as_object:
            rows = [SimpleNamespace(**one) for one in rows]
        self.check(draw(source, rows=rows, label=HOSTILE))

    @pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", " /x"])
    @pytest.mark.parametrize("source", LISTS[:6])
    def test_links_lead_to_pages_only(self, source: str, url: str) -> None:
        rows = [{"label": "a", "title": "a", "value": 1, "url": url}]
        assert "<a" not in draw(source, rows=rows)

    def test_safe_html_of_another_tag_is_kept(self) -> None:
        rows = [{"label": "Owed", "value": ui.money(100, "KES")}]
        html = draw("{% facts rows %}", rows=rows)
        assert '<span class="money">KES 1</span>' in html


class TestEmptyLists:
    @pytest.mark.parametrize("source", LISTS)
    @pytest.mark.parametrize("rows", [[], ()])
    def test_draw_without_error(self, source: str, rows: Any) -> None:
        html = draw(source, rows=rows, label="")
        assert "NaN" not in html

    @pytest.mark.parametrize("source", LISTS[:-1])
    def test_none_is_an_empty_list(self, source: str) -> None:
        draw(source, rows=None, label="")

    def test_parts_that_are_all_zero_have_no_bar(self) -> None:
        rows = [{"label": "AA", "value": 0, "tone": "aa"}]
        html = draw("{% split_bar rows %}", rows=rows)
        assert "split-chart" not in html
        assert text_of(html) == "AA 0"


class TestCharts:
    def test_parts_fill_the_bar_exactly(self) -> None:
        html = draw("{% split_bar rows %}", rows=styleguide.GRADES)
        widths = re.findall(r'x="([\d.]+)%" width="([\d.]+)%" height="32"', html)
        assert widths == [
            ("0.00", "61.22"),
            ("61.22", "28.57"),
            ("89.80", "4.08"),
            ("93.88", "6.12"),
        ]
        assert "Rework 6 6.1 %" in text_of(html)

    def test_bars_are_relative_to_the_largest_or_to_top(self) -> None:
        rows = [{"label": "a", "value": 5}, {"label": "b", "value": -1}]
        assert 'width="100.00%"' in draw("{% bars rows %}", rows=rows)
        scaled = draw("{% bars rows top=10 %}", rows=rows)
        assert re.findall(r'tone-action" width="([\d.]+%)"', scaled) == [
            "50.00%",
            "0.00%",
        ]

    def test_a_dimension_says_value_range_and_number(self) -> None:
        rows = [{"label": "On time", "value": 0.81, "low": 0.7, "high": 0.89, "n": 31}]
        html = draw("{% dimensions rows %}", rows=rows)
        assert 'aria-label="On time: 81 of 100, likely between 70 and 89"' in html
        assert text_of(html) == "On time 81 70–89 n = 31"

    @pytest.mark.parametrize("value", [None, "", float("nan"), float("inf"), "x"])
    def test_what_was_not_measured_is_not_drawn_as_zero(self, value: Any) -> None:
        html = draw("{% dimensions rows %}", rows=[{"label": "a", "value": value}])
        assert "not measured" in html
        assert "circle" not in html

    def test_values_outside_the_scale_stay_on_it(self) -> None:
        rows = [{"label": "a", "value": 1.7, "low": -3, "high": 9}]
        html = draw("{% dimensions rows %}", rows=rows)
        assert 'cx="100.00%"' in html
        assert 'x="0.00%" y="7" width="100.00%"' in html

    @pytest.mark.parametrize(
        ("done", "total", "words"),
        [
            (60, 100, "60 of 100"),
            (1200, 1200, "1,200 of 1,200"),
            (0, 0, "0 of 0"),
            (None, None, "0 of 0"),
            (120, 100, "120 of 100"),
        ],
    )
    def test_progress_in_words(self, done: Any, total: Any, words: str) -> None:
        html = draw("{% progress d t %}", d=done, t=total)
        assert text_of(html) == words
        assert ("<progress" in html) == bool(total)


class TestFlow:
    def test_each_state_is_said_in_words_too(self) -> None:
        names = ["done", "now", "waiting", "blocked", "nonsense"]
        html = draw("{% flow s %}", s=[{"label": n, "state": n} for n in names])
        assert html.count('aria-current="step"') == 1
        for words in ("done", "in progress", "not yet", "blocked"):
            assert f": {words}</span>" in html
        assert html.count(": not yet<") == 2

    def test_a_counted_step_has_a_bar(self) -> None:
        steps = [{"label": "Made", "state": "now", "count": 960, "of": 1200}]
        assert 'class="fill" width="80.00%"' in draw("{% flow s %}", s=steps)
        steps = [{"label": "Made", "state": "now", "count": 5, "of": 0}]
        assert "flow-bar" not in draw("{% flow s %}", s=steps)


class TestRecordedEvents:
    def event(self, name: str, **values: Any) -> Event:
        return Event(name=name, actor_label="Njeri", at=timezone.now(), **values)

    def test_read_as_words(self) -> None:
        data = {"quantity": 60, "jobs": {"8841": 98}, "note": "", "sent_to": "W-017"}
        row = event_rows([self.event("job.accepted", data=data, reason="by phone")])[0]
        assert row["title"] == "Job accepted"
        assert row["detail"] == "60 pieces · sent to W-017 · by phone"
        assert row["actor"] == "Njeri"

    @pytest.mark.parametrize(
        ("name", "kind"),
        [
            ("batch.graded", "grade"),
            ("work_order.done", "order"),
            ("job.declined", "bad"),
            ("job.closed_short", "warning"),
            ("never.heard_of", "note"),
        ],
    )
    def test_have_a_kind(self, name: str, kind: str) -> None:
        assert event_rows([self.event(name)])[0]["kind"] == kind

    @pytest.mark.django_db
    def test_money_reads_as_money(self, tenant: Tenant) -> None:
        row = event_rows([self.event("payout.paid", data={"amount_minor": 5_152_000})])
        assert row[0]["detail"] == "KES 51,520"

    def test_are_drawn_by_the_timeline(self) -> None:
        html = draw("{% timeline e|event_rows %}", e=[self.event("order.placed")])
        assert "Order placed" in text_of(html)
        assert "#orders" in html


class TestGradeCounters:
    @pytest.mark.parametrize(
        ("values", "state", "words"),
        [
            ((60, 28, 4, 6), "ok", "60 + 28 + 4 + 6 = 98 of 98"),
            ((60, 28, 4, 4), "under", "60 + 28 + 4 + 4 = 96 of 98 2 to grade"),
            ((98, 1, 0, 0), "over", "98 + 1 = 99 of 98 1 too many"),
            ((0, 0, 0, 0), "under", "0 = 0 of 98 98 to grade"),
        ],
    )
    def test_total_is_right_without_a_script(
        self, values: tuple[int, ...], state: str, words: str
    ) -> None:
        counts = [{"name": f"g{v}{i}", "value": v} for i, v in enumerate(values)]
        html = draw("{% grade_counters 98 c %}", c=counts)
        assert f'data-state="{state}"' in html
        assert text_of(html[html.index("grader-total") - 10 :]) == words


class SampleForm(forms.Form):
    quantity = forms.IntegerField(min_value=30, help_text="At least 30.")


class TestField:
    def test_ties_help_and_errors_to_the_control(self) -> None:
        form = SampleForm({"quantity": "3"})
        html = draw("{% field f %}", f=form["quantity"])
        assert 'aria-describedby="id_quantity_helptext id_quantity_error"' in html
        assert 'aria-invalid="true"' in html
        assert 'id="id_quantity_helptext"' in html
        assert 'id="id_quantity_error"' in html
        assert '<label for="id_quantity">' in html

    def test_escapes_what_was_typed(self) -> None:
        form = SampleForm({"quantity": HOSTILE})
        assert "<script" not in draw("{% field f %}", f=form["quantity"]).lower()


class TestStylePage:
    def page(self) -> str:
        request = RequestFactory().get("/ops/styleguide/")
        template = Template('{% include "vrp/styleguide.html" %}')
        values = {"request": request, "embedded": True, **styleguide.context()}
        return template.render(Context(values))

    def test_has_every_part_and_nothing_inline(self) -> None:
        html = self.page()
        for name in ("flow", "todos", "dims", "split", "bars", "timeline", "grader"):
            assert f'class="{name}"' in html
        assert Reader(html).inline == []
        assert "http://" not in re.sub(r'xmlns="[^"]+"', "", html)

    def test_every_icon_used_is_in_the_sprite(self) -> None:
        used = set(re.findall(r"icons\.svg#([\w-]+)", self.page()))
        known = set(styleguide.icon_names())
        assert used <= known
        assert set(states.ICON_OF.values()) <= known
        assert set(ui._EVENT_ICONS.values()) <= known

    def test_is_not_served_to_real_users(self, settings: Any) -> None:
        from django.http import Http404

        from vrp.console.views import styleguide as view

        settings.EMBEDDED = settings.DEBUG = False
        with pytest.raises(Http404):
            view(RequestFactory().get("/ops/styleguide/"))
