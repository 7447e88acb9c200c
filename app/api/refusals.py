"""What the edge itself refuses, before any subject is asked. Each becomes a problem document like every refusal."""

from __future__ import annotations

from app.kit.errors import Refusal


class InvalidJson(Refusal):
    status = 400
    code = "invalid_json"
    title = "The body is not JSON"
    cure = "Send one JSON document in UTF-8 as RFC 8259 defines it; NaN and lone surrogates are not part of it."


class InvalidRequest(Refusal):
    status = 422
    code = "invalid_request"
    title = "The request does not have the form that this route takes"
    cure = "Correct what `errors` points at; /openapi.json describes every field."


class InvalidCursor(Refusal):
    status = 400
    code = "invalid_cursor"
    title = "The cursor was not given out by this API"
    cure = "Send `next_cursor` of the page before unchanged, or leave `cursor` out to begin at the first page."


class InvalidIdempotencyKey(Refusal):
    status = 400
    code = "invalid_idempotency_key"
    title = "The idempotency key cannot be used"
    cure = "Send 1 to 255 printable ASCII characters; a random UUID is a good key."


class InvalidLastEventId(Refusal):
    status = 400
    code = "invalid_last_event_id"
    title = "The last event id was not given out by this API"
    cure = "Send the `id` of the last event that was received unchanged, or none to hear everything again."


class JobNotFound(Refusal):
    status = 404
    code = "job_not_found"
    title = "There is no such job"
    cure = "Check the id, and that the key belongs to the tenant that submitted the job."


class JobExpired(Refusal):
    status = 410
    code = "job_expired"
    title = "The job ended so long ago that it is not kept any more"
    cure = "Submit the work again if it is still needed; `retention_days` of the tenant says how long jobs are kept."


class QueueNotFound(Refusal):
    status = 404
    code = "queue_not_found"
    title = "There is no such queue"
    cure = "GET /admin/queues lists the queues of this deployment."


class ProblemNotFound(Refusal):
    status = 404
    code = "problem_not_found"
    title = "There is no such problem code"
    cure = "GET /problems lists every code."


class MethodNotAllowed(Refusal):
    status = 405
    code = "method_not_allowed"
    title = "The address exists, but not for this method"
    cure = "Use a method that the `Allow` header names."


class BodyTooSlow(Refusal):
    status = 408
    code = "body_too_slow"
    title = "The request's body did not arrive in time"
    cure = "Send the request again over a connection that holds."


class HeadersTooLarge(Refusal):
    status = 431
    code = "headers_too_large"
    title = "The request's headers are too large"
    cure = "Send fewer or shorter headers."


class BodyTooLarge(Refusal):
    status = 413
    code = "body_too_large"
    title = "The request's body is too large"
    cure = "Send less at once: split bulk requests, and pass large content by reference."


class UnsupportedMediaType(Refusal):
    status = 415
    code = "unsupported_media_type"
    title = "The body's media type is not what this route takes"
    cure = "Send JSON with the header `Content-Type: application/json`."


class InternalError(Refusal):
    status = 500
    code = "internal_error"
    title = "The server met an error of its own"
    cure = "Try again; if it stays, tell the operators the `request_id`, by which they find the cause in the logs."


class OutOfService(Refusal):
    status = 503
    code = "unavailable"
    title = "A server that this request needs does not answer at the moment"
    cure = "Try again after `Retry-After` seconds, with the same Idempotency-Key where one was sent."
