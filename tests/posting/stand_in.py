"""GitHub's API as far as a report is posted through it, on loopback and over TLS.

As a program it serves until its standard input ends: `python tests/posting/stand_in.py FOLDER [COMMENTS]` writes its
certificate to FOLDER, says its address, and prints a line a request.
"""

from __future__ import annotations

import json
import re
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

BOT = "github-actions[bot]"
LONGEST_BODY = 65_536
_REPO = r"/api/v3/repos/[^/]+/[^/]+"


@dataclass(kw_only=True, slots=True)
class Comment:
    id: int
    number: int
    author: str
    body: str


class Refusal(NamedTuple):
    status: int
    message: str


@dataclass(kw_only=True)
class GitHub:
    """One host. `requests` are the method and path of each; whatever method is in `refused` gets a 500.

    `settings` maps a path below the repository's own to the document there, or to why it is not shown.
    `merged` maps a commit to the pull request that brought it. A pull request has `auto_merge` where it merges itself.
    """

    url: str = ""
    certificate: Path = Path()
    comments: list[Comment] = field(default_factory=list)
    pulls: list[dict[str, Any]] = field(default_factory=list)
    merged: dict[str, dict[str, Any]] = field(default_factory=dict)
    approvers: list[str] = field(default_factory=list)
    artifacts: list[str] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    talking: bool = False

    def say(self, number: int, author: str, body: str) -> Comment:
        comment = Comment(id=1000 + len(self.comments), number=number, author=author, body=body)
        self.comments.append(comment)
        return comment

    def by(self, author: str) -> list[str]:
        return [comment.body for comment in self.comments if comment.author == author]


