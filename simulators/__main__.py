"""Start the stand-ins: ``python -m simulators --port 8001 --web URL --data DIR``."""

import argparse
import asyncio
import contextlib
import logging
import signal
import sys
from pathlib import Path

from aiohttp import web

from simulators.app import Busy, make_app
from simulators.hub import Settings


def _arguments() -> argparse.Namespace:
    defaults = Settings(data=Path("var"), web="")
    parser = argparse.ArgumentParser(prog="python -m simulators", description=__doc__)
    parser.add_argument("--port", type=int, default=8001, help="0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--web", default="http://127.0.0.1:8000", help="the product")
    parser.add_argument("--data", type=Path, default=defaults.data)
    for name, meaning in (
        ("report_delay", "seconds from one delivery report to the next"),
        ("result_delay", "seconds from accepting a payment to its result"),
        ("inbound_retry", "seconds between tries of an inbound SMS (real: 60)"),
        ("inbound_tries", "tries of an inbound SMS"),
        ("token_life", "seconds that a wallet token lives"),
        ("ussd_timeout", "seconds the product has to answer a USSD request"),
        ("ussd_session", "seconds a USSD session lasts"),
        ("ussd_silence", "seconds a USSD session waits for the person"),
    ):
        default = getattr(defaults, name)
        parser.add_argument(
            "--" + name.replace("_", "-"),
            type=type(default),
            default=default,
            help=f"{meaning} ({default})",
        )
    return parser.parse_args()


async def _serve(app: web.Application, host: str, port: int) -> None:
    # A handler that hangs on purpose must not hold up the end of the process.
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        bound = runner.addresses[0]
        print(f"stand-ins on http://{bound[0]}:{bound[1]}", flush=True)
        over = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, over.set)
        await over.wait()
    finally:
        await runner.cleanup()


def main() -> int:
    """Run until SIGINT or SIGTERM; 1 when the port or the folder cannot be used."""
    given = vars(_arguments())
    host, port = given.pop("host"), given.pop("port")
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s stand-ins %(levelname)s %(message)s"
    )
    try:
        app = make_app(Settings(**given))
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_serve(app, host, port))
    except (OSError, Busy) as error:
        print(f"stand-ins cannot start: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
