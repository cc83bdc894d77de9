"""mrkdwn becomes safe HTML: known markup works, everything else is words."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.demo.workspace.page.mrkdwn import Mrkdwn
from bot.demo.workspace.page.pictures import Pictures

RENDER = Mrkdwn(lambda: {"U0ANA": "Ana Torres"}, lambda: {"C0SECOPS": "secops"}, {"S0ANALYST": "secops-analysts"}).html
LINK = '<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>'


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("*bold* _italic_ ~gone~", "<strong>bold</strong> <em>italic</em> <s>gone</s>"),
        ("snake_case_name 2*3*4", "snake_case_name 2*3*4"),
        ("`*x*` ```a\nb```", "<code>*x*</code> <pre>a\nb</pre>"),
        ("a &amp; b &lt;c&gt;", "a &amp; b &lt;c&gt;"),
        ("<b>raw</b>", "&lt;b&gt;raw&lt;/b&gt;"),
        ("<https://example.com/?a=1&amp;b=2|see>", LINK.format("https://example.com/?a=1&amp;b=2", "see")),
        ("*<https://example.com|x>*", "<strong>" + LINK.format("https://example.com", "x") + "</strong>"),
        ("<javascript:alert(1)|click>", "&lt;javascript:alert(1)|click&gt;"),
        ("<@U0ANA>", '<span class="mention">@Ana Torres</span>'),
        ("<#C0SECOPS>", '<span class="mention">#secops</span>'),
        ("<!subteam^S0ANALYST>", '<span class="mention">@secops-analysts</span>'),
        ("<!channel>", '<span class="mention loud">@channel</span>'),
        (":warning: :nothing_known:", "⚠️ :nothing_known:"),
        ("&gt; one\n&gt; two\nthree", "<blockquote>one<br>two</blockquote>three"),
        ("a\nb", "a<br>b"),
        ("<!date^abc^{date}|then>", "then"),
    ],
)
def test_markup(text, html):
    assert str(RENDER(text)) == html


def test_a_date_carries_its_moment_and_its_fallback():
    shown = str(RENDER("<!date^0^{date_short} {time}|1 January 1970>"))
    assert shown == (
        '<time datetime="1970-01-01T00:00:00+00:00" data-format="{date_short} {time}" '
        'title="1 January 1970">1 January 1970</time>'
    )


def test_pictures_stand_in_text_and_never_in_attributes(tmp_path):
    (tmp_path / "26a0.svg").write_text("<svg/>")
    pictures = Pictures(tmp_path)
    drawn = '<span class="emoji e26a0">\u26a0\ufe0f</span>'
    assert str(pictures.plain(":warning: <x>")) == f"{drawn} &lt;x&gt;"
    shown = str(pictures.html(RENDER("<https://example.com/\u26a0\ufe0f?q=&gt;|:warning:>")))
    assert 'href="https://example.com/\u26a0\ufe0f?q=&gt;"' in shown


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.targets: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        self.targets += [value for name, value in attrs if name in {"href", "src"}]


PIECES = [
    "<",
    ">",
    "&",
    '"',
    "'",
    "|",
    "*",
    "_",
    "`",
    "\n",
    "!date^1^",
    "javascript:",
    "http://x",
    "<script>",
    "\ue000",
    "0",
]


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=4))).map("".join))
def test_no_text_makes_other_markup_than_ours(text):
    tags = Tags()
    tags.feed(str(RENDER(text)))
    assert tags.names <= {"a", "strong", "em", "s", "code", "pre", "span", "time", "br", "blockquote"}
    assert all(target.startswith(("http://", "https://", "mailto:")) for target in tags.targets)
