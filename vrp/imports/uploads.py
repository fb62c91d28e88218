"""Huge uploads are refused by their announced size, before anything is read or stored."""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler

# Room for a file of the largest size we read, and for the form around it.
MAX_BODY = 8 * 2**20


class CappedUpload(FileUploadHandler):
    """First of ``FILE_UPLOAD_HANDLERS``; the others store what it lets pass."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: Any,
        content_length: int,
        boundary: Any,
        encoding: Any = None,
    ) -> None:
        """Raise ``RequestDataTooBig`` (HTTP 413) for a body over ``MAX_BODY`` bytes."""
        if content_length > MAX_BODY:
            raise RequestDataTooBig(f"An upload is at most {MAX_BODY:,} bytes.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None
