"""Uploads in a bucket: AWS, MinIO, Aliyun OSS and whatever else speaks S3."""

import tempfile
from typing import IO, Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from storages.backends.s3 import S3Storage

from heihei_site.uploads.kinds import HEAD_BYTES
from heihei_site.uploads.storages import Seen, StorageDown

# A phone waits for what is asked (D9): what does not answer is soon given up. Checksums that nobody requires make boto3
# send bodies in chunks, which Aliyun refuses.
CONFIG = Config(
    connect_timeout=0.5,
    read_timeout=1.0,
    retries={"total_max_attempts": 2, "mode": "standard"},
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)
GONE = {"404", "NoSuchKey", "NotFound"}
CHANGED = {"412", "PreconditionFailed"}
CACHE = "public, max-age=86400"


class Bucket(S3Storage):  # type: ignore[misc]  # which has no types
    """Phones write below the modules' names with credentials for one object; only `data/` is for everybody, and only we
    write there, with our own word for what a file is."""

    client_config: Config

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.client_config = self.client_config.merge(CONFIG)

    def look(self, key: str) -> Seen | None:
        head = self._ask("head_object", Key=key)
        if head is None:
            return None
        if not head["ContentLength"]:
            return Seen(0, head["ETag"], b"")
        first = self._ask("get_object", Key=key, IfMatch=head["ETag"], Range=f"bytes=0-{HEAD_BYTES - 1}")
        return first and Seen(head["ContentLength"], head["ETag"], self._bytes_of(first))

    def publish(self, key: str, version: str, to: str, content_type: str) -> bool:
        """The copy's own ETag, or else the source's after copying, shows what was copied where the condition is not
        understood."""
        copied = self._ask(
            "copy_object",
            Key=to,
            CopySource={"Bucket": self.bucket_name, "Key": key},
            CopySourceIfMatch=version,
            MetadataDirective="REPLACE",
            ContentType=content_type,
            CacheControl=CACHE,
        )
        if copied is None:
            return False
        if copied["CopyObjectResult"]["ETag"] == version or self._version_of(key) == version:
            return True
        self.remove(to)
        return False

    def read(self, key: str, version: str) -> IO[bytes] | None:
        found = self._ask("get_object", Key=key, **({"IfMatch": version} if version else {}))
        if found is None:
            return None
        file = tempfile.TemporaryFile()  # noqa: SIM115  (the caller closes it)
        try:
            for chunk in found["Body"].iter_chunks(HEAD_BYTES):
                file.write(chunk)
        except BotoCoreError as error:
            file.close()
            raise StorageDown(type(error).__name__) from None
        file.seek(0)
        return file

    def put(self, key: str, file: IO[bytes], content_type: str) -> None:
        self._ask("put_object", Key=key, Body=file, ContentType=content_type, CacheControl=CACHE)

    def remove(self, key: str) -> None:
        self._ask("delete_object", Key=key)

    def _version_of(self, key: str) -> str:
        head = self._ask("head_object", Key=key)
        return str(head["ETag"]) if head else ""

    @staticmethod
    def _bytes_of(found: Any) -> bytes:
        try:
            return bytes(found["Body"].read())
        except BotoCoreError as error:
            raise StorageDown(type(error).__name__) from None

    def _ask(self, deed: str, **said: Any) -> Any:
        """None for an object that is not there, or not in the version that was asked for."""
        try:
            return getattr(self.connection.meta.client, deed)(Bucket=self.bucket_name, **said)
        except ClientError as error:
            if (code := error.response.get("Error", {}).get("Code", "")) in GONE | CHANGED:
                return None
            raise StorageDown(f"{deed}: {code}") from None
        except (BotoCoreError, ResponseParserError) as error:
            raise StorageDown(f"{deed}: {type(error).__name__}") from None
