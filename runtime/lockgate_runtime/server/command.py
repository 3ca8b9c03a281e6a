"""`python -m lockgate_runtime serve`: its arguments, and how its mistakes are told."""

from __future__ import annotations

import argparse
import math
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lockgate_runtime.server.settings import PredictionLog, Settings

OK, FAILED, USAGE = 0, 1, 2
_MEBIBYTE = 1024 * 1024


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve as the arguments say; the exit code: 0 stopped as told, 1 failed, 2 misused."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if (options.tls_cert is None) != (options.tls_key is None):
        parser.error("'--tls-cert' and '--tls-key' need each other")
    try:
        return _serve(options)
    except ModuleNotFoundError as error:
        return _tell(f"the server needs '{error.name}', which is not installed", _INSTALL)


_INSTALL = "run \"pip install 'lockgate[serve]'\""


def _serve(options: argparse.Namespace) -> int:
    from lockgate_runtime.server.artifact import ArtifactError
    from lockgate_runtime.server.check import check
    from lockgate_runtime.server.log_storage import PredictionLogError
    from lockgate_runtime.server.tracing import TracingError
    from lockgate_runtime.server.workers import serve

    try:
        if options.check:
            print(check(_settings(options)))
            return OK
        return serve(_settings(options), lambda line: print(line, flush=True))
    except ArtifactError as error:
        return _tell(error.message, error.help)
    except (PredictionLogError, TracingError) as error:
        return _tell(error.message, error.help)
    except OSError as error:
        place = f"'{error.filename}'" if error.filename else f"'{options.host}' port {options.port}"
        return _tell(f"{place}: {error.strerror or error}", "name another one, or make it accessible")


def _tell(message: str, help_: str) -> int:
    for kind, text in (("error", message), ("help", help_)):
        printable = "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
        print(f"{kind}: {printable}", file=sys.stderr)
    return FAILED


def _settings(options: argparse.Namespace) -> Settings:
    from lockgate_runtime.server.limits import Limits
    from lockgate_runtime.server.settings import Settings

    return Settings(
        model=options.model,
        version=options.version,
        host=options.host,
        port=options.port,
        workers=options.workers,
        artifact_sha256=options.artifact_sha256,
        trusted=tuple(options.trust),
        card=options.card,
        unknown_categories=options.unknown_categories,
        most_rows=options.max_rows,
        most_queued_rows=options.max_queue,
        timeout_seconds=options.timeout,
        slo_seconds=options.slo_latency,
        auth_file=options.auth_file,
        tls=None if options.tls_cert is None else (options.tls_cert, options.tls_key),
        prediction_log=_prediction_log(options),
        trace_share=options.trace_sample,
        drain_seconds=options.drain_seconds,
        monitoring=not options.no_monitoring,
        limits=Limits(body_bytes=options.max_body, held_bytes=16 * max(options.max_body, _MEBIBYTE)),
    )


def _prediction_log(options: argparse.Namespace) -> PredictionLog | None:
    from lockgate_runtime.server.settings import PredictionLog

    if options.log_predictions is None:
        return None
    return PredictionLog(
        to=options.log_predictions,
        share=options.log_sample,
        keep_days=options.log_keep_days,
        leave_out=tuple(options.log_leave_out),
    )


def _whole(least: int, most: int = 2**40) -> Callable[[str], int]:
    def read(text: str) -> int:
        number = int(text)
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"'{text}' is not between {least} and {most}")
        return number

    return read


def _seconds(text: str) -> float:
    number = float(text)
    if not (math.isfinite(number) and number > 0):
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of seconds above 0")
    return number


