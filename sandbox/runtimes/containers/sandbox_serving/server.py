"""An HTTP/1.1 server in one thread: keep-alive, one write an answer, slow clients cost nothing.

Requests are answered one after the other, as by one worker of the containers' own server: user code need
not be thread-safe.
"""

import selectors
import socket

MAXIMUM_HEAD = 65536
REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    411: "Length Required",
    413: "Payload Too Large",
    415: "Unsupported Media Type",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
}


class BadRequest(Exception):
    """A request that cannot be read; the connection is closed after its answer."""

    def __init__(self, status):
        super().__init__(status)
        self.status = status


class Request:
    __slots__ = ("method", "path", "headers", "body", "keep_alive")

    def __init__(self, method, path, headers, keep_alive):
        self.method = method
        self.path = path
        self.headers = headers
        self.keep_alive = keep_alive
        self.body = b""


class Connection:
    __slots__ = ("socket", "received", "unsent", "request", "length", "closing")

    def __init__(self, connection):
        self.socket = connection
        self.received = bytearray()
        self.unsent = b""
        self.request = None
        self.length = 0
        self.closing = False

    def next_request(self, maximum_body):
        """The next whole request that was received, else None."""
        if self.request is None:
            end = self.received.find(b"\r\n\r\n")
            if end < 0:
                if len(self.received) > MAXIMUM_HEAD:
                    raise BadRequest(431)
                return None
            self.request, self.length = parse_head(bytes(self.received[:end]))
            del self.received[: end + 4]
            if self.length > maximum_body:
                raise BadRequest(413)
            if self.request.headers.get("expect", "").lower() == "100-continue":
                self.socket.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if len(self.received) < self.length:
            return None
        request = self.request
        request.body = bytes(self.received[: self.length])
        del self.received[: self.length]
        self.request = None
        return request


def parse_head(head):
    """(Request without body, length of the body)."""
    lines = head.decode("latin-1").split("\r\n")
    parts = lines[0].split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise BadRequest(400)
    headers = {}
    for line in lines[1:]:
        name, separator, value = line.partition(":")
        if not separator or not name or name[-1].isspace():
            raise BadRequest(400)
        headers[name.lower()] = value.strip()
    if "transfer-encoding" in headers:
        raise BadRequest(411)
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()):
        raise BadRequest(400)
    connection = headers.get("connection", "").lower()
    keep_alive = connection == "keep-alive" if parts[2] == "HTTP/1.0" else connection != "close"
    return Request(parts[0], parts[1].partition("?")[0], headers, keep_alive), int(length)


def response(status, content_type, body, keep_alive=True):
    head = "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n{}\r\n".format(
        status,
        REASONS.get(status, "Unknown"),
        content_type,
        len(body),
        "" if keep_alive else "Connection: close\r\n",
    )
    return head.encode("latin-1") + body


class Server:
    """`application(request)` returns (status, content type, body).

    Listens on a free port of 127.0.0.1, or on a socket file where there is no network (`path`).
    """

    def __init__(self, application, maximum_body, path=None):
        self.application = application
        self.maximum_body = maximum_body
        self.selector = selectors.DefaultSelector()
        if path is None:
            self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
            self.address = self.listener.getsockname()[1]
        else:
            self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.listener.bind(path)
            self.listener.listen(512)
            self.address = path
        self.listener.setblocking(False)
        self.selector.register(self.listener, selectors.EVENT_READ)

    def serve_forever(self):
        while True:
            for key, events in self.selector.select():
                if key.data is None:
                    self.accept()
                elif events & selectors.EVENT_WRITE:
                    self.write(key.data)
                else:
                    self.read(key.data)

    def accept(self):
        try:
            accepted, _ = self.listener.accept()
        except OSError:
            return  # the client is gone already
        accepted.setblocking(False)
        if accepted.family == socket.AF_INET:
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.selector.register(accepted, selectors.EVENT_READ, Connection(accepted))

    def read(self, connection):
        try:
            data = connection.socket.recv(262144)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close(connection)
            return
        connection.received += data
        self.answer(connection)

    def answer(self, connection):
        while not connection.closing and not connection.unsent:
            try:
                request = connection.next_request(self.maximum_body)
            except BadRequest as error:
                connection.closing = True
                self.send(connection, response(error.status, "text/plain", b"", keep_alive=False))
                return
            except OSError:
                self.close(connection)
                return
            if request is None:
                return
            connection.closing = not request.keep_alive
            status, content_type, body = self.application(request)
            self.send(connection, response(status, content_type, body, request.keep_alive))

    def send(self, connection, data):
        try:
            sent = connection.socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.close(connection)
            return
        if sent < len(data):
            connection.unsent = data[sent:]
            self.selector.modify(connection.socket, selectors.EVENT_WRITE, connection)
        elif connection.closing:
            self.close(connection)

    def write(self, connection):
        data, connection.unsent = connection.unsent, b""
        self.send(connection, data)
        if not connection.unsent and not connection.closing:
            self.selector.modify(connection.socket, selectors.EVENT_READ, connection)
            self.answer(connection)

    def close(self, connection):
        connection.closing = True
        if connection.socket.fileno() >= 0:
            self.selector.unregister(connection.socket)
            connection.socket.close()
