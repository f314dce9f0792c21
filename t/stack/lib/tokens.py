"""Tokens made by an independent library, good and bad ones."""
import base64
import hashlib
import hmac
import json
import time

import jwt as pyjwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

HOUR = 3600


def claims(user_id, who, **more):
    """Claims as the API description has them, for the role who; None leaves one out."""
    all_claims = {"sub": str(user_id), "role": who, "exp": int(time.time()) + HOUR, **more}
    return {n: v for n, v in all_claims.items() if v is not None}


def sign(key, payload, algorithm="HS256", headers=None):
    return pyjwt.encode(payload, key, algorithm=algorithm, headers=headers)


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def by_hand(header, payload, key=None):
    """Signed with HMAC-SHA256 whatever the header says; key None leaves the signature empty."""
    head = b64(json.dumps(header).encode()) + "." + b64(payload if isinstance(payload, bytes) else json.dumps(payload).encode())
    mac = b"" if key is None else hmac.new(key, head.encode(), hashlib.sha256).digest()
    return f"{head}.{b64(mac)}"


def _pem(private):
    return (private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                  serialization.NoEncryption()),
            private.public_key().public_bytes(serialization.Encoding.PEM,
                                              serialization.PublicFormat.SubjectPublicKeyInfo))


def rsa_pair():
    """(private, public) in PEM."""
    return _pem(rsa.generate_private_key(65537, 2048))


def ec_pair():
    """(private, public) in PEM, curve P-256."""
    return _pem(ec.generate_private_key(ec.SECP256R1()))
