"""serve.py FOLDER [--port PORT] [--no-open]: serves a folder on the loopback address, which only this machine reaches, until Ctrl-C."""

import argparse
import functools
import http.server
import sys
import webbrowser


class Handler(http.server.SimpleHTTPRequestHandler):
    def end_headers(self):
        self.send_header("Cache-Control", "no-store")  # after a change the browser shows the new page
        super().end_headers()

    def log_message(self, *_):
        pass


def listen(folder, port):
    """A server on this port, or on the next free one."""
    for candidate in [*range(port, min(port + 100, 65536)), 0]:
        try:
            return http.server.ThreadingHTTPServer(("127.0.0.1", candidate), functools.partial(Handler, directory=folder))
        except OSError:
            continue
    sys.exit("playground: no port is free")


def main():
    parser = argparse.ArgumentParser(prog="playground")
    parser.add_argument("folder")
    parser.add_argument("--port", type=int, choices=range(1, 65536), metavar="PORT", default=8000)
    parser.add_argument("--no-open", action="store_true")
    arguments = parser.parse_args()
    server = listen(arguments.folder, arguments.port)
    port = server.server_address[1]
    address = f"http://127.0.0.1:{port}/"
    taken = f" (port {arguments.port} is taken)" if port != arguments.port else ""
    print(f"the playground is at {address}{taken}; Ctrl-C ends it", flush=True)
    if not arguments.no_open:
        webbrowser.open(address)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print()


main()