@contextmanager
def serve(folder: Path) -> Iterator[GitHub]:
    """A host on a free port whose certificate, its own authority, is written to the folder."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    github = GitHub(certificate=certificate)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(github))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    github.url = f"https://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield github
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(github: GitHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = _body(self.rfile, self.headers)
            parts = urlsplit(self.path)
            github.requests.append(f"{self.command} {parts.path}")
            github.tokens.add(str(self.headers.get("Authorization")).partition(" ")[2])
            if github.talking:
                _say(f"{self.command} {self.path}")
            status, document, link = _respond(
                github, self.command, parts.path, dict(parse_qsl(parts.query)), json.loads(body or b"null")
            )
            data = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(data)))
            if link:
                self.send_header("Link", link)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_PUT = _answer  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            """Says nothing: `requests` has it all."""

    return Handler


def _body(stream: BufferedIOBase, headers: Message) -> bytes:
    """`gh api --input -` sends it in chunks."""
    if headers.get("Transfer-Encoding") != "chunked":
        return stream.read(int(headers.get("Content-Length") or 0))
    return b"".join(iter(lambda: _chunk(stream), b""))


def _chunk(stream: BufferedIOBase) -> bytes:
    data = stream.read(int(stream.readline(), 16))
    stream.readline()
    return data


Response = tuple[int, Any, str | None]


class Request(NamedTuple):
    """`found` are the parts of the path that its route names; `query` has the first value of each name."""

    path: str
    found: Mapping[str, str]
    query: Mapping[str, str]
    document: Any


def _respond(github: GitHub, method: str, path: str, query: Mapping[str, str], document: Any) -> Response:
    if method in github.refused:
        return 500, {"message": "Server Error"}, None
    for its_method, form, answer in _ROUTES:
        match = re.fullmatch(form, path)
        if match and method == its_method:
            return answer(github, Request(path, match.groupdict(), query, document))
    return 404, {"message": "Not Found"}, None


def _say_comment(github: GitHub, request: Request) -> Response:
    number = int(request.found["number"])
    return _written(github, lambda: github.say(number, BOT, request.document["body"]), request.document)


def _pulls_of_commit(github: GitHub, request: Request) -> Response:
    found = github.merged.get(request.found["sha"])
    return 200, [found] if found is not None else [], None


def _reviews(github: GitHub, _: Request) -> Response:
    return 200, [{"state": "APPROVED", "user": {"login": login}} for login in github.approvers], None


def _pull(github: GitHub, request: Request) -> Response:
    return 200, next(it for it in github.pulls if it["number"] == int(request.found["number"])), None


def _pulls(github: GitHub, request: Request) -> Response:
    return 200, [it for it in github.pulls if it["head"]["label"] == request.query["head"]], None


def _graphql(github: GitHub, request: Request) -> Response:
    pull = next(it for it in github.pulls if it["node_id"] == request.document["variables"]["pull"])
    pull["auto_merge"] = True
    return 200, {"data": {}}, None


def _artifacts(github: GitHub, request: Request) -> Response:
    return 200, {"total_count": github.artifacts.count(request.query["name"]), "artifacts": []}, None


def _setting(github: GitHub, request: Request) -> Response:
    found = github.settings.get(request.found["setting"], Refusal(404, "Not Found"))
    if isinstance(found, Refusal):
        return found.status, {"message": found.message}, None
    return 200, found, None


def _user(_: GitHub, request: Request) -> Response:
    login = request.found["login"]
    return 200, {"login": login, "name": login, "email": None}, None


def _opened(github: GitHub, request: Request) -> Response:
    document = request.document
    number = 8 + len(github.pulls)
    pull = {
        **document,
        "number": number,
        "node_id": f"PR_{number}",
        "state": "open",
        "merged_at": None,
        "mergeable": True,
        "html_url": f"https://github.com/acme/flowers/pull/{number}",
        "head": {"label": f"acme:{document['head']}", "ref": document["head"]},
    }
    github.pulls.append(pull)
    return 201, pull, None


def _listed(github: GitHub, request: Request) -> Response:
    path, number = request.path, int(request.found["number"])
    size, page = min(int(request.query.get("per_page", "30")), 100), int(request.query.get("page", "1"))
    all_of_them = [comment for comment in github.comments if comment.number == number]
    shown = all_of_them[(page - 1) * size : page * size]
    more = page * size < len(all_of_them)
    link = f'<{github.url}{path}?per_page={size}&page={page + 1}>; rel="next"' if more else None
    return 200, [_shown(github, path, comment) for comment in shown], link


def _written(github: GitHub, write: Any, document: Any) -> Response:
    if len(document["body"]) > LONGEST_BODY:
        return 422, {"message": f"Body is too long (maximum is {LONGEST_BODY} characters)"}, None
    return 201, _shown(github, "/api/v3/repos/acme/flowers", write()), None


def _edited(github: GitHub, request: Request) -> Response:
    wanted, document = int(request.found["id"]), request.document
    comment = next((it for it in github.comments if it.id == wanted), None)
    if comment is None:
        return 404, {"message": "Not Found"}, None

    def write() -> Comment:
        comment.body = document["body"]
        return comment

    status, shown, link = _written(github, write, document)
    return (200 if status == 201 else status), shown, link


def _shown(github: GitHub, path: str, comment: Comment) -> dict[str, Any]:
    repository = "/".join(path.split("/")[:6])
    return {
        "id": comment.id,
        "url": f"{github.url}{repository}/issues/comments/{comment.id}",
        "html_url": f"{github.url}/pull/{comment.number}#issuecomment-{comment.id}",
        "user": {"login": comment.author, "type": "Bot" if comment.author == BOT else "User"},
        "body": comment.body,
    }


_ROUTES: tuple[tuple[str, str, Callable[[GitHub, Request], Response]], ...] = (
    ("GET", rf"{_REPO}/issues/(?P<number>[0-9]+)/comments", _listed),
    ("POST", rf"{_REPO}/issues/(?P<number>[0-9]+)/comments", _say_comment),
    ("PATCH", rf"{_REPO}/issues/comments/(?P<id>[0-9]+)", _edited),
    ("GET", rf"{_REPO}/commits/(?P<sha>[0-9a-f]+)/pulls", _pulls_of_commit),
    ("GET", rf"{_REPO}/pulls/[0-9]+/reviews", _reviews),
    ("GET", rf"{_REPO}/pulls/(?P<number>[0-9]+)", _pull),
    ("GET", rf"{_REPO}/pulls", _pulls),
    ("POST", rf"{_REPO}/pulls", _opened),
    ("POST", "/api/graphql", _graphql),
    ("GET", rf"{_REPO}/actions/runs/[0-9]+/artifacts", _artifacts),
    ("GET", "/api/v3/users/(?P<login>[^/]+)", _user),
    # Behind all others: whatever else there is of a repository.
    ("GET", rf"{_REPO}(?P<setting>.*)", _setting),
)


def main() -> int:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with serve(folder) as github:
        for place in range(int(sys.argv[2]) if len(sys.argv) > 2 else 0):
            github.say(7, "reviewer", f"comment {place + 1}")
        _say(f"{github.url}\nNODE_EXTRA_CA_CERTS={github.certificate}")
        github.talking = True
        sys.stdin.read()
        _say("\n".join(f"-- comment {place}\n{body}" for place, body in enumerate(github.by(BOT), start=1)))
    return 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
