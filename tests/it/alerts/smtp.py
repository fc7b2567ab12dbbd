"""A mail server for tests: writes each mail with its envelope as JSON into a folder.

usage: smtp.py PORT FOLDER none|starttls|tls [CERT KEY USER PASSWORD]
"""
import json
import os
import ssl
import sys
import time

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

port, folder, mode, *rest = sys.argv[1:]


class Keep:
    count = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 no such mailbox"
        if address.startswith("busy@"):
            return "450 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        Keep.count += 1
        mail = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "data": envelope.content.decode("latin-1"),
            "tls": session.ssl is not None or mode == "tls",
            "user": session.auth_data.login.decode() if session.authenticated else None,
        }
        path = os.path.join(folder, f"{Keep.count:03}.json")
        with open(path + ".part", "w") as file:
            json.dump(mail, file)
        os.rename(path + ".part", path)
        return "250 kept"


def login(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and [data.login.decode(), data.password.decode()] == rest[2:]
    return AuthResult(success=good, auth_data=data if good else None, handled=True)


context = None
more = {}
if mode != "none":
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(rest[0], rest[1])
    more = {"authenticator": login, "auth_required": True}
    if mode == "starttls":
        more |= {"tls_context": context, "require_starttls": True}
    else:
        more |= {"ssl_context": context, "auth_require_tls": False}
controller = Controller(Keep(), hostname="127.0.0.1", port=int(port), **more)
controller.start()
open(os.path.join(folder, "ready"), "w").close()
# ends with the test: its end of the pipe is closed then
sys.stdin.read()
controller.stop()
