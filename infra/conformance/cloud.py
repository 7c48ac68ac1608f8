"""A running `infra up`, the clients that talk to it, and its log."""

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

HERE = Path(__file__).parent
WORKSPACE = HERE.parent.parent

# Far more than any condition needs.
PATIENCE = 30

# The clients report what they see, instead of trying again.
CONFIG = Config(retries={"total_max_attempts": 1}, read_timeout=60)


def binary():
    """The program under test: $INFRA, or what Cargo builds."""
    if "INFRA" in os.environ:
        return os.environ["INFRA"]
    build = subprocess.run(
        ["cargo", "build", "-p", "infra", "--bin", "infra", "--message-format=json-render-diagnostics"],
        cwd=WORKSPACE,
        stdout=subprocess.PIPE,
        check=True,
    )
    messages = map(json.loads, build.stdout.splitlines())
    return next(message["executable"] for message in messages if message.get("executable"))


def stage(template, folder):
    """A copy of a template and its functions, whose Python is the one that runs the tests: a function's PATH is
    /usr/local/bin:/usr/bin:/bin:/opt/bin, and there need not be a Python there."""
    shutil.copytree(HERE / "templates", folder / "templates")
    shutil.copytree(HERE / "functions", folder / "functions")
    bootstrap = folder / "functions" / "python" / "bootstrap"
    first, rest = bootstrap.read_text().split("\n", 1)
    assert first.startswith("#!")
    # Isolated and without site-packages: it starts twice as fast.
    bootstrap.write_text(f"#!{os.path.realpath(sys.executable)} -IS\n{rest}")
    return folder / "templates" / f"{template}.yaml"


def eventually(condition, what, patience=PATIENCE):
    """What the condition gives once it is true."""
    end = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"in vain: {what}")
        time.sleep(0.02)


class Cloud:
    """Ends with the block that it is used in, and every process with it."""

    def __init__(self, template, *arguments):
        self.process = subprocess.Popen(
            [binary(), "up", str(template), "--json", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=WORKSPACE,
        )
        self.lines = []
        self._reader = threading.Thread(target=self._read_log)
        self._reader.start()
        line = self.process.stdout.readline()
        if not line:
            self.stop()
            raise AssertionError("infra up failed:\n" + "\n".join(self.lines))
        self.description = json.loads(line)
        self.endpoint_url = self.description["endpoint_url"]
        self.session = boto3.Session(
            aws_access_key_id=self.description["access_key_id"],
            aws_secret_access_key=self.description["secret_access_key"],
            region_name=self.description["region"],
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self._reader.join(PATIENCE)
            self.process.stdout.close()
            self.process.stderr.close()

    def _read_log(self):
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))

    def client(self, service, config=None):
        return self.session.client(service, endpoint_url=self.endpoint_url, config=config or CONFIG)

    def environment(self):
        """For a client that takes its settings from the environment. Nothing of the developer's own gets in."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return kept | {
            "AWS_ACCESS_KEY_ID": self.description["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": self.description["secret_access_key"],
            "AWS_REGION": self.description["region"],
            "AWS_DEFAULT_REGION": self.description["region"],
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "1",
        }

    def log(self, function=None):
        """The lines so far, or those of a function without its name before them."""
        lines = list(self.lines)
        if function is None:
            return lines
        prefix = f"[{function}] "
        return [line.removeprefix(prefix) for line in lines if line.startswith(prefix)]

    def received(self, function, marker):
        """What the function received with the marker in it: request id, time and event of each."""
        found = re.compile(r"received (\S+) (\S+) (.*)")
        matches = filter(None, map(found.fullmatch, self.log(function)))
        events = [(one[1], float(one[2]), json.loads(one[3])) for one in matches if marker in one[3]]
        return events

    def queue_url(self, name):
        return self.client("sqs").get_queue_url(QueueName=name)["QueueUrl"]

    def take(self, queue, wait=20):
        """The next message of a queue, with all its attributes, which is then deleted."""
        sqs, url = self.client("sqs"), self.queue_url(queue)
        answer = sqs.receive_message(
            QueueUrl=url, WaitTimeSeconds=wait, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"]
        )
        messages = answer.get("Messages", [])
        assert messages, f"there was no message in {queue}; log:\n" + "\n".join(self.log()[-40:])
        sqs.delete_message(QueueUrl=url, ReceiptHandle=messages[0]["ReceiptHandle"])
        return messages[0]

    def http(self, method, path, headers=(), body=None, timeout=60):
        """A request to the HTTP API, written as it stands here: the client adds and encodes nothing."""
        address = urlsplit(self.description["api_url"]).netloc
        with contextlib.closing(http.client.HTTPConnection(address, timeout=timeout)) as connection:
            has_host = any(name.lower() == "host" for name, _ in headers)
            connection.putrequest(method, path, skip_host=has_host, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("content-length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())


class Answer:
    """The HTTP API's answer."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def json(self):
        return json.loads(self.body)

    @property
    def event(self):
        """What the function received, where it answered that."""
        assert self.status == 200, (self.status, self.body[:500])
        return self.json()["event"]
