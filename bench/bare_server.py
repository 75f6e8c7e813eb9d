"""The least that serves a model: `bare_server.py MODEL READY`, run by the container's own Python.

http.server of the standard library around the model's inference code, kept alive and without delays.
"""

import http.server
import sys


def main(model_folder, ready):
    sys.path.insert(0, f"{model_folder}/code")
    import inference

    model = inference.model_fn(model_folder)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            content_type, accept = self.headers["Content-Type"], self.headers["Accept"]
            text, answer_type = inference.transform_fn(model, body, content_type, accept)
            data = text.encode()
            self.send_response(200)
            self.send_header("Content-Type", answer_type)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
            self.wfile.flush()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(ready, server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
