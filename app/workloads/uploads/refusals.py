"""How uploads and drafts are refused."""

from __future__ import annotations

from app.documents.failures import CURES
from app.kit.errors import Refusal


class TeachersOnly(Refusal):
    status = 403
    code = "teachers_only"
    title = "Uploads are not for students"
    cure = "Use an API key, or the token of a teacher."


class MultipartExpected(Refusal):
    status = 415
    code = "multipart_expected"
    title = "The body is not a form with files"
    cure = "Send `multipart/form-data` with a boundary, as `curl -F` and every browser's form do."


class InvalidMultipart(Refusal):
    status = 400
    code = "invalid_multipart"
    title = "The form cannot be read"
    cure = "Send the whole form, made by an HTTP library; it broke off or is not multipart/form-data (RFC 7578)."


class InvalidForm(Refusal):
    status = 422
    code = "invalid_form"
    title = "The form's fields do not fit"
    cure = "Correct the fields that `errors` points at; /openapi.json describes every field."


class FileTooLarge(Refusal):
    status = 413
    code = "file_too_large"
    title = "A file is too large"
    cure = CURES["file_too_large"]


class UploadTooLarge(Refusal):
    status = 413
    code = "upload_too_large"
    title = "The upload is too large"
    cure = "Send fewer or smaller files at once, or ask your operator for a higher `upload_total_bytes`."


class TooManyFiles(Refusal):
    status = 413
    code = "too_many_files"
    title = "A field has too many files"
    cure = CURES["too_many_files"]


class UnsupportedFile(Refusal):
    status = 415
    code = "unsupported_type"
    title = "Files of this type are not read"
    cure = CURES["unsupported_type"]


class MismatchedFile(Refusal):
    status = 415
    code = "type_mismatch"
    title = "A file is not what its name says"
    cure = CURES["type_mismatch"]


class EmptyFile(Refusal):
    status = 422
    code = "empty_file"
    title = "A file is empty"
    cure = CURES["empty_file"]


class UploadNotFound(Refusal):
    status = 404
    code = "upload_not_found"
    title = "There is no such upload"
    cure = "Check the id: an upload has that of the job that it was accepted as."


class UploadExpired(Refusal):
    status = 410
    code = "upload_expired"
    title = "The upload is not kept any more"
    cure = "Upload the files again if they are still needed; what was confirmed of them stays."


class FileNotFound(Refusal):
    status = 404
    code = "file_not_found"
    title = "The upload has no such file"
    cure = "Files are numbered from 1, as `files` of the upload lists them."


class JobNotReady(Refusal):
    status = 409
    code = "job_not_ready"
    title = "The files are still being read"
    cure = "Ask again after `Retry-After` seconds, or follow the job's events."


class ParseFailed(Refusal):
    status = 409
    code = "parse_failed"
    title = "The files could not be read, so there is no draft"
    cure = "`error` and `error_detail` say why. Upload corrected files, or retry the job where the cause has passed."


class DraftConfirmed(Refusal):
    status = 409
    code = "draft_confirmed"
    title = "The draft is confirmed and does not change any more"
    cure = "Upload again under the same id to replace the record."


class PreconditionRequired(Refusal):
    status = 428
    code = "precondition_required"
    title = "The request does not say which version of the draft it changes"
    cure = "Send the `ETag` of the draft that was edited as `If-Match`."


class DraftChanged(Refusal):
    status = 412
    code = "draft_changed"
    title = "The draft was changed since"
    cure = "Read the draft again, repeat the change on it, and send its new `ETag` as `If-Match`."


class NotConfirmable(Refusal):
    status = 422
    code = "not_confirmable"
    title = "Something is missing before the draft can be confirmed"
    cure = "`errors` names each thing and where in the draft it stands; mend it by PUT .../draft and confirm again."