def _share(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not between 0 and 1")
    return number


for _read, _name in ((_seconds, "seconds"), (_share, "share")):
    _read.__name__ = _name


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lockgate_runtime serve",
        description="Serve an exported model over HTTP: '/v1/predict', and version 2 of the Open Inference Protocol.",
        epilog="examples:\n"
        "  python -m lockgate_runtime serve --model artifacts/flight-delay/model\n"
        "  python -m lockgate_runtime serve --model /model --host 0.0.0.0 --workers 4 --auth-file /etc/tokens\n\n"
        "SIGTERM drains: requests are answered, new ones too for a moment, and then the server ends.\n\n"
        "exit codes: 0 stopped as told, 1 failed, 2 misused",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    for add in (_add_model, _add_place, _add_limits, _add_security, _add_observing):
        add(parser)
    return parser


def _add_model(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the model")
    group.add_argument("--model", metavar="DIR", type=Path, required=True, help="the exported model's folder")
    group.add_argument(
        "--version", metavar="V", default="unreleased", help="as answers name it (default: unreleased)"
    )
    group.add_argument(
        "--artifact-sha256",
        metavar="HEX",
        default=os.environ.get("ARTIFACT_SHA256") or None,
        help="serve only the artifact of this hash (default: what ARTIFACT_SHA256 says, else any)",
    )
    group.add_argument(
        "--check", action="store_true", help="only see whether the model can be served, and end"
    )
    group.add_argument(
        "--trust",
        metavar="TYPE",
        action="append",
        default=[],
        help="a type that a skops model may hold besides",
    )
    group.add_argument("--card", metavar="FILE", type=Path, help="the model card, shown on the page at '/'")
    group.add_argument(
        "--unknown-categories", choices=("accept", "refuse"), default="accept", help="default: accept"
    )


def _add_place(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("where and how many")
    group.add_argument("--host", default="127.0.0.1", help="default: 127.0.0.1")
    group.add_argument("--port", type=_whole(0, 65535), default=8080, help="default: 8080; 0 is a free one")
    group.add_argument(
        "--workers", metavar="N", type=_whole(1, 1024), default=1, help="processes (default: 1)"
    )
    group.add_argument(
        "--drain-seconds",
        metavar="S",
        type=_seconds,
        default=30.0,
        help="to end in, when told to (default: 30)",
    )


def _add_limits(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("limits")
    group.add_argument(
        "--max-body",
        metavar="BYTES",
        type=_whole(1),
        default=4 * _MEBIBYTE,
        help="of a request (default: 4 MiB)",
    )
    group.add_argument(
        "--max-rows", metavar="N", type=_whole(1), default=10_000, help="of a request (default: 10000)"
    )
    group.add_argument(
        "--max-queue", metavar="ROWS", type=_whole(1), default=4096, help="that wait (default: 4096)"
    )
    group.add_argument(
        "--timeout", metavar="SECONDS", type=_seconds, default=10.0, help="for an answer (default: 10)"
    )


def _add_security(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("security")
    group.add_argument(
        "--auth-file", metavar="FILE", type=Path, help="tokens, one a line; callers need one of them"
    )
    group.add_argument("--tls-cert", metavar="FILE", type=Path, help="the certificate's chain, PEM")
    group.add_argument("--tls-key", metavar="FILE", type=Path, help="its key, PEM")


def _add_observing(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what it lets see")
    group.add_argument(
        "--slo-latency",
        metavar="SECONDS",
        type=_seconds,
        help="gets a bucket of its own in the latency's histogram",
    )
    group.add_argument(
        "--log-predictions", metavar="URI", help="keep a sample of predictions here, as Parquet"
    )
    group.add_argument("--log-sample", metavar="SHARE", type=_share, default=0.01, help="default: 0.01")
    group.add_argument(
        "--log-keep-days", metavar="D", type=_whole(1), help="delete older files (default: never)"
    )
    group.add_argument(
        "--log-leave-out",
        metavar="COLUMN",
        action="append",
        default=[],
        help="a column that may not be logged",
    )
    group.add_argument(
        "--trace-sample",
        metavar="SHARE",
        type=_share,
        default=0.01,
        help="of requests to trace, where OTEL_EXPORTER_OTLP_ENDPOINT is set (default: 0.01)",
    )
    group.add_argument("--no-monitoring", action="store_true", help="count nothing")
