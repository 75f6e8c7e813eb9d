"""An S3 bucket behind a socket that knows ListObjectsV2 and PutObject, and records whatever else it is asked."""

import re
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit


class Bucket:
    """A context: `url` is the endpoint, `objects` what was put, `calls` how often which operation came."""

    def __init__(self):
        self.objects: dict[str, bytes] = {}
        self.headers: list[dict[str, str]] = []
        self.calls: Counter = Counter()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def _handler(bucket):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                bucket.get(self)

            def do_PUT(self):
                bucket.put(self)

            def do_POST(self):
                bucket.refuse(self)

            do_HEAD = do_DELETE = do_CONNECT = do_POST

            def log_message(self, *_):
                pass

        return Handler

    def get(self, request):
        """ListObjectsV2."""
        query = parse_qs(urlsplit(request.path).query)
        if query.get("list-type") != ["2"]:
            return self.refuse(request)
        self.calls["ListObjectsV2"] += 1
        self.headers.append(dict(request.headers))
        found = [
            (key, body) for key, body in sorted(self.objects.items()) if key.startswith(query["prefix"][0])
        ]
        items = "".join(
            f"<Contents><Key>{key}</Key><Size>{len(body)}</Size></Contents>" for key, body in found
        )
        return self.answer(request, 200, f"<ListBucketResult><Name>b</Name>{items}</ListBucketResult>")

    def put(self, request):
        """PutObject."""
        self.calls["PutObject"] += 1
        self.headers.append(dict(request.headers))
        if request.headers.get("Expect") == "100-continue":
            request.send_response_only(100)
            request.end_headers()
        if "chunked" in request.headers.get("Content-Encoding", ""):
            body = self.unchunked(request)
        else:
            body = request.rfile.read(int(request.headers["Content-Length"]))
        self.objects[unquote(urlsplit(request.path).path).split("/", 2)[2]] = body
        self.answer(request, 200, "")

    @staticmethod
    def unchunked(request) -> bytes:
        """The body of an aws-chunked upload."""
        body = b""
        while size := int(request.rfile.readline().partition(b";")[0], 16):
            body += request.rfile.read(size)
            request.rfile.readline()
        while request.rfile.readline().strip():
            continue
        return body

    def refuse(self, request):
        """Record any other request."""
        target = request.headers.get("X-Amz-Target") or re.sub(r"\?.*", "", request.path)
        self.calls[f"{request.command} {target}"] += 1
        self.answer(request, 403, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>")

    @staticmethod
    def answer(request, status: int, text: str) -> None:
        """Send an answer; the connection closes, so that a body left unread does no harm."""
        body = text.encode()
        request.send_response(status)
        request.send_header("Content-Length", str(len(body)))
        request.send_header("Connection", "close")
        request.end_headers()
        request.wfile.write(body)
