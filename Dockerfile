# One image per kind of process: `docker build --target chat .`; without a target, the API's.
# What BuildKit has built in suffices. A `# syntax` line would fetch a frontend from a registry first.

# Same minor version as the tests run on; give a digest to pin it: --build-arg PYTHON_IMAGE=python@sha256:...
ARG PYTHON_IMAGE=python:3.11-slim-bookworm


FROM ${PYTHON_IMAGE} AS builder
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /srv/homeroom

# Without a pip of its own, which nothing would use: the base image's installs into it.
RUN python -m venv --without-pip /opt/venv

# Only the lock, so that a change of code leaves this layer in the cache. Wheels alone: a source distribution would run
# its author's code in here, and need a compiler.
COPY requirements.lock ./
RUN --mount=type=cache,target=/root/.cache/pip \
    pip --python /opt/venv/bin/python install \
        --require-hashes --only-binary=:all: --no-compile --requirement requirements.lock

# Installed as editable, since the code looks for migrations/ beside itself and the run scripts stand there too. The
# build backend comes by its hash from the development lock, and leaves again.
COPY requirements-dev.lock pyproject.toml README.md LICENSE alembic.ini run_*_worker.py ./
COPY app app
COPY migrations migrations
RUN --mount=type=cache,target=/root/.cache/pip \
    sed -n '/^setuptools==/,/[^\\]$/p' requirements-dev.lock > build.lock \
    && pip --python /opt/venv/bin/python install \
        --require-hashes --only-binary=:all: --no-compile --requirement build.lock \
    && pip --python /opt/venv/bin/python install --no-index --no-deps --no-build-isolation --no-compile --editable . \
    && pip --python /opt/venv/bin/python uninstall --yes setuptools

# Compiled here, since the root file system is read-only later; unchecked, since nothing in an image changes.
RUN /opt/venv/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/venv/lib app migrations


# The same and what reads documents, for the workers that parse uploads. Nobody else carries a text recogniser.
FROM builder AS upload-builder
COPY requirements-upload.lock ./
RUN --mount=type=cache,target=/root/.cache/pip \
    pip --python /opt/venv/bin/python install \
        --require-hashes --only-binary=:all: --no-compile --requirement requirements-upload.lock \
    && /opt/venv/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/venv/lib


FROM ${PYTHON_IMAGE} AS bare
# Production is the default: a deployment that forgets to say so must not start with the development key.
ENV PATH=/opt/venv/bin:$PATH \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    APP_ENV=production

# The ids are part of the contract: volumes and `runAsUser` name them. /var/lib/homeroom is for files that outlive a
# container; a new volume mounted there takes over its owner.
RUN groupadd --gid 10001 homeroom \
    && useradd --no-log-init --uid 10001 --gid homeroom --no-create-home --home-dir /tmp \
        --shell /usr/sbin/nologin homeroom \
    && install --directory --owner=homeroom --group=homeroom --mode=0750 /var/lib/homeroom

WORKDIR /srv/homeroom

# By number: Kubernetes' runAsNonRoot cannot judge a name. The code belongs to root, so no process can rewrite it.
USER 10001:10001
STOPSIGNAL SIGTERM


FROM bare AS runtime
COPY --from=builder /opt/venv /opt/venv
COPY --from=builder /srv/homeroom/alembic.ini /srv/homeroom/run_*_worker.py ./
COPY --from=builder /srv/homeroom/migrations migrations
COPY --from=builder /srv/homeroom/app app

# Last, since they differ with every build.
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Homeroom" \
      org.opencontainers.image.description="A self-hosted, multi-tenant job backend for AI classrooms" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"


# The program is the entry point, its arguments the command. Workers have no health check here: they listen where
# WORKER_PROBE_PORT says, which is for whoever runs them to say and to probe.

FROM runtime AS chat
ENTRYPOINT ["python", "run_chat_worker.py"]


# The command is the queue, `exam` or `assignment`; without one it serves both. Not from `runtime`, whose environment
# would lie below the larger one.
FROM bare AS upload
COPY --from=upload-builder /opt/venv /opt/venv
COPY --from=upload-builder /srv/homeroom/alembic.ini /srv/homeroom/run_*_worker.py ./
COPY --from=upload-builder /srv/homeroom/migrations migrations
COPY --from=upload-builder /srv/homeroom/app app
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Homeroom" \
      org.opencontainers.image.description="A self-hosted, multi-tenant job backend for AI classrooms" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENTRYPOINT ["python", "run_upload_worker.py"]


FROM runtime AS profile
ENTRYPOINT ["python", "run_profile_worker.py"]


FROM runtime AS base
ENTRYPOINT ["python", "run_base_worker.py"]


FROM runtime AS migrate
ENTRYPOINT ["homeroom"]
CMD ["migrate"]


FROM runtime AS api
ENV HOST=0.0.0.0 \
    PORT=8000
EXPOSE 8000
# http.client and not urllib: that one would ask HTTP_PROXY for the way to this very container. The start may take
# STARTUP_WAIT_SECONDS.
HEALTHCHECK --interval=10s --timeout=3s --start-period=40s --retries=3 \
    CMD ["python", "-c", "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=2); c.request('GET', '/healthz'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["homeroom"]
CMD ["api"]
