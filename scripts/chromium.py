"""A headless Chromium of one's own, driven over its DevTools protocol with the WebSocket client of
scripts/independent.
"""

import contextlib
import json
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parent / "independent"))
from websocket_client import TEXT, WebSocket  # noqa: E402

LIMIT_S = 60.0
CHROMIUM = [
    "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--remote-debugging-port=0", "--window-size=1300,1100", "--ignore-certificate-errors",
]
ERRORS = """window.errors = [];
    addEventListener('error', event => errors.push(event.message));
    addEventListener('unhandledrejection', event => errors.push(String(event.reason)));
    addEventListener('securitypolicyviolation', event => errors.push(`forbidden: ${event.effectiveDirective}`));
    console.error = (...words) => errors.push(words.join(' '));"""


def awaited(what, attempt):
    """The first true result of `attempt`, tried until the time is over."""
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        try:
            result = attempt()
        except OSError:
            result = None
        if result:
            return result
        time.sleep(0.1)
    raise SystemExit(f"{pathlib.Path(sys.argv[0]).name}: {what} did not come within {LIMIT_S:.0f} s")


class Tab:
    """The browser's first tab."""

    def __init__(self, profile):
        port_file = pathlib.Path(profile) / "DevToolsActivePort"
        port = awaited("the browser", lambda: port_file.exists() and port_file.read_text().split()[0])
        listing = f"http://127.0.0.1:{port}/json/list"
        pages = awaited("a tab", lambda: json.load(urllib.request.urlopen(listing, timeout=5)))
        target = next(page for page in pages if page["type"] == "page")
        path = target["webSocketDebuggerUrl"].split(f":{port}", 1)[1]
        self.socket = WebSocket("127.0.0.1", int(port), path)
        self.calls = 0
        # What the browser told without being asked.
        self.events = []

    def call(self, method, **params):
        self.calls += 1
        message = {"id": self.calls, "method": method, "params": params}
        self.socket.send(TEXT, json.dumps(message).encode())
        while True:
            answer = json.loads(self.socket.message()[0])
            if answer.get("id") == self.calls:
                return answer["result"]
            self.events.append(answer)

    def evaluate(self, script):
        return self.call("Runtime.evaluate", expression=script)["result"].get("value")

    def press(self, key, code=0, text=None):
        """A key that is pressed and let go."""
        extra = {"text": text} if text else {}
        down = "keyDown" if text else "rawKeyDown"
        for kind in [down, "keyUp"]:
            self.call("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, **extra)

    def sized(self, width, height=900):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=False)


@contextlib.contextmanager
def browser():
    """A tab of a browser that ends with it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [*CHROMIUM, f"--user-data-dir={profile}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        try:
            yield Tab(profile)
        finally:
            process.terminate()
            process.wait(timeout=10)
