"""make-bucket.py NAME: creates a bucket on the server that DIMPLE_TEST_S3_ENDPOINT, _KEY, _SECRET and _REGION name.

The tool and the library expect a bucket to exist, as an S3 user does; this makes the one that a fresh test server lacks.
Signed by AWS Signature Version 4 with an empty body.
"""

import datetime
import hashlib
import hmac
import os
import sys
import urllib.error
import urllib.parse
import urllib.request


def main(bucket: str) -> None:
    endpoint, key, secret, region = (os.environ["DIMPLE_TEST_S3_" + name] for name in ("ENDPOINT", "KEY", "SECRET", "REGION"))
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    empty = hashlib.sha256(b"").hexdigest()
    headers = {"host": urllib.parse.urlsplit(endpoint).netloc, "x-amz-content-sha256": empty, "x-amz-date": now}
    names = ";".join(headers)
    request = "\n".join(["PUT", f"/{bucket}", "", *(f"{name}:{value}" for name, value in headers.items()), "", names, empty])
    scope = f"{now[:8]}/{region}/s3/aws4_request"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(request.encode()).hexdigest()])
    signing_key = ("AWS4" + secret).encode()
    for part in [*scope.split("/"), to_sign]:
        signing_key = hmac.new(signing_key, part.encode(), hashlib.sha256).digest()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, Signature={signing_key.hex()}")
    # A proxy has no business between this machine and itself.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    opener.open(urllib.request.Request(f"{endpoint}/{bucket}", method="PUT", headers=headers), timeout=20)


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except urllib.error.HTTPError as error:
        sys.exit(f"bucket {sys.argv[1]}: {error} {error.read().decode(errors='replace')}")
