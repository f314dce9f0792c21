"""What no log may hold when the tests are over."""
import os
import re

_NEVER = [
    (re.compile(r"ERROR: \w+Sanitizer|runtime error:|SUMMARY: \w+Sanitizer"), "a sanitizer's report"),
    (re.compile(r" status=500 "), "an answer with status 500"),
    (re.compile(r"eyJ[\w-]{8,}\.[\w-]*\.?"), "a token"),
    (re.compile(r"correct horse|pickup-demo-1"), "a password"),
]


def judge(folder):
    """Fails where a log under folder holds what it must not, with the line."""
    for base, _, names in os.walk(folder):
        for name in names:
            if not name.endswith(".log"):
                continue
            with open(f"{base}/{name}", errors="replace") as f:
                for line in f:
                    for pattern, what in _NEVER:
                        assert not pattern.search(line), f"{what} in {name}: {line[:1000]}"
