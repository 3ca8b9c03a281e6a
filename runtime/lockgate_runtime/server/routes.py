"""From a path and a method to what answers it, for those who may ask. Knows nothing of models."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote_to_bytes

from lockgate_runtime.server.refused import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lockgate_runtime.server.auth import Tokens
    from lockgate_runtime.server.exchange import Exchange
    from lockgate_runtime.server.logs import Logs
    from lockgate_runtime.server.monitor import Monitoring

GET, HEAD, POST = b"GET", b"HEAD", b"POST"


class Route(NamedTuple):
    """What answers at a path. `counted` is the label of an inference route; `open` ones need no token."""

    methods: Mapping[bytes, Callable[[Exchange], None]]
    counted: str | None = None
    open: bool = False

    @property
    def allow(self) -> bytes:
        return b"Allow: %b\r\n" % b", ".join(sorted({*self.methods, b"OPTIONS"}))


def reading(answer: Callable[[Exchange], None], *, open_: bool = False) -> Route:
    """A path that is only read."""
    return Route(methods={GET: answer, HEAD: answer}, open=open_)


class Router:
    """The `Application` of a server: refuses what nobody answers, and counts what was answered."""

    def __init__(
        self, table: Mapping[bytes, Route], tokens: Tokens | None, monitor: Monitoring, logs: Logs
    ) -> None:
        self._table, self._tokens, self._monitor, self._logs = table, tokens, monitor, logs
        self.in_flight = 0
        """Requests of counted routes that are not answered yet."""

    def handle(self, exchange: Exchange) -> None:
        try:
            self._answerer(exchange)(exchange)
        except Refused as refused:
            exchange.refuse(refused)
        except Exception as error:  # noqa: BLE001 - one request that fails must not take the server with it
            self.fail(exchange, error)

    def refuse_early(
        self, url: bytes, headers: Mapping[bytes, bytes], body_bytes: int | None
    ) -> Refused | None:
        """Keeps large bodies of strangers, and those that nobody reads, from being received."""
        del body_bytes
        route = self._find(url)
        if not self._admitted(route, headers):
            return _not_admitted()
        if route is None or POST not in route.methods:
            return Refused(413, "body-too-large", "nothing here takes a body of that size")
        return None

    def closed(self, exchange: Exchange) -> None:
        if exchange.counted is not None:
            self.in_flight -= 1
        if exchange.reason is not None:
            self._monitor.refused(exchange.reason)
        if exchange.counted is not None and exchange.status:
            self._monitor.answered(exchange.counted, exchange.status, perf_counter() - exchange.started)
        if exchange.then is not None:
            exchange.then(exchange)

    def fail(self, exchange: Exchange, error: Exception) -> None:
        """Tell the client as little as possible, and the log what happened."""
        fields = {"error": type(error).__name__, "text": str(error), "at": _place(error)}
        self._logs.write("error", "a request failed", exchange.request_id, fields)
        exchange.refuse(Refused(500, "failed", "the server failed; its log tells more under this id"))

    def _answerer(self, exchange: Exchange) -> Callable[[Exchange], None]:
        route = self._table.get(exchange.url) or self._find(exchange.url)
        if route is not None and route.counted is not None:
            exchange.counted = route.counted
            self.in_flight += 1
        if self._tokens is not None and not self._admitted(route, exchange.headers):
            raise _not_admitted()
        if route is None:
            path = exchange.url.partition(b"?")[0].decode("ascii", "replace")[:200]
            raise Refused(
                404, "not-found", f"there is nothing at '{path}'; '/openapi.json' lists what there is"
            )
        answer = route.methods.get(exchange.method)
        if answer is None:
            return lambda it: _refuse_method(it, route)
        return answer

    def _find(self, url: bytes) -> Route | None:
        """By the path alone, as the client may have escaped it, or written it with its host before it."""
        path = url.partition(b"?")[0]
        if not path.startswith(b"/"):
            _, _, rest = path.partition(b"://")
            path = b"/" + rest.partition(b"/")[2]
        return self._table.get(path) or self._table.get(unquote_to_bytes(path))

    def _admitted(self, route: Route | None, headers: Mapping[bytes, bytes]) -> bool:
        if self._tokens is None or (route is not None and route.open):
            return True
        return self._tokens.admit(headers)


def _refuse_method(exchange: Exchange, route: Route) -> None:
    if exchange.method == b"OPTIONS":
        exchange.answer(204, b"", more=route.allow)
        return
    method = exchange.method.decode("ascii", "replace")
    allowed = ", ".join(sorted(it.decode() for it in route.methods))
    message = f"the method '{method}' is not served here, only {allowed}"
    exchange.refuse(Refused(405, "method", message), route.allow)


def _not_admitted() -> Refused:
    return Refused(
        401,
        "no-token",
        "a known token is needed: send it as 'Authorization: Bearer TOKEN' or as 'X-API-Key: TOKEN'",
    )


def _place(error: Exception) -> str:
    """The innermost lines that the error went through."""
    frames = []
    trace = error.__traceback__
    while trace is not None:
        frames.append(f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}")
        trace = trace.tb_next
    return " ".join(frames[-4:])
