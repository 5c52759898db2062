"""Chromium for tests: a browser, and a page at a given width and in a colour scheme."""

import shutil

import pytest

SCHEMES = ("light", "dark")
WIDTHS = (1280, 390)


def chromium(profile):
    """A headless browser; skips the test without the programs chromium and chromedriver."""
    driver = shutil.which("chromedriver")
    if driver is None or shutil.which("chromium") is None:
        pytest.skip("no chromium and chromedriver; apt-get install chromium chromium-driver")
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        f"--user-data-dir={profile}",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))


def show(browser, address, width=1280, scheme="light", scripts=True):
    command = browser.execute_cdp_cmd
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    command("Emulation.setDeviceMetricsOverride", size)
    command("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    command("Emulation.setScriptExecutionDisabled", {"value": not scripts})
    browser.get(address)


def overflows(browser):
    """Whether the page is wider than the window."""
    page = "const page = document.documentElement; "
    return browser.execute_script(page + "return page.scrollWidth > page.clientWidth")
