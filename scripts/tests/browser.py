#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Look at a page with headless Chromium, without network.

    browser.py PAGE.html WIDTH OUT.png [--phone]

The width is what the page sees, also below the narrowest window that Chromium
would open: it is set through the DevTools protocol, over a pipe. Prints as JSON
how wide the page is, what sticks out of it, what it wanted to load, and what it
complained about. The screenshot is of the whole page.
"""
import argparse
import base64
import fcntl
import json
import os
import pathlib
import select
import subprocess
import sys
import tempfile
import time

CHROMIUM = "chromium"
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--host-resolver-rules=MAP * ~NOTFOUND", "--remote-debugging-pipe")
LIMIT = 60
HEIGHT = 844

# What is wider than the page, unless it is in a box that scrolls.
MEASURE = """(() => {
  const width = document.documentElement.clientWidth;
  const boxed = e => e.closest('.scroll') && !e.matches('.scroll');
  const out = [...document.body.querySelectorAll('*')].filter(e => !boxed(e) &&
    (e.getBoundingClientRect().right > width + 1 || e.getBoundingClientRect().left < -1));
  // Text of a chart that its edge cuts off.
  const cut = [...document.querySelectorAll('svg.chart text')].filter(e => {
    const one = e.getBoundingClientRect(), all = e.closest('svg').getBoundingClientRect();
    return one.left < all.left - 1 || one.right > all.right + 1 ||
      one.top < all.top - 1 || one.bottom > all.bottom + 1; });
  window.scrollTo(100, 0);
  return {width: width, inner: window.innerWidth, scrolled: window.scrollX,
    scroll: Math.max(document.documentElement.scrollWidth, document.body.scrollWidth),
    height: document.documentElement.scrollHeight,
    out: out.slice(0, 5).map(e => e.tagName + ' ' + (e.textContent || '').trim().slice(0, 40)),
    cut: cut.slice(0, 5).map(e => e.textContent),
    // What lies in a page of the map, and cannot be seen.
    narrow: [...document.querySelectorAll('.strip i[class]:not(.spare)')].filter(e =>
      e.getBoundingClientRect().width < 5).length,
    charts: [...document.querySelectorAll('svg.chart')].map(e => e.getBoundingClientRect().width)};
})()"""


class BrowserError(Exception):
    """Chromium did not do what it was asked to."""


class Browser:
    """Chromium with one page."""

    def __init__(self, profile):
        self.number = 0
        self.data = b""
        self.events = []
        self.session = None
        read_end, self.commands = os.pipe()
        self.replies, write_end = os.pipe()
        # Chromium wants them as 3 and 4, whatever they are here.
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (read_end, write_end)]
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec 3<&{ends[0]} 4>&{ends[1]}; exec "$@"', "bash", CHROMIUM,
             *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=ends, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        for end in (*ends, read_end, write_end):
            os.close(end)

    def message(self, deadline):
        """The next one from Chromium."""
        while b"\0" not in self.data:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.replies], [], [], left)[0]:
                raise BrowserError(f"no answer from {CHROMIUM} in {LIMIT} s")
            data = os.read(self.replies, 1 << 20)
            if not data:
                raise BrowserError(f"{CHROMIUM} ended")
            self.data += data
        text, self.data = self.data.split(b"\0", 1)
        return json.loads(text)

    def command(self, method, **params):
        """Do something; returns its result. Events are kept."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + LIMIT
        while True:
            reply = self.message(deadline)
            if reply.get("id") == self.number:
                if "error" in reply:
                    raise BrowserError(f"{method}: {reply['error']['message']}")
                return reply["result"]
            self.events.append(reply)

    def wait(self, event):
        """Until something has happened."""
        deadline = time.monotonic() + LIMIT
        while not any(one.get("method") == event for one in self.events):
            self.events.append(self.message(deadline))

    def open(self, url, width, phone):
        """The page, as wide as that."""
        target = self.command("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.command("Target.attachToTarget", targetId=target,
                                    flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.command(f"{domain}.enable")
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=HEIGHT,
                     deviceScaleFactor=2 if phone else 1, mobile=phone)
        self.command("Page.navigate", url=url)
        self.wait("Page.loadEventFired")

    def look(self):
        """What there is to say of the page."""
        seen = self.command("Runtime.evaluate", expression=MEASURE,
                            returnByValue=True)["result"]["value"]
        seen["requests"] = [one["params"]["request"]["url"] for one in self.events
                            if one.get("method") == "Network.requestWillBeSent"]
        seen["complaints"] = [one["params"]["entry"]["text"] for one in self.events
                              if one.get("method") == "Log.entryAdded"]
        return seen

    def screenshot(self):
        """Of the whole page, as PNG."""
        return base64.b64decode(self.command("Page.captureScreenshot",
                                             captureBeyondViewport=True)["data"])

    def close(self):
        """End it."""
        try:
            self.session = None
            self.command("Browser.close")
            self.process.wait(10)
        except (BrowserError, OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        os.close(self.commands)
        os.close(self.replies)


def visit(page, width, phone):
    """(what was seen, PNG) of a page."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(profile)
        try:
            browser.open(pathlib.Path(page).resolve().as_uri(), width, phone)
            return browser.look(), browser.screenshot()
        finally:
            browser.close()


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page")
    parser.add_argument("width", type=int)
    parser.add_argument("png")
    parser.add_argument("--phone", action="store_true")
    args = parser.parse_args()
    try:
        seen, png = visit(args.page, args.width, args.phone)
    except (BrowserError, OSError) as error:
        sys.exit(f"browser.py: {args.page}: {error}")
    pathlib.Path(args.png).write_bytes(png)
    print(json.dumps(seen, indent=1))


if __name__ == "__main__":
    main()
