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
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

BOT = "github-actions[bot]"
LONGEST_BODY = 65_536

_COMMENTS = re.compile(r"/api/v3/repos/(?P<repo>[^/]+/[^/]+)/issues/(?P<number>[0-9]+)/comments")
_COMMENT = re.compile(r"/api/v3/repos/(?P<repo>[^/]+/[^/]+)/issues/comments/(?P<id>[0-9]+)")
_PULLS = re.compile(r"/api/v3/repos/[^/]+/[^/]+/pulls")
_ARTIFACTS = re.compile(r"/api/v3/repos/[^/]+/[^/]+/actions/runs/[0-9]+/artifacts")
_USER = re.compile(r"/api/v3/users/(?P<login>[^/]+)")


@dataclass(kw_only=True, slots=True)
class Comment:
    id: int
    number: int
    author: str
    body: str


@dataclass(kw_only=True)
class GitHub:
    """One host. `requests` are the method and path of each; whatever method is in `refused` gets a 500."""

    url: str = ""
    certificate: Path = Path()
    comments: list[Comment] = field(default_factory=list)
    pulls: list[dict[str, Any]] = field(default_factory=list)
    artifacts: list[str] = field(default_factory=list)
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
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def do_PATCH(self) -> None:
            self._answer()

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urlsplit(self.path)
            github.requests.append(f"{self.command} {parts.path}")
            github.tokens.add(str(self.headers.get("Authorization")).partition(" ")[2])
            if github.talking:
                _say(f"{self.command} {self.path}")
            status, document, link = _respond(
                github, self.command, parts.path, parse_qs(parts.query), json.loads(body or b"null")
            )
            data = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(data)))
            if link:
                self.send_header("Link", link)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Says nothing: `requests` has it all."""

    return Handler


Response = tuple[int, Any, str | None]


def _respond(github: GitHub, method: str, path: str, query: dict[str, list[str]], document: Any) -> Response:
    if method in github.refused:
        return 500, {"message": "Server Error"}, None
    if (found := _COMMENTS.fullmatch(path)) and method == "GET":
        return _listed(github, path, int(found["number"]), query)
    if found and method == "POST":
        return _written(github, lambda: github.say(int(found["number"]), BOT, document["body"]), document)
    if (found := _COMMENT.fullmatch(path)) and method == "PATCH":
        return _edited(github, int(found["id"]), document)
    if _PULLS.fullmatch(path):
        head = query["head"][0]
        return 200, [it for it in github.pulls if it["head"]["label"] == head], None
    if _ARTIFACTS.fullmatch(path):
        count = github.artifacts.count(query["name"][0])
        return 200, {"total_count": count, "artifacts": []}, None
    if found := _USER.fullmatch(path):
        return 200, {"login": found["login"], "name": found["login"], "email": None}, None
    return 404, {"message": "Not Found"}, None


def _listed(github: GitHub, path: str, number: int, query: dict[str, list[str]]) -> Response:
    size, page = min(int(query.get("per_page", ["30"])[0]), 100), int(query.get("page", ["1"])[0])
    all_of_them = [comment for comment in github.comments if comment.number == number]
    shown = all_of_them[(page - 1) * size : page * size]
    more = page * size < len(all_of_them)
    link = f'<{github.url}{path}?per_page={size}&page={page + 1}>; rel="next"' if more else None
    return 200, [_shown(github, path, comment) for comment in shown], link


def _written(github: GitHub, write: Any, document: Any) -> Response:
    if len(document["body"]) > LONGEST_BODY:
        return 422, {"message": f"Body is too long (maximum is {LONGEST_BODY} characters)"}, None
    return 201, _shown(github, "/api/v3/repos/acme/flowers", write()), None


def _edited(github: GitHub, wanted: int, document: Any) -> Response:
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
