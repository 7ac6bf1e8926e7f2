"""Certificates for the tests of TLS, made by openssl in a directory of their own.

    authority = Authority(directory, "ca")
    authority.issue("server", "localhost", extensions=["subjectAltName=IP:127.0.0.1"])
    -> directory/ca.crt, directory/server.crt, directory/server.key
"""
import os
import shutil
import subprocess


def openssl(*words, stdin=None):
    """Runs openssl; returns what it prints. It must end with 0."""
    program = shutil.which("openssl")
    assert program is not None, "openssl is not installed"
    done = subprocess.run([program, *words], input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    assert done.returncode == 0, "openssl %s: %s" % (" ".join(words), done.stderr.decode())
    return done.stdout


class Authority:
    def __init__(self, directory, name):
        self.directory = directory
        self.name = name
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-days", "30", "-subj", "/CN=" + name, "-addext",
                "basicConstraints=critical,CA:TRUE", "-keyout", self.path(name + ".key"),
                "-out", self.path(name + ".crt"))

    def path(self, name):
        return os.path.join(self.directory, name)

    def issue(self, name, common_name, extensions=(), days=30, passphrase=None):
        """name.crt and name.key; `days` below 0: it has expired already."""
        key, request, certificate = (self.path(name + end) for end in (".key", ".csr", ".crt"))
        encryption = ["-aes256", "-pass", "pass:" + passphrase] if passphrase else []
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256",
                *encryption, "-out", key)
        openssl("req", "-new", "-key", key, "-subj", "/CN=" + common_name, "-out", request,
                *(["-passin", "pass:" + passphrase] if passphrase else []))
        with open(self.path("extensions"), "w", encoding="utf-8") as file:
            file.write("\n".join(extensions))
        openssl("x509", "-req", "-in", request, "-CA", self.path(self.name + ".crt"), "-CAkey",
                self.path(self.name + ".key"), "-CAcreateserial", "-days", str(days), "-extfile",
                self.path("extensions"), "-out", certificate)
        os.remove(request)
        return certificate

    def replace_in(self, name, old, new):
        """Puts bytes of the same length into name.crt, and signs it again: for names that openssl
        would not write."""
        certificate = self.path(name + ".crt")
        signed = openssl("x509", "-in", certificate, "-outform", "DER")
        body_start, _ = _contents(signed, 0)
        first, body_end = _contents(signed, body_start)
        del first
        _, algorithm_end = _contents(signed, body_end)
        body = signed[body_start:body_end]
        assert len(old) == len(new) and body.count(old) == 1
        body = body.replace(old, new)
        signature = openssl("dgst", "-sha256", "-sign", self.path(self.name + ".key"), stdin=body)
        bits = b"\x03" + _size(len(signature) + 1) + b"\x00" + signature
        contents = body + signed[body_end:algorithm_end] + bits
        with open(certificate, "wb") as file:
            file.write(openssl("x509", "-inform", "DER", "-outform", "PEM",
                               stdin=b"\x30" + _size(len(contents)) + contents))


def _contents(der, at):
    """Where the contents of the element at `at` begin and end."""
    size = der[at + 1]
    start = at + 2
    if size >= 0x80:
        count = size - 0x80
        size = int.from_bytes(der[start:start + count], "big")
        start += count
    return start, start + size


def _size(count):
    if count < 0x80:
        return bytes([count])
    digits = count.to_bytes((count.bit_length() + 7) // 8, "big")
    return bytes([0x80 + len(digits)]) + digits
