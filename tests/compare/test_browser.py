"""The HTML report in Chromium: it sorts, fits the page, and writes nothing to the console.

Needs the programs chromium and chromedriver; the default run skips this file without them.
"""

import pytest
from browsing import SCHEMES, WIDTHS, overflows, show
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB

from linclf import compare

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    models = ["softmax", "weston-watkins", "cosface", "sklearn:*", ("a model of mine", GaussianNB())]
    comparison = compare(*load_iris(return_X_y=True), models=models, repeats=3)
    path = tmp_path_factory.mktemp("report") / "report.html"
    comparison.to_html(path, loss_curves=True)
    return comparison, path.as_uri()


def column(browser, number):
    """The numbers in a column, from top to bottom; empty text if one is missing."""
    rows = "[...document.querySelectorAll('tbody tr')]"
    return browser.execute_script(
        f"return {rows}.map(r => r.cells[arguments[0]].dataset.value || '')", number
    )


def click(browser, number):
    browser.execute_script("document.querySelectorAll('thead button')[arguments[0]].click()", number)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_overflows_and_the_console_is_empty(browser, report, width, scheme):
    show(browser, report[1], width, scheme)
    assert not overflows(browser)
    outside = browser.execute_script(
        """
        return [...document.querySelectorAll('body *')]
            .filter(e => !e.closest('.scroll') && !e.closest('svg *'))
            .filter(e => e.getBoundingClientRect().right > innerWidth + 1)
            .map(e => e.outerHTML.slice(0, 80))
        """
    )
    assert outside == []
    assert browser.get_log("browser") == []


@pytest.mark.parametrize("width", WIDTHS)
def test_no_text_is_smaller_than_12_pixels(browser, report, width):
    show(browser, report[1], width)
    small = browser.execute_script(
        """
        const small = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        for (let node; (node = walker.nextNode());) {
            const parent = node.parentElement, box = parent.getBoundingClientRect();
            if (!node.textContent.trim() || !box.width) continue;
            const matrix = parent.getScreenCTM ? parent.getScreenCTM() : null;
            const scale = matrix ? Math.hypot(matrix.a, matrix.b) : 1;
            const size = parseFloat(getComputedStyle(parent).fontSize) * scale;
            if (size < 12) small.push([node.textContent.trim(), size]);
        }
        return small
        """
    )
    assert small == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_text_has_the_contrast_of_wcag(browser, report, scheme):
    show(browser, report[1], scheme=scheme)
    lowest = browser.execute_script(
        """
        const parts = text => text.match(/[\\d.]+/g).map(Number);
        const light = text => parts(text).slice(0, 3).map(v => v / 255)
            .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
            .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
        const paper = e => { while (e && (parts(getComputedStyle(e).backgroundColor)[3] ?? 1) === 0)
            e = e.parentElement; return getComputedStyle(e || document.body).backgroundColor };
        const texts = document.querySelectorAll('p, td, th, li, small, figcaption, h1, h2');
        return Math.min(...[...texts].map(e => {
            const [a, b] = [light(getComputedStyle(e).color), light(paper(e))].sort((x, y) => y - x);
            return (a + .05) / (b + .05) }))
        """
    )
    assert lowest >= 4.5


def test_a_click_sorts_and_the_next_one_turns_the_order(browser, report):
    comparison, address = report
    show(browser, address)
    headings = browser.execute_script(
        "return [...document.querySelectorAll('thead th')].map(e => e.innerText)"
    )
    click(browser, headings.index("fit s"))
    seconds = [float(value) for value in column(browser, headings.index("fit s"))]
    assert seconds == sorted(row["fit_seconds"] for row in comparison.rows)
    loss = headings.index("log loss")
    for turned in (False, True):
        click(browser, loss)
        values = column(browser, loss)
        known = [float(value) for value in values if value]
        assert known == sorted(known, reverse=turned)
        assert values[len(known) :] == [""] * (len(values) - len(known)), "missing ones stay last"
    state = "return document.querySelectorAll('thead th')[arguments[0]].getAttribute('aria-sort')"
    assert browser.execute_script(state, loss) == "descending"
    click(browser, 0)
    assert column(browser, 0) == sorted((row["model"] for row in comparison.rows), key=str.casefold)
    assert browser.get_log("browser") == []


def test_the_table_is_complete_without_scripts(browser, report):
    comparison, address = report
    show(browser, address, scripts=False)
    text = browser.find_element("css selector", "table").text
    assert all(row["model"] in text for row in comparison.rows)
    assert browser.find_elements("css selector", "thead button") == []
    show(browser, address)


def test_on_a_phone_the_first_column_stays_and_the_edge_has_a_shade(browser, report):
    show(browser, report[1], 390)
    scroll = "const box = document.querySelector('.scroll'); box.scrollLeft = arguments[0];"
    left = scroll + "return box.querySelector('tbody th').getBoundingClientRect().left"
    assert browser.execute_script(left, 300) == browser.execute_script(left, 0)
    assert browser.execute_script("return document.querySelector('.scroll').scrollWidth") > 390
    shade = "return getComputedStyle(document.querySelector('.scroll')).backgroundImage"
    assert browser.execute_script(shade).count("linear-gradient") == 2


def test_the_recommendation_is_seen_first(browser, report):
    comparison, address = report
    show(browser, address, 390)
    verdict = browser.find_element("css selector", ".verdict")
    assert verdict.text == comparison.verdict
    assert verdict.rect["y"] + verdict.rect["height"] < 900
