"""Places for backups on servers of their own on the loopback, and the public programs that carry bytes to them."""
import os
import random
import socket
import subprocess
import sys
import time

from .account import Failure

RELAY = f"{os.path.dirname(os.path.realpath(__file__))}/relay.py"


class Place:
    """A server that is started at once and ended with the laboratory."""

    def __init__(self, laboratory, kind):
        self.laboratory = laboratory
        self.account = laboratory.account
        self.folder = laboratory.workspace.fresh(kind)
        self.relays = {}

    def start(self, command, port):
        """Starts the server and waits until it listens."""
        with open(f"{self.folder}/log", "w", encoding="utf-8") as log:
            process = subprocess.Popen(
                command, cwd=self.folder, env=self.account.environment, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, **self.account.identity())
        self.laboratory.processes.append(process)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
        with open(f"{self.folder}/log", encoding="utf-8", errors="replace") as log:
            raise Failure(f"{command[0]} does not listen on port {port}\n{log.read()[-2000:]}")

    def relayed(self, milliseconds):
        """The port of a relay to the server that adds so much to each answer; of 0 where nothing is added but the relay."""
        if milliseconds not in self.relays:
            process = subprocess.Popen(
                [sys.executable, RELAY, str(self.port), str(milliseconds)], stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, text=True)
            self.laboratory.processes.append(process)
            self.relays[milliseconds] = int(process.stdout.readline())
        return self.relays[milliseconds]


class Bucket(Place):
    """SeaweedFS with one bucket; `rclone` is the public client. Both speak plain HTTP here; TLS is there, too."""

    client = "rclone copy"

    def __init__(self, laboratory):
        super().__init__(laboratory, "s3")
        ports = free_ports(5)
        (self.port, self.tls_port) = ports[3:]
        # Peers that speak TLS only do not verify it.
        self.account.run([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=localhost", "-keyout", f"{self.folder}/key.pem", "-out", f"{self.folder}/certificate.pem"])
        self.rclone = laboratory.tool("rclone")
        self.environment = {f"RCLONE_CONFIG_PLACE_{key}": value for key, value in {
            "TYPE": "s3", "PROVIDER": "Other", "ACCESS_KEY_ID": "AKIDBENCH", "SECRET_ACCESS_KEY": "SECRETBENCH",
            "ENDPOINT": f"http://127.0.0.1:{self.port}"}.items()}
        self.account.write(f"{self.folder}/s3.json", (
            '{"identities":[{"name":"bench","credentials":[{"accessKey":"AKIDBENCH","secretKey":"SECRETBENCH"}],'
            '"actions":["Admin","Read","Write","List","Tagging"]}]}'))
        self.account.make_folder(f"{self.folder}/data")
        self.start([
            laboratory.tool("weed"), "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={self.folder}/data",
            "-volume.max=300", "-master.volumeSizeLimitMB=1024", f"-master.port={ports[0]}", f"-volume.port={ports[1]}",
            "-filer", f"-filer.port={ports[2]}", "-s3", f"-s3.port={self.port}", "-s3.port.iceberg=0",
            "-s3.port.lance=0", f"-s3.config={self.folder}/s3.json", f"-s3.port.https={self.tls_port}",
            f"-s3.cert.file={self.folder}/certificate.pem", f"-s3.key.file={self.folder}/key.pem"], self.port)
        self._wait_until_ready()

    def _wait_until_ready(self):
        """The first object is taken some seconds after the port is open."""
        deadline = time.monotonic() + 60
        while True:
            try:
                self.run("mkdir", "place:bench")
                self.run("touch", "place:bench/ready")
                return
            except Failure:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def run(self, *arguments):
        """Runs `rclone`."""
        return self.account.run(self.command(*arguments), environment=self.environment)

    def command(self, *arguments):
        """A command line of `rclone`, with parts of the size that pgmoneta sends."""
        options = ["--config", "/dev/null", "--s3-upload-cutoff", "8M", "--s3-chunk-size", "8M", "--s3-no-check-bucket"]
        return [self.rclone, *options, *arguments]

    def target(self, name, port=None):
        """Lines of a configuration for a target."""
        return [
            f"url = s3://bench/{name}", f"endpoint = http://127.0.0.1:{port or self.port}", "access_key_id = AKIDBENCH",
            "secret_access_key = SECRETBENCH"]

    def upload(self, folder, name):
        """The command line, and its environment, that brings a folder here."""
        return self.command("copy", folder, f"place:bench/{name}"), self.environment

    def download(self, name, folder):
        """The command line, and its environment, that brings it back."""
        return self.command("copy", f"place:bench/{name}", folder), self.environment

    def discard(self, name):
        """Removes all objects of a target."""
        self.run("purge", f"place:bench/{name}")


class LoginHost(Place):
    """OpenSSH's sshd; `sftp` is the public client, which is told to make files durable as pgmoneta does."""

    client = "sftp put -f"

    def __init__(self, laboratory):
        super().__init__(laboratory, "ssh")
        [self.port] = free_ports(1)
        self.account.make_folder(f"{self.folder}/files")
        for key in ("host", "user"):
            self.account.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{self.folder}/{key}"])
        with open(f"{self.folder}/host.pub", encoding="utf-8") as file:
            self.account.write(f"{self.folder}/known", f"* {file.read()}")
        self.account.write(f"{self.folder}/sshd_config", "\n".join([
            f"Port {self.port}", "ListenAddress 127.0.0.1", f"HostKey {self.folder}/host",
            f"AuthorizedKeysFile {self.folder}/user.pub", "PidFile none", "UsePAM no", "StrictModes no",
            "MaxStartups 100", "Subsystem sftp /usr/lib/openssh/sftp-server", ""]))
        self.user = self.account.run(["id", "-un"]).strip()
        self.start(["/usr/sbin/sshd", "-D", "-e", "-f", f"{self.folder}/sshd_config"], self.port)

    def target(self, name, port=None):
        """Lines of a configuration for a target."""
        return [
            f"url = sftp://{self.user}@127.0.0.1:{port or self.port}{self.folder}/files/{name}",
            f"private_key_file = {self.folder}/user", f"known_hosts_file = {self.folder}/known", "config_file = /dev/null"]

    def _batch(self, line):
        self.account.write(f"{self.folder}/batch", line + "\n")
        return [
            "sftp", "-q", "-b", f"{self.folder}/batch", "-F", "/dev/null", "-i", f"{self.folder}/user", "-P",
            str(self.port), f"-oUserKnownHostsFile={self.folder}/known", f"{self.user}@127.0.0.1"], {}

    def upload(self, folder, name):
        """The command line, and its environment, that brings a folder here."""
        return self._batch(f"put -fR {folder} {self.folder}/files/{name}")

    def download(self, name, folder):
        """The command line, and its environment, that brings it back."""
        return self._batch(f"get -fR {self.folder}/files/{name} {folder}/copy")

    def discard(self, name):
        """Removes a target."""
        self.laboratory.workspace.discard(f"{self.folder}/files/{name}")


def free_ports(count):
    """Ports that are free now, each with a free one 10,000 above it, which SeaweedFS takes for itself."""
    ports = []
    while len(ports) < count:
        port = random.randrange(12_000, 22_000)
        with socket.socket() as lower, socket.socket() as upper:
            try:
                lower.bind(("127.0.0.1", port))
                upper.bind(("127.0.0.1", port + 10_000))
            except OSError:
                continue
        if port not in ports:
            ports.append(port)
    return ports
