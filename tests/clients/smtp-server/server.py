"""A mail server that does what the address says: takes, refuses, takes later, is slow, or cuts the connection.

It says its port on stdout, and then a line of JSON for each mail that it has and each thing that it refused.
"""

import asyncio
import json
import os
import ssl
import sys
from email import message_from_bytes, policy

from aiosmtpd.smtp import SMTP, AuthResult

MODE = os.environ.get("MODE", "plain")
USER = os.environ.get("SMTP_USER")
PASSWORD = os.environ.get("SMTP_PASSWORD", "")
# Names that were treated badly once are treated well from then on.
SEEN = set()
CONNECTIONS = 0


def tell(**event):
    print(json.dumps(event), flush=True)


def first(name):
    is_first = name not in SEEN
    SEEN.add(name)
    return is_first


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        name = address.split("@")[0]
        if name.startswith("refused"):
            tell(event="refused", to=address)
            return "550 5.1.1 nobody is called so"
        if name.startswith("later") and first(address):
            tell(event="later", to=address)
            return "451 4.7.1 come back later"
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server, session, envelope):
        names = [address.split("@")[0] for address in envelope.rcpt_tos]
        message = message_from_bytes(envelope.content, policy=policy.default)
        if any(name.startswith("spam") for name in names):
            tell(event="refused", to=envelope.rcpt_tos)
            return "554 5.7.1 this looks like spam"
        if any(name.startswith("slow") for name in names):
            tell(event="slow", to=envelope.rcpt_tos)
            await asyncio.sleep(float(os.environ.get("SLOW", "3600")))
        tell(
            event="mail",
            sender=envelope.mail_from,
            to=envelope.rcpt_tos,
            id=message["Message-ID"],
            subject=message["Subject"],
            head_from=message["From"],
            head_to=message["To"],
            head_cc=message["Cc"],
            bcc=message["Bcc"],
            kind=message.get_content_type(),
            text=message.get_content(),
            tls=server.transport.get_extra_info("ssl_object") is not None,
            user=session.auth_data.decode() if session.authenticated else None,
            connection=server.number,
        )
        cut = [name for name in names if name.startswith("cut")]
        if any([first(name) for name in cut]):
            # The mail is here, and nobody is told so.
            server.transport.abort()
            await asyncio.sleep(3600)
        return "250 taken"


class Server(SMTP):
    def __init__(self, *args, **kwargs):
        global CONNECTIONS
        CONNECTIONS += 1
        self.number = CONNECTIONS
        super().__init__(*args, **kwargs)


def sign_in(server, session, envelope, mechanism, data):
    good = data.login == USER.encode() and data.password == PASSWORD.encode()
    if not good:
        tell(event="not let in", user=data.login.decode())
        return AuthResult(success=False, handled=False)
    return AuthResult(success=True, auth_data=data.login)


def context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.environ["CERTIFICATE"], os.environ["KEY"])
    return context


def protocol(loop):
    options = {"hostname": "mail.test", "loop": loop, "timeout": 3600}
    if USER:
        options.update(authenticator=sign_in, auth_required=True, auth_require_tls=MODE == "starttls")
    if MODE == "starttls":
        options.update(tls_context=context(), require_starttls=True)
    return Server(Handler(), **options)


async def main():
    loop = asyncio.get_running_loop()
    tls = context() if MODE == "tls" else None
    port = int(os.environ.get("PORT", "0"))
    server = await loop.create_server(lambda: protocol(loop), "127.0.0.1", port, ssl=tls)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        sys.exit(0)
