"""Directives of nginx's files that are meant to be turned: found by their comments, and turned in a running instance, by a reload.

A comment that ends in ", default VALUE." marks the line below it; where VALUE is "off" and the line itself a comment, it is off until the mark is taken away.
They are named by their words up to what makes them different: "send_timeout", "limit_conn exports", "gzip (2)" for the second one of a file."""
import contextlib
import dataclasses
import pathlib
import re

from . import proc

_MARK = re.compile(r"\s*# (?:.*, )default (.+)\.")
_LINE = re.compile(r"(\s*)(# )?(([a-z_0-9]+)[^#]*[;{])")


@dataclasses.dataclass
class Directive:
    name: str
    default: str        # as its comment says
    text: str           # as it stands, without a mark that makes it a comment
    is_off: bool
    line: int           # from 0


def tunables(text):
    """The marked directives of a file, by name."""
    found, lines = {}, text.splitlines()
    for n, line in enumerate(lines[:-1]):
        if not (mark := _MARK.fullmatch(line)):
            continue
        below = _LINE.match(lines[n + 1])
        assert below, f"no directive below the comment {line.strip()!r}: {lines[n + 1]!r}"
        zone = re.search(r"\b(?:zone=|limit_conn )(\w+)", below[3])
        name = f"{below[4]} {zone[1]}" if zone else below[4]
        same = sum(d.name.split(" (")[0] == name for d in found.values())
        name += f" ({same + 1})" if same else ""
        found[name] = Directive(name, mark[1], below[3], bool(below[2]), n + 1)
    return found


def with_text(text, name, value):
    """The file with that directive written so."""
    directive, lines = tunables(text)[name], text.split("\n")
    indent = re.match(r"\s*", lines[directive.line])[0]
    lines[directive.line] = indent + value
    return "\n".join(lines)


def with_tls(text, listen, plain):
    """The file after the steps that its comment tells: HTTPS at listen, and who comes to plain is sent there."""
    block = re.search(r"^\t#server \{\n(?:\t#.*\n)*?\t#\}\n", text, re.M)
    text = text.replace(block[0], re.sub(r"^\t#", "\t", block[0], flags=re.M).replace("listen 80 ", f"listen {plain} "))
    text, n = re.subn(r"^(\t\tlisten) [^;]* default_server backlog=4096;$", rf"\1 {listen} ssl http2 default_server backlog=4096;", text, flags=re.M)
    assert n == 1
    assert text.count("\t\t# include tls.conf;") == 1
    return text.replace("\t\t# include tls.conf;", "\t\tinclude tls.conf;")


def _serving(stack, part):
    """The processes that take connections: nginx renames those that only end what they have."""
    found = set()
    for pid in proc.children(stack.pid(part)):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if "shutting down" not in pathlib.Path(f"/proc/{pid}/cmdline").read_text():
                found.add(pid)
    return found


def reload(stack, part):
    """Gives back once new processes serve, and none of the old ones."""
    old = _serving(stack, part)
    stack.reload(part)
    proc.wait_for(lambda: (now := _serving(stack, part)) and not now & old, 10, f"nginx to take its files:\n{stack.tail(part)}")


@contextlib.contextmanager
def files(stack, part, change):
    """The part of the instance serves by changed files meanwhile. change: {file: text -> text}."""
    before = {name: pathlib.Path(stack.dir, name).read_text() for name in change}
    try:
        for name, how in change.items():
            pathlib.Path(stack.dir, name).write_text(how(before[name]))
        reload(stack, part)
        yield
    finally:
        for name, text in before.items():
            pathlib.Path(stack.dir, name).write_text(text)
        reload(stack, part)
