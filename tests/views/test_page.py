"""Pages as text: what all of them have in common; `tests/browser` looks at them in a browser."""

import re

import pytest

from autograd_mini.views import page

MARKS = """
    [data-jp-theme-light= .vscode- [data-vscode-theme-kind= html[theme= [data-theme= [data-md-color-scheme= .quarto-
    [data-bs-theme=
""".split()


@pytest.mark.parametrize("name", page.PAGES)
def test_every_page_knows_the_marks_of_dark_and_of_light(name):
    script = page.script(name)
    assert [mark for mark in MARKS if script.count(mark) < 2] == []
    assert "prefers-color-scheme" in script
    assert "prefers-color-scheme" not in page.style(), "what is said twice can contradict itself"


def test_a_document_has_a_language_a_title_a_heading_and_one_main_part():
    text = page.document("a < b", "<p>one</p>", "<p>two</p>")
    assert '<html lang="en">' in text
    assert "<title>a &lt; b</title>" in text
    main = re.search("<main>(.*)</main>", text, flags=re.S)[1]
    assert re.findall("<h1>(.*?)</h1>|<p>(.*?)</p>", main) == [("a &lt; b", ""), ("", "one"), ("", "two")]


def test_a_drawing_is_an_image_without_scripts_and_the_same_each_time():
    html = page.drawing("<svg/>", 'the "graph"')
    assert html.startswith('<div class="am-drawing"><img style="max-width:100%" alt="the &quot;graph&quot;" src="data:')
    assert page.drawing("<svg/>", 'the "graph"') == html
    assert "full size" in html
