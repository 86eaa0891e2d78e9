# imagelock as an image: `docker run --rm --volume "$PWD:/work" IMAGE check`. The wheel is taken from dist/, its
# dependencies are those of the action, by hash. Bases are locked in images.lock and pinned by `imagelock render`.
FROM python:3.13-slim-trixie@sha256:9662417aace5ae7b8e2609cce472b72a8958e134ba372808abe9cc1a0c0125e6 AS build
COPY action/requirements.txt dist/*.whl /build/
RUN python -m venv --without-pip /opt/imagelock \
    && pip --python /opt/imagelock install --no-cache-dir --no-deps --only-binary :all: --require-hashes \
        --requirement /build/requirements.txt \
    && pip --python /opt/imagelock install --no-cache-dir --no-deps --no-index /build/*.whl

FROM python:3.13-slim-trixie@sha256:9662417aace5ae7b8e2609cce472b72a8958e134ba372808abe9cc1a0c0125e6
# git says which files are tracked, for patterns and `check --all`, and has the revisions that `diff` compares. A
# checkout that is mounted belongs to another user.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/* \
    && git config --system --add safe.directory '*'
COPY --from=build /opt/imagelock /opt/imagelock
ENV PATH=/opt/imagelock/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
WORKDIR /work
ENTRYPOINT ["imagelock"]
