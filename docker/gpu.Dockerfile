# Image of the detector for machines with an NVIDIA GPU (amd64, driver 580 or newer).
# ---- the same lines in every Dockerfile here, so that a machine builds, holds and pulls these layers once
ARG BASE=python:3.11-slim-bookworm

# The program itself, made and compiled where no image keeps the tools.
FROM ${BASE} AS program
WORKDIR /source
COPY docker/requirements/build.lock ./
RUN pip install --no-cache-dir --no-deps --require-hashes --requirement build.lock \
    && python -m venv --without-pip /opt/sightline
COPY pyproject.toml README.md LICENSE ./
COPY model model
COPY services services
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels . \
    && pip --python /opt/sightline/bin/python install --no-cache-dir --no-deps --prefix /program /wheels/*.whl

# What all services need. The process writes to /tmp only, so that the root may be read-only: whatever is
# imported has to be compiled before, Python's own library too, which the base brings uncompiled.
FROM ${BASE} AS common
RUN apt-get update \
    && apt-get install --yes --no-install-recommends tini \
    && rm -rf /var/lib/apt/lists/* /var/log/apt /var/log/dpkg.log /var/cache/debconf/*-old \
    && groupadd --gid 10001 sightline \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin sightline \
    && install --directory --owner 10001 --group 10001 --mode 0750 \
       /etc/sightline/secrets/mongodb /etc/sightline/secrets/mongodb-store \
       /etc/sightline/secrets/mongodb-web /etc/sightline/secrets/nats-ingest \
       /etc/sightline/secrets/nats-detector /etc/sightline/secrets/nats-store \
       /etc/sightline/secrets/nats-web /etc/sightline/secrets/nats-rtsp /etc/sightline/secrets/admin /videos \
    && python -m compileall -q \
       -x '/(config-.*|ensurepip|idlelib|lib2to3|site-packages|test|tests|tkinter|turtledemo)/' \
       /usr/local/lib/python3.11
ENV HOME=/tmp PATH=/opt/sightline/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
COPY docker/healthcheck.py docker/requirements/common.lock /usr/local/lib/sightline/
RUN python -m venv --without-pip /opt/sightline \
    && pip --python /opt/sightline/bin/python install --no-cache-dir --no-deps --require-hashes \
       --requirement /usr/local/lib/sightline/common.lock
ENTRYPOINT ["tini", "--", "sightline"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-IS", "/usr/local/lib/sightline/healthcheck.py", "http://127.0.0.1:9090/readyz"]

# What decodes, draws and encodes pictures.
FROM common AS pictures
COPY docker/requirements/pictures.lock /usr/local/lib/sightline/
RUN pip --python /opt/sightline/bin/python install --no-cache-dir --no-deps --require-hashes \
    --requirement /usr/local/lib/sightline/pictures.lock
# ---- end of the same lines

# What finds objects in pictures, on the GPU. Its driver comes from the machine, by NVIDIA's container toolkit.
FROM pictures AS inference
COPY docker/requirements/gpu.lock /usr/local/lib/sightline/
RUN pip --python /opt/sightline/bin/python install --no-cache-dir --no-deps --require-hashes \
    --requirement /usr/local/lib/sightline/gpu.lock
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility

FROM inference AS detector-gpu
COPY --from=program /program /opt/sightline
COPY configmaps/detector.yaml /etc/sightline/config/
USER 10001:10001
EXPOSE 8070 8090
CMD ["serve", "detector", "--config", "/etc/sightline/config/detector.yaml"]
ARG VERSION=0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Sightline detector (GPU)" \
      org.opencontainers.image.description="Finds, tracks and counts objects in pictures, on an NVIDIA GPU" \
      org.opencontainers.image.licenses="Apache-2.0 AND BSD-2-Clause AND BSD-3-Clause AND GPL-2.0-or-later AND GPL-3.0-or-later AND ISC AND LGPL-2.1-or-later AND MIT AND MIT-0 AND PSF-2.0 AND 0BSD AND CC0-1.0 AND Zlib AND LicenseRef-NVIDIA" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
