"""How nginx serves the pages for browsers: headers, addresses, types, what is asked again. What they do is t/browser's."""
import gzip

import pytest

from lib import check

POLICY = {"default-src": ["'none'"], "script-src": ["'self'"], "style-src": ["'self'"], "img-src": ["'self'", "blob:"], "connect-src": ["'self'"],
          "worker-src": ["'self'"], "manifest-src": ["'self'"], "base-uri": ["'none'"], "form-action": ["'none'"], "frame-ancestors": ["'none'"],
          "require-trusted-types-for": ["'script'"], "trusted-types": ["pickup"]}


@pytest.fixture(scope="module", params=["stack", "single"])
def served(request):
    return request.getfixturevalue(request.param)


def policy(answer):
    return {words[0]: words[1:] for part in answer.header("Content-Security-Policy").split(";") if (words := part.split())}


@pytest.mark.parametrize("path", ["/board/", "/order/", "/order/index.html", "/order/sw.js"])
def test_what_a_page_may_do(served, path):
    """Its parts obey it, and do not carry what says so: there are many of them."""
    answer = served.call("GET", path)
    assert (answer.status, answer.header("Cache-Control")) == (200, "no-cache") and policy(answer) == POLICY
    assert answer.header("X-Content-Type-Options") == "nosniff" and answer.header("Referrer-Policy") == "no-referrer"
    assert answer.header("Cross-Origin-Opener-Policy") == answer.header("Cross-Origin-Resource-Policy") == "same-origin"
    assert "screen-wake-lock=(self)" in answer.header("Permissions-Policy") and "camera=()" in answer.header("Permissions-Policy")


@pytest.mark.parametrize("path,media_type", [("/lib/api.js", "text/javascript; charset=utf-8"), ("/order/order.css", "text/css; charset=utf-8"),
                                             ("/lib/icon.svg", "image/svg+xml")])
def test_a_part_of_a_page(served, source, path, media_type):
    answer = served.call("GET", path)
    assert (answer.status, answer.header("Content-Type"), answer.header("Cache-Control")) == (200, media_type, "no-cache")
    assert answer.body == (source / f"nginx/html{path}").read_bytes()
    assert answer.header("X-Content-Type-Options") == "nosniff" and answer.header("Cross-Origin-Resource-Policy") == "same-origin"


def test_what_a_browser_has_is_good_until_it_changes(served):
    whole = served.call("GET", "/lib/api.js")
    small = served.call("GET", "/lib/api.js", headers={"Accept-Encoding": "gzip"})
    assert small.header("Content-Encoding") == "gzip" and small.header("Vary") == "Accept-Encoding" and gzip.decompress(small.body) == whole.body
    for answer in (whole, small):
        again = served.call("GET", "/lib/api.js", headers={"If-None-Match": answer.header("ETag"), "Accept-Encoding": "gzip"})
        assert (again.status, again.body, again.header("Cache-Control")) == (304, b"", "no-cache")


def test_an_address_without_its_slash(served):
    for name in ("board", "order"):
        answer = served.call("GET", f"/{name}?language=de")
        assert (answer.status, answer.header("Location")) == (301, f"/{name}/?language=de")


def test_who_comes_with_a_browser_may_order(served):
    answer = served.call("GET", "/", headers={"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"})
    assert (answer.status, answer.header("Location")) == (302, "/order/")
    check.problem(served.call("GET", "/", headers={"Accept": "*/*"}), 404, "not_found")


@pytest.mark.parametrize("path", ["/lib", "/lib/", "/words/", "/lib/none.js", "/lib/api.js/", "/board/none", "/index.html", "/html/lib/api.js", "/lib/%2e%2e/front.conf",
                                  "/lib/..%2ffront.conf", "/lib//..//..//pickup.params", "/pickup.params", "/lib/api.js%00.html"])
def test_nothing_else_is_there(served, path):
    answer = served.call("GET", path)
    assert answer.status in (400, 404) and answer.media_type == "application/problem+json", answer
    assert policy(answer)["default-src"] == ["'none'"]


def test_they_are_only_read(served):
    for method in ("POST", "PUT", "DELETE"):
        answer = served.call(method, "/lib/api.js", body=b"x")
        check.problem(answer, 405, "method_not_allowed")
        assert answer.header("Allow") == "GET, HEAD"
