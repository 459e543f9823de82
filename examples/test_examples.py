"""Logs in at the real IdP from each example, as a browser would, and looks at what arrives.

scripts/test-clients installs what the examples need and starts this.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from pathlib import Path
from urllib import request
from urllib.parse import parse_qs, urlencode, urlsplit

EXAMPLES = Path(__file__).parent
# Nothing here is asked of a proxy.
os.environ["NO_PROXY"] = "127.0.0.1"


class Form(HTMLParser):
    """Where a page's form goes, and what it sends without anybody touching it: hidden fields and ticked ones."""

    def __init__(self, page):
        super().__init__()
        self.action, self.fields = None, []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        field = dict(attributes)
        if tag == "form":
            self.action = field.get("action")
        if tag == "input" and (field.get("type") == "hidden" or "checked" in field):
            self.fields.append((field["name"], field["value"]))


class Browser(request.HTTPRedirectHandler):
    """Keeps cookies, follows redirects, says where its forms come from."""

    def __init__(self):
        self.visited = []
        cookies = request.HTTPCookieProcessor(CookieJar())
        self.opener = request.build_opener(self, cookies, request.ProxyHandler({}))

    def redirect_request(self, asked, answer, code, message, headers, location):
        self.visited.append(location)
        return super().redirect_request(asked, answer, code, message, headers, location)

    def open(self, address, form=None):
        self.visited.append(address)
        asked = request.Request(address, form and urlencode(form).encode())
        asked.add_header("Accept", "text/html,*/*")
        asked.add_header("Sec-Fetch-Site", "same-origin" if form else "none")
        with self.opener.open(asked) as answer:
            self.address, self.page = answer.url, answer.read().decode()

    def submit(self, **typed):
        form = Form(self.page)
        self.open(form.action or self.address, [*form.fields, *typed.items()])


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def answers(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


class Servers:
    """Starts servers, and ends them with the test."""

    def start(self, port, command, **settings):
        log = self.log()
        # A group of its own: Apache ends every process of its group, when it ends.
        environment = {**os.environ, **settings}
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        patience = time.monotonic() + 60
        while not answers(port):
            if process.poll() is not None or time.monotonic() > patience:
                self.fail(f"{command[0]} does not start; see target/clients/{self.name}.log")
            time.sleep(0.05)

    def log(self):
        log = open(EXAMPLES.parent / "target" / "clients" / f"{self.name}.log", "a")
        self.addCleanup(log.close)
        return log


class Idp(Servers):
    """An IdP for one example. `port` is the one that the example has in idp.toml."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.folder.chmod(0o755)  # Apache reads as another user
        idp, app = free_port(), free_port()
        self.issuer, self.origin = f"http://127.0.0.1:{idp}", f"http://127.0.0.1:{app}"
        self.ports = {"127.0.0.1:5001": f"127.0.0.1:{idp}", f"127.0.0.1:{self.port}": f"127.0.0.1:{app}"}
        config = self.moved(EXAMPLES / "idp.toml")
        flags = ["--bind", f"127.0.0.1:{idp}", "--issuer", self.issuer, "--config", config]
        self.start(idp, ["cargo", "run", "--quiet", "--locked", "--bin", "idp", "--", *flags])

    def moved(self, file):
        """A copy of a file in which IdP and application are at the ports of this test."""
        text = file.read_text()
        for usual, here in self.ports.items():
            text = text.replace(usual, here)
        copy = self.folder / file.name
        copy.write_text(text)
        return str(copy)


class Login(Idp):
    """What every example must do."""

    settings = {}

    def setUp(self):
        super().setUp()
        settings = {"ISSUER": self.issuer, "ORIGIN": self.origin, **self.settings}
        self.start(urlsplit(self.origin).port, self.command(), **settings)

    def client(self, asked):
        return self.name

    def test_a_user_logs_in_and_out(self):
        browser = Browser()
        browser.open(self.origin)
        self.assertIn("Signed out", browser.page)

        browser.open(f"{self.origin}/login")
        asked = next(it for it in browser.visited if it.startswith(f"{self.issuer}/oauth/authorize?"))
        asked = {name: values[0] for name, values in parse_qs(urlsplit(asked).query).items()}
        self.assertEqual((asked["response_type"], asked["code_challenge_method"]), ("code", "S256"))
        self.assertEqual(asked["client_id"], self.client(asked["client_id"]))
        self.assertTrue(asked["state"] and asked["nonce"] and asked["code_challenge"])
        browser.submit(username="mika", password="MikaTest2024!")
        browser.submit(decision="allow")
        self.comes_back(browser)

        self.assertEqual(browser.address, f"{self.origin}/")
        claims = json.loads(browser.page)
        expected = {"iss": self.issuer, "aud": asked["client_id"], "sub": "mika-0001", "nonce": asked["nonce"]}
        self.assertEqual(claims["id_token"], {**claims["id_token"], **expected})
        expected = {"sub": "mika-0001", "name": "Mika Example", "email": "mika@people.example"}
        self.assertEqual(claims["userinfo"], {**claims["userinfo"], **expected})

        browser.open(f"{self.origin}/logout")
        self.assertEqual(browser.address, f"{self.origin}/")
        self.assertIn("Signed out", browser.page)
        browser.open(f"{self.origin}/login")
        self.assertIn("/login/", browser.address, "the IdP's session has not ended")

    def comes_back(self, browser):
        """What is left to do for a browser that has been redirected: nothing."""

    def test_a_callback_that_nobody_asked_for_signs_nobody_in(self):
        browser = Browser()
        with self.assertRaises(request.HTTPError) as refused:
            browser.open(f"{self.origin}/callback?code=forged&state=forged")
        refused.exception.close()
        browser.open(self.origin)
        self.assertIn("Signed out", browser.page)


class Tokens:
    """What those do that ask for a refresh token."""

    def test_tokens_are_renewed_asked_about_and_given_back(self):
        browser = Browser()
        browser.open(f"{self.origin}/login")
        browser.submit(username="mika", password="MikaTest2024!")
        browser.submit(decision="allow")
        browser.open(f"{self.origin}/tokens")
        told = json.loads(browser.page)
        self.assertEqual((told["claims"]["sub"], told["claims"]["aud"]), ("mika-0001", self.name))
        expected = {"active": True, "sub": "mika-0001", "client_id": self.name, "token_type": "Bearer"}
        self.assertEqual(told["before"], {**told["before"], **expected})
        # With the refresh token goes the access token. Of one that does not count nothing else is told.
        self.assertEqual(told["after"], {"active": False})
        with self.assertRaises(request.HTTPError) as refused:
            browser.open(f"{self.origin}/tokens")
        refused.exception.close()


class Python(Login, Tokens, unittest.TestCase):
    name, port = "python", 8001

    def command(self):
        return [sys.executable, str(EXAMPLES / "python" / "app.py")]


class Node(Login, Tokens, unittest.TestCase):
    name, port = "node", 8002

    def command(self):
        return ["node", str(EXAMPLES / "node" / "app.js")]

    def test_a_request_is_signed_or_left_at_the_idp_in_advance(self):
        for way, carried in {"signed": "request", "pushed": "request_uri", "both": "request_uri"}.items():
            with self.subTest(way):
                browser = Browser()
                browser.open(f"{self.origin}/login?way={way}")
                asked = next(it for it in browser.visited if it.startswith(f"{self.issuer}/oauth/authorize?"))
                self.assertEqual(set(parse_qs(urlsplit(asked).query)), {"client_id", carried})
                browser.submit(username="mika", password="MikaTest2024!")
                browser.submit(decision="allow")
                self.assertEqual(json.loads(browser.page)["id_token"]["sub"], "mika-0001")

    def test_a_program_gets_a_token_for_itself(self):
        command = ["node", str(EXAMPLES / "node" / "service.js")]
        environment = {**os.environ, "ISSUER": self.issuer}
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        told = json.loads(ended.stdout)
        self.assertEqual((told["client_id"], told["sub"], told["scope"]), ("service", "service", "api.access"))


class PublicNode(Login, unittest.TestCase):
    """A client that has no secret: PKCE is what ties the code to it."""

    name, port = "node-public", 8002
    settings = {"CLIENT_ID": "node-public", "CLIENT_SECRET": ""}

    def command(self):
        return ["node", str(EXAMPLES / "node" / "app.js")]


class RegisteredNode(Login, unittest.TestCase):
    """A client that is in no file: it registers itself."""

    name, port = "node-registered", 8002
    settings = {"CLIENT_ID": ""}

    def command(self):
        return ["node", str(EXAMPLES / "node" / "app.js")]

    def client(self, asked):
        self.assertRegex(asked, "^app-.{22}$")
        return asked


class Ways(Idp, unittest.TestCase):
    """Each way in which a client can prove who it is."""

    name, port = "ways", 8004

    def test_a_program_proves_who_it_is_in_each_way(self):
        command = ["node", str(EXAMPLES / "node" / "authenticate.js")]
        environment = {**os.environ, "ISSUER": self.issuer, "ORIGIN": self.origin}
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        clients = ["service", "service-post", "service-secret-jwt", "service-private-key"]
        self.assertEqual(ended.stdout.splitlines(), [f"{client} true" for client in clients])


class OtherProvider(Servers, unittest.TestCase):
    """Our RP at somebody else's provider, as each kind of client."""

    name = "provider"
    methods = ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"]

    def test_the_rp_logs_in_in_each_way(self):
        for method in self.methods:
            with self.subTest(method):
                self.logs_in(method, free_port(), free_port())

    def logs_in(self, method, provider, rp):
        issuer, origin = f"http://127.0.0.1:{provider}", f"http://127.0.0.1:{rp}"
        self.start(provider, ["node", str(EXAMPLES / "provider" / "provider.js")], ISSUER=issuer, RP=origin)
        flags = ["--bind", f"127.0.0.1:{rp}", "--issuer", issuer, "--scope", "openid profile email"]
        flags += ["--client-id", method, "--token-endpoint-auth-method", method]
        if method.startswith("client_secret"):
            flags += ["--client-secret", "a-secret-of-32-bytes-or-more-which-everybody-knows"]
        self.start(rp, ["cargo", "run", "--quiet", "--locked", "--bin", "rp", "--", *flags])
        # Its requests are left there in advance by all of them, and signed by those who can.
        other = "signed_pushed" if method.endswith("_jwt") else "pushed"
        for way in ["plain", other]:
            browser = Browser()
            browser.open(f"{origin}/login?way={way}")
            self.assertIn(f"{issuer}/interaction/", browser.address, way)
            browser.submit(login="mika", password="whatever")
            browser.submit()
            self.assertEqual(browser.address, f"{origin}/")
            self.assertIn("User mika", browser.page)
            asked = next(it for it in browser.visited if it.startswith(f"{issuer}/auth?"))
            self.assertEqual("request_uri=" in asked, way != "plain")


class NodeByForm(Login, unittest.TestCase):
    """The result of the login is posted."""

    name, port = "node", 8002

    def command(self):
        return ["node", str(EXAMPLES / "node" / "form_post.js")]

    def comes_back(self, browser):
        # Without scripts it takes a click.
        self.assertEqual(Form(browser.page).action, f"{self.origin}/callback")
        names = [name for name, _ in Form(browser.page).fields]
        self.assertEqual(names, ["code", "state", "iss"])
        browser.submit()
        self.assertFalse([address for address in browser.visited if "code=" in address])


class ApacheAndPhp(Login, unittest.TestCase):
    name, port = "php", 8003

    def command(self):
        self.moved(EXAMPLES / "php" / "index.php")
        return ["apache2", "-d", str(self.folder), "-f", self.moved(EXAMPLES / "php" / "apache.conf"), "-DFOREGROUND"]


if __name__ == "__main__":
    unittest.main(verbosity=2)
